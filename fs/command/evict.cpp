// shoebox evict: lets originals leave this disk that are backed up often enough.
// Arguments {"paths": [...]} or {"all": true} or {"older": "30d"}; answer {"evicted", "freed_bytes",
// "kept": [{"path", "why"}], "kept_count"}, and for paths "small": how many stay whole as they are small, and
// "gone": of how many nothing was left to leave.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/content_name.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/verb.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/evictor.h"
#include "store/library.h"

namespace shoebox {
namespace {

using nlohmann::json;

// More would be read by nobody; how many there are is told exactly.
constexpr size_t kMostKept = 1000;

class EvictReport {
 public:
  void kept(const std::string& path, ContentNo content, std::string why) {
    // Its number in the catalog says nothing to whoever knows its path.
    const std::string number = fmt::format("content {}: ", content.value);
    if (why.starts_with(number)) why.erase(0, number.size());
    if (kept_.size() < kMostKept) kept_.push_back({{"path", escape_name(path)}, {"why", printable(why)}});
    ++kept_count_;
  }
  json result(uint64_t evicted, uint64_t freed_bytes) const {
    return {{"evicted", evicted}, {"freed_bytes", freed_bytes}, {"kept", kept_}, {"kept_count", kept_count_}};
  }

 private:
  json kept_ = json::array();
  uint64_t kept_count_ = 0;
};

Result<json> evict_paths(ServiceContext& context, const std::vector<std::string>& paths) {
  Library& library = context.library;
  SHOEBOX_ASSIGN(const std::vector<FoundFile> files, files_below(library, paths, context.cancel));
  EvictReport report;
  uint64_t evicted = 0;
  uint64_t freed = 0;
  uint64_t small = 0;
  uint64_t gone = 0;  // left before
  size_t done = 0;
  while (done < files.size()) {
    if (context.cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    const size_t end = std::min<size_t>(files.size(), done + ContentStore::kEvictTogether);
    std::vector<ContentNo> together;
    std::map<ContentNo, uint64_t> before;  // twins share their bytes
    for (size_t i = done; i < end; ++i) {
      const Result<uint64_t> local = library.contents().local_bytes(files[i].content);
      together.push_back(files[i].content);
      if (local) before.emplace(files[i].content, *local);
    }
    const std::vector<Status> statuses = library.evictor().evict(together);
    for (size_t i = done; i < end; ++i) {
      const FoundFile& file = files[i];
      if (const Status& status = statuses[i - done]; !status) {
        report.kept(file.path, file.content, status.message());
        continue;
      }
      const Result<uint64_t> after = library.contents().local_bytes(file.content);
      const auto counted_before = before.find(file.content);
      if (counted_before == before.end() || !after || *after >= counted_before->second) {
        ++(file.size <= kKeepWholeBytes ? small : gone);
        continue;
      }
      ++evicted;
      freed += counted_before->second - *after;
      before.erase(counted_before);
    }
    done = end;
    context.progress(interim(done, files.size(), human_bytes(freed) + " freed"));
  }
  json result = report.result(evicted, freed);
  result["small"] = small;
  result["gone"] = gone;
  return result;
}

Result<json> evict_old(ServiceContext& context, int64_t older_than_s) {
  const Evictor::Outcome outcome = context.library.evictor().evict_all(
      older_than_s,
      [&](uint64_t done, uint64_t total) { context.progress(interim(done, total, "evicting")); });
  EvictReport report;
  size_t named = 0;
  for (const auto& [content, why] : outcome.kept) {
    report.kept(named++ < kMostKept ? name_of_content(context.library, content) : std::string(), content,
                why);
  }
  return report.result(outcome.evicted, outcome.freed_bytes);
}

Result<json> evict(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const std::vector<std::string> paths, names_argument(arguments, "paths"));
  SHOEBOX_ASSIGN(const bool all, flag_argument(arguments, "all"));
  SHOEBOX_ASSIGN(const std::optional<std::string> older, text_argument(arguments, "older"));
  const int ways = (paths.empty() ? 0 : 1) + (all ? 1 : 0) + (older ? 1 : 0);
  if (ways != 1) return Status(Code::kInvalid, "say what to evict: PATH, --all or --older AGE, one of them");
  if (context.library.read_only()) return Status(Code::kReadOnly, "the library is read-only");
  if (!paths.empty()) return evict_paths(context, paths);
  int64_t older_than_s = 0;
  if (older) {
    SHOEBOX_ASSIGN(older_than_s, parse_duration_s(*older));
  }
  return evict_old(context, older_than_s);
}

// "kept 9: not decoded yet", one line for each reason.
void print_reasons(const json& kept) {
  std::map<std::string, uint64_t> reasons;
  for (const json& one : kept) ++reasons[one.value("why", "")];
  for (const auto& [why, count] : reasons) complain(fmt::format("kept {}: {}", count, why));
}

void print_evict(const json& result, const json& arguments) {
  const auto kept = result.value("kept_count", uint64_t{0});
  const auto small = result.value("small", uint64_t{0});
  say(fmt::format("{} evicted, {} freed{}{}", counted(result.value("evicted", uint64_t{0}), "original"),
                  human_bytes(result.value("freed_bytes", uint64_t{0})),
                  kept == 0 ? "" : fmt::format(", {} kept", kept),
                  small == 0 ? "" : fmt::format(", {} of 256 KiB or less stay whole", small)));
  // With --all much may rightly stay; only who named a path wants to know of each.
  if (!arguments.contains("paths")) return print_reasons(result.at("kept"));
  for (const json& one : result.at("kept")) {
    complain(fmt::format("kept {}: {}", one.value("path", ""), one.value("why", "")));
  }
}

// Nothing of what was named could go. Small ones are no failure beside others that left before.
int exit_code(const json& result) {
  if (result.value("evicted", uint64_t{0}) > 0) return 0;
  if (result.value("kept_count", uint64_t{0}) > 0) return 1;
  return result.value("small", uint64_t{0}) > 0 && result.value("gone", uint64_t{0}) == 0 ? 1 : 0;
}

}  // namespace

Verb evict_verb() {
  Verb verb;
  verb.name = "evict";
  verb.summary =
      "let originals leave this disk that are backed up; they stay in place and come back when read";
  verb.examples =
      "  shoebox evict Library/2019              a folder\n"
      "  shoebox evict ~/Photos/Albums/Wedding   a folder of any view\n"
      "  shoebox evict --older 30d               what nobody read for 30 days\n"
      "  shoebox evict --all                     everything that is backed up and not pinned\n";
  verb.options = {
      {"PATH", "paths", OptionSpec::Kind::kLibraryPath, "PATH", "files and folders of the drive", false,
       true},
      {"--all", "all", OptionSpec::Kind::kFlag, "", "everything that may go"},
      {"--older", "older", OptionSpec::Kind::kText, "AGE", "what was not read for AGE: 30d, 12h"},
  };
  verb.service = evict;
  verb.print = print_evict;
  verb.exit_code = exit_code;
  return verb;
}

}  // namespace shoebox
