// The only file that knows CLI11: turns the table of verbs into its subcommands, and what it parsed
// into a ParsedCommand.
#include "fs/command/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "fs/command/composition.h"
#include "fs/command/escape.h"
#include "fs/command/front_end.h"
#include "fs/command/verb.h"

#ifndef SHOEBOX_VERSION
#define SHOEBOX_VERSION "0.1.0"
#endif

namespace shoebox {
namespace {

// CLI11 takes "[a,b]" for a list and "{}" for an empty one. A file may be called so: such words get a
// mark before they are parsed and lose it after.
constexpr char kMark = '\x01';

std::string shielded(const std::string& word) {
  const bool list = word.size() >= 2 && word.front() == '[' && word.back() == ']';
  const bool marked = !word.empty() && word.front() == kMark;
  return list || marked || word == "{}" || word == "%%" ? kMark + word : word;
}

std::string unshielded(const std::string& word) {
  return !word.empty() && word.front() == kMark ? word.substr(1) : word;
}

const char* group_summary(std::string_view group) {
  if (group == "backup") return "wait for the backup, pause it, resume it, hurry it";
  if (group == "remote") return "add, take out, list, test or take over the places that are backed up to";
  if (group == "trash") return "list, put back or remove for good what was deleted";
  return "check the settings";
}

class CommandLine {
 public:
  CommandLine() : app_("Shoebox: a photo library that is a drive", "shoebox") {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "shoebox " SHOEBOX_VERSION);
    app_.set_help_flag("-h,--help", "print this help");
    app_.footer("See shoebox VERB --help, and shoebox(1).");
    for (const Verb& verb : verbs()) add(verb);
  }

  CLI::App& app() { return app_; }

  CLI::App* find(const std::string& verb) {
    for (Slot& slot : slots_) {
      if (slot.verb->name == verb) return slot.app;
    }
    return nullptr;
  }

  std::optional<ParsedCommand> parsed() const {
    for (const Slot& slot : slots_) {
      if (!slot.app->parsed()) continue;
      ParsedCommand command;
      command.verb = slot.verb;
      command.json = slot.json;
      command.library = unshielded(slot.library);
      for (const auto& [spec, option] : slot.options) {
        if (option->count() == 0) continue;
        std::vector<std::string>& values = command.values[spec->key];
        if (spec->kind == OptionSpec::Kind::kFlag) continue;
        for (const std::string& word : option->results()) values.push_back(unshielded(word));
      }
      return command;
    }
    return std::nullopt;
  }

 private:
  struct Slot {
    const Verb* verb = nullptr;
    CLI::App* app = nullptr;
    std::string library;
    bool json = false;
    std::vector<std::pair<const OptionSpec*, CLI::Option*>> options;
  };

  CLI::App* group(const std::string& name) {
    CLI::App*& made = groups_[name];
    if (made != nullptr) return made;
    made = app_.add_subcommand(name, group_summary(name));
    made->require_subcommand(1);
    made->set_help_flag("-h,--help", "print this help");
    made->footer("Examples:\n");  // of its verbs, as they come
    return made;
  }

  void add(const Verb& verb) {
    Slot& slot = slots_.emplace_back();
    slot.verb = &verb;
    const size_t blank = verb.name.find(' ');
    CLI::App* parent = blank == std::string::npos ? &app_ : group(verb.name.substr(0, blank));
    slot.app = parent->add_subcommand(blank == std::string::npos ? verb.name : verb.name.substr(blank + 1),
                                      verb.summary);
    slot.app->set_help_flag("-h,--help", "print this help");
    slot.app->footer("Examples:\n" + verb.examples);
    if (parent != &app_) parent->footer(parent->get_footer() + verb.examples);
    for (const OptionSpec& spec : verb.options) slot.options.emplace_back(&spec, add_option(*slot.app, spec));
    if (verb.name != "mount" && verb.name != "rebuild") {  // which name it anyway
      slot.app
          ->add_option("--library", slot.library, "the library (else SHOEBOX_LIBRARY, else found by path)")
          ->type_name("DIR");
    }
    slot.app->add_flag("--json", slot.json, "print the answer as JSON");
  }

  static CLI::Option* add_option(CLI::App& app, const OptionSpec& spec) {
    if (spec.kind == OptionSpec::Kind::kFlag) return app.add_flag(spec.name, spec.help);
    CLI::Option* option = app.add_option(
        spec.name, [](const CLI::results_t&) { return true; }, spec.help);
    option->type_name(spec.name == spec.value ? "" : spec.value);
    // An option that may be given several times takes one word each time; else it would eat the paths.
    const bool positional = !spec.name.starts_with('-');
    if (spec.many) option->expected(1, positional ? CLI::detail::expected_max_vector_size : 1);
    if (spec.many) option->take_all()->allow_extra_args(positional);
    if (spec.required) option->required();
    return option;
  }

  CLI::App app_;
  std::map<std::string, CLI::App*> groups_;
  std::deque<Slot> slots_;  // a deque: CLI11 holds addresses of what is in it
};

std::string one_line(std::string text) {
  for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) text[at] = ' ';
  return text;
}

// What is wrong with the verb of a command line; empty: nothing.
std::string unknown_verb(const std::vector<std::string>& words) {
  if (words.empty() || words[0].starts_with("-")) return "";
  const auto any_begins = [](const std::string& name) {
    return std::any_of(verbs().begin(), verbs().end(), [&](const Verb& verb) {
      return verb.name == name || verb.name.starts_with(name + " ");
    });
  };
  if (!any_begins(words[0])) {
    return fmt::format("\"{}\" is no verb; see shoebox --help", printable(unshielded(words[0])));
  }
  const bool is_group =
      std::none_of(verbs().begin(), verbs().end(), [&](const Verb& verb) { return verb.name == words[0]; });
  if (!is_group || words.size() < 2 || words[1].starts_with("-") || any_begins(words[0] + " " + words[1])) {
    return "";
  }
  return fmt::format("{} has no \"{}\"; see shoebox {} --help", words[0], printable(unshielded(words[1])),
                     words[0]);
}

}  // namespace

std::vector<std::string> plain_arguments(const std::vector<std::string>& argv) {
  const std::string& name = argv.at(0);
  const size_t slash = name.rfind('/');
  const std::string base = slash == std::string::npos ? name : name.substr(slash + 1);
  std::vector<std::string> rest(argv.begin() + 1, argv.end());
  const bool helper = base.starts_with("mount.");
  // What mount.fuse runs: no verb is an absolute path.
  const bool by_mount_fuse = rest.size() >= 2 && rest[0].starts_with("/") && rest[1].starts_with("/");
  if (!helper && !by_mount_fuse) return rest;
  std::vector<std::string> out = {"mount"};
  for (size_t i = 0; i < rest.size(); ++i) {
    const std::string& word = rest[i];
    if (word == "-o" && i + 1 < rest.size()) {
      out.insert(out.end(), {"-o", rest[++i]});
    } else if ((word == "-t" || word == "-N") && i + 1 < rest.size()) {
      ++i;  // the type, which is ours, and a namespace that mount(8) has entered already
    } else if (helper && word.size() > 1 && word[0] == '-' && word[1] != '-' && word[1] != 'o') {
      // -s sloppy, -n no mtab, -v verbose, -f fake
      if (word.find('f') != std::string::npos) return {"--fake"};
    } else {
      out.push_back(word);
    }
  }
  return out;
}

std::string help_text(const std::string& verb) {
  CommandLine line;
  if (verb.empty()) return line.app().help();
  CLI::App* app = line.find(verb);
  return app == nullptr ? "" : app->help();
}

int run_command_line(int argc, char** argv, const Composition& composition) {
  try {
    std::vector<std::string> words = plain_arguments(std::vector<std::string>(argv, argv + argc));
    if (words.size() == 1 && words[0] == "--fake") return 0;
    if (words.empty()) words = {"--help"};
    for (std::string& word : words) word = shielded(word);
    const std::vector<std::string> typed = words;
    std::reverse(words.begin(), words.end());  // as CLI11 wants it
    CommandLine line;
    try {
      line.app().parse(words);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) return line.app().exit(error);  // --help, --version
      const std::string unknown = unknown_verb(typed);
      complain(unknown.empty() ? fmt::format("{}; see shoebox --help", printable(one_line(error.what())))
                               : unknown);
      return kExitUsage;
    }
    const std::optional<ParsedCommand> command = line.parsed();
    if (!command) {
      complain("no verb; see shoebox --help");
      return kExitUsage;
    }
    return run_verb(*command, composition);
  } catch (const std::exception& error) {
    complain(printable(one_line(error.what())));
    return kExitFailed;
  }
}

}  // namespace shoebox
