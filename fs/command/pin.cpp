// shoebox pin, unpin: originals that stay on this disk whatever the cache limit. Pinning fetches
// what is not here. Arguments {"paths": [...], "no_fetch": bool}; answer {"files", "fetched_bytes",
// "failed": [{"path", "why"}]}.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/verb.h"
#include "store/content/content_store.h"
#include "store/evictor.h"
#include "store/library.h"

namespace shoebox {
namespace {

using nlohmann::json;

Result<uint64_t> fetch_missing(ServiceContext& context, const FoundFile& file) {
  SHOEBOX_ASSIGN(const std::vector<ByteRange> gaps,
                 context.library.contents().missing(file.content, {0, file.size}));
  uint64_t bytes = 0;
  for (const ByteRange& gap : gaps) bytes += std::min(gap.end, file.size) - gap.begin;
  SHOEBOX_TRY(fetch_whole(context.library, file.content, file.size, context.cancel));
  return bytes;
}

Result<json> set_pins(ServiceContext& context, const json& arguments, bool pinned) {
  SHOEBOX_ASSIGN(const std::vector<std::string> paths, names_argument(arguments, "paths"));
  SHOEBOX_ASSIGN(const bool no_fetch, flag_argument(arguments, "no_fetch"));
  if (paths.empty()) return Status(Code::kInvalid, "name at least one PATH");
  if (context.library.read_only()) return Status(Code::kReadOnly, "the library is read-only");
  SHOEBOX_ASSIGN(const std::vector<FoundFile> files, files_below(context.library, paths, context.cancel));
  uint64_t done = 0;
  uint64_t changed = 0;
  uint64_t fetched = 0;
  json failed = json::array();
  // All pins first: what the cache limit lets go of while others are fetched must not be these.
  for (const FoundFile& file : files) {
    const Status status = context.library.evictor().pin(file.content, pinned);
    if (!status) {
      failed.push_back({{"path", escape_name(file.path)}, {"why", printable(status.message())}});
    } else {
      ++changed;
    }
  }
  for (const FoundFile& file : files) {
    if (!pinned || no_fetch) break;
    if (context.cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    const Result<uint64_t> bytes = fetch_missing(context, file);
    if (!bytes) {
      failed.push_back({{"path", escape_name(file.path)}, {"why", printable(bytes.status().message())}});
    } else {
      fetched += *bytes;
    }
    context.progress(interim(++done, files.size(), human_bytes(fetched) + " fetched"));
  }
  return json{{"files", changed}, {"fetched_bytes", fetched}, {"failed", failed}};
}

void print_pinned(const json& result, bool pinned) {
  const auto fetched = result.value("fetched_bytes", uint64_t{0});
  say(fmt::format("{} {}{}", counted(result.value("files", uint64_t{0}), "original"),
                  pinned ? "pinned" : "unpinned",
                  fetched == 0 ? "" : fmt::format(", {} fetched", human_bytes(fetched))));
  for (const json& one : result.at("failed")) {
    complain(fmt::format("{}: {}", one.value("path", ""), one.value("why", "")));
  }
}

int exit_code(const json& result) { return result.at("failed").empty() ? 0 : 1; }

}  // namespace

std::vector<Verb> pin_verbs() {
  const OptionSpec paths{
      "PATH", "paths", OptionSpec::Kind::kLibraryPath, "PATH", "files and folders of the drive", true, true};
  Verb pin;
  pin.name = "pin";
  pin.summary = "keep originals on this disk, fetching what is not here";
  pin.examples =
      "  shoebox pin Albums/Wedding      for the flight\n"
      "  shoebox pin People/Anna         a folder of any view\n";
  pin.options = {
      paths, {"--no-fetch", "no_fetch", OptionSpec::Kind::kFlag, "", "keep what is here, fetch nothing now"}};
  pin.service = [](ServiceContext& context, const json& arguments) {
    return set_pins(context, arguments, true);
  };
  pin.print = [](const json& result, const json&) { print_pinned(result, true); };
  pin.exit_code = exit_code;

  Verb unpin;
  unpin.name = "unpin";
  unpin.summary = "let originals be evicted again";
  unpin.examples = "  shoebox unpin Albums/Wedding\n";
  unpin.options = {paths};
  unpin.service = [](ServiceContext& context, const json& arguments) {
    return set_pins(context, arguments, false);
  };
  unpin.print = [](const json& result, const json&) { print_pinned(result, false); };
  unpin.exit_code = exit_code;
  return {pin, unpin};
}

}  // namespace shoebox
