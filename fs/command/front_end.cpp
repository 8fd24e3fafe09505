#include "fs/command/front_end.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fs/command/composition.h"
#include "fs/command/escape.h"
#include "fs/command/find_library.h"
#include "fs/command/progress.h"
#include "fs/command/verb.h"
#include "fs/control/client.h"
#include "fs/signals.h"
#include "store/base/log.h"
#include "store/library.h"

namespace shoebox {
namespace {

using nlohmann::json;

bool has_option(const Verb& verb, OptionSpec::Kind kind, const ParsedCommand& command) {
  for (const OptionSpec& option : verb.options) {
    if (option.kind == kind && command.values.contains(option.key)) return true;
  }
  return false;
}

Result<FoundLibrary> find_for(const ParsedCommand& command, const std::string& working_directory) {
  LibraryQuery query;
  query.option = command.library;
  if (const char* environment = std::getenv("SHOEBOX_LIBRARY")) query.environment = environment;
  query.working_directory = working_directory;
  query.mounts = mounted_libraries();
  for (const OptionSpec& option : command.verb->options) {
    if (option.kind != OptionSpec::Kind::kLibraryPath && option.kind != OptionSpec::Kind::kName) continue;
    if (const auto it = command.values.find(option.key); it != command.values.end()) {
      query.paths.insert(query.paths.end(), it->second.begin(), it->second.end());
    }
  }
  return find_library(query);
}

Result<json> value_of(const OptionSpec& option, const std::string& text, const FoundLibrary& found,
                      const std::string& working_directory) {
  switch (option.kind) {
    case OptionSpec::Kind::kFlag: return json(true);
    case OptionSpec::Kind::kText: return json(escape_name(text));
    case OptionSpec::Kind::kName: {
      if (text.find('/') == std::string::npos) return json(escape_name(text));
      const Result<std::string> path = path_in_library(found, text, working_directory);
      return json(escape_name(path ? *path : text));
    }
    case OptionSpec::Kind::kLocalPath:
      if (text.empty())
        return Status(Code::kInvalid, fmt::format("{}: an empty path names nothing", option.name));
      return json(escape_name(absolute_path(text, working_directory)));
    case OptionSpec::Kind::kLibraryPath: {
      SHOEBOX_ASSIGN(const std::string path, path_in_library(found, text, working_directory));
      return json(escape_name(path));
    }
    case OptionSpec::Kind::kNumber: {
      char* end = nullptr;
      errno = 0;
      const long long number = std::strtoll(text.c_str(), &end, 10);
      if (errno != 0 || text.empty() || *end != 0) {
        return Status(Code::kInvalid, fmt::format("{} {}: is no whole number", option.name, printable(text)));
      }
      return json(number);
    }
  }
  return Status(Code::kInvalid, "unknown kind of option");
}

Result<json> arguments_of(const ParsedCommand& command, const FoundLibrary& found,
                          const std::string& working_directory) {
  json arguments = json::object();
  for (const OptionSpec& option : command.verb->options) {
    const auto it = command.values.find(option.key);
    if (it == command.values.end()) continue;
    if (option.kind == OptionSpec::Kind::kFlag) {
      arguments[option.key] = true;
      continue;
    }
    json list = json::array();
    for (const std::string& text : it->second) {
      SHOEBOX_ASSIGN(json value, value_of(option, text, found, working_directory));
      list.push_back(std::move(value));
    }
    // What run-verbs read is always a list, so is what may be many; a lone value stands for itself.
    const bool lone = !option.many && list.size() == 1 && !(command.verb->run && option.required);
    arguments[option.key] = lone ? list[0] : list;
  }
  return arguments;
}

// A service that runs here, because nobody has the library mounted.
Result<json> run_here(const Verb& verb, const FoundLibrary& found, const json& arguments,
                      const Composition& composition, const CancelToken& cancel,
                      const std::function<void(const json&)>& progress) {
  OpenRequest request;
  request.library = found.library;
  request.background = verb.needs_background;
  request.salvage = verb.name == "fsck" && arguments.value("repair", false);
  if (verb.open) SHOEBOX_TRY(verb.open(arguments, request));
  const auto serve = [&]() -> Result<json> {
    SHOEBOX_ASSIGN(const std::unique_ptr<OpenedLibrary> opened, composition.open_library(request));
    ServiceContext context{opened->library(), opened->sync(), "", cancel, progress};
    return verb.service(context, arguments);
  };
  Result<json> answer = serve();
  if (std::error_code ignored; request.temporary) std::filesystem::remove_all(request.library, ignored);
  return answer;
}

class Answer {
 public:
  Answer(const Verb& verb, bool as_json)
      : verb_(verb), json_(as_json), progress_(progress_on_stderr(as_json, clock_)) {}

  void interim(const json& value) {
    if (!value.is_object()) return;
    if (json_) {
      // Only for verbs that were asked to go on telling (status --watch).
      if (verb_.interim_progress) say(value.dump(-1, ' ', false, json::error_handler_t::replace));
      return;
    }
    draw(verb_.interim_progress ? verb_.interim_progress(value) : value, progress_);
  }

  int last(const Result<json>& result, const json& arguments) {
    progress_.clear();
    if (!result) {
      complain(printable(result.status().message()));
      return result.code() == Code::kCancelled ? kExitInterrupted : kExitFailed;
    }
    if (json_) {
      const bool told = verb_.interim_progress && arguments.value("watch", false);
      if (!told) say(result->dump(2, ' ', false, json::error_handler_t::replace));
    } else if (verb_.print) {
      verb_.print(*result, arguments);
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      complain("write to stdout failed");
      return kExitFailed;
    }
    return verb_.exit_code ? verb_.exit_code(*result) : 0;
  }

 private:
  const Verb& verb_;
  bool json_;
  SystemClock clock_;
  Progress progress_;
};

int run_service(const ParsedCommand& command, const FoundLibrary& found, const json& arguments,
                const Composition& composition) {
  const Verb& verb = *command.verb;
  const CancelToken cancel;
  TerminationSignals signals;  // before any thread
  signals.start([cancel](int) { cancel.cancel(); });
  Answer answer(verb, command.json);
  const auto progress = [&](const json& value) { answer.interim(value); };
  const Result<std::optional<json>> asked = ask_mount(found.library, verb.name, arguments, cancel, progress);
  Result<json> result = !asked ? Result<json>(asked.status())
                        : asked->has_value()
                            ? Result<json>(**asked)
                            : run_here(verb, found, arguments, composition, cancel, progress);
  // Who watches ends it so: that is no failure.
  if (!result && result.code() == Code::kCancelled && arguments.value("watch", false))
    result = json::object();
  return answer.last(result, arguments);
}

}  // namespace

int run_verb(const ParsedCommand& command, const Composition& composition) {
  const Verb& verb = *command.verb;
  std::error_code error;
  const std::string working_directory = std::filesystem::current_path(error).string();
  const auto fail = [](const Status& status) {
    complain(printable(status.message()));
    return kExitFailed;
  };
  if (error) return fail(Status(Code::kNotFound, "the working directory is gone; cd to another one"));

  FoundLibrary found;
  const bool wants_library =
      verb.service || (verb.name == "config check" && !command.values.contains("file"));
  if (wants_library || has_option(verb, OptionSpec::Kind::kLibraryPath, command)) {
    const Result<FoundLibrary> result = find_for(command, working_directory);
    if (!result) return fail(result.status());
    found = *result;
  }
  if (verb.refuse) {
    if (const Status refused = verb.refuse(command.json); !refused) return fail(refused);
  }
  Result<json> arguments = arguments_of(command, found, working_directory);
  if (!arguments) return fail(arguments.status());
  if (verb.service) {
    log::set_level(log::Level::kError);  // what the library says while it opens is for a mount's log
    return run_service(command, found, *arguments, composition);
  }
  if (!found.library.empty()) (*arguments)["library"] = escape_name(found.library);
  FrontEnd front{composition, *arguments, CancelToken(), command.json, working_directory};
  const Result<int> code = verb.run(front);
  return code ? *code : fail(code.status());
}

}  // namespace shoebox
