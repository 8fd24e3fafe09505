// shoebox fsck: checks the catalog's cross-references and the bytes on this disk.
// Arguments {"read_data": bool, "repair": bool}; answer {"rows", "contents", "read_bytes",
// "problems": [{"what", "repairable", "repaired"}], "unrepaired"}.
#include "store/catalog/fsck.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/content_name.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/verb.h"
#include "store/catalog/catalog.h"
#include "store/check_contents.h"
#include "store/content/content_store.h"
#include "store/library.h"

namespace shoebox {
namespace {

using nlohmann::json;

constexpr size_t kMostProblems = 20'000;

class ProblemList {
 public:
  void add(const std::string& what, bool repairable, bool repaired) {
    if (!repaired) ++unrepaired_;
    ++count_;
    if (problems_.size() < kMostProblems) {
      problems_.push_back({{"what", printable(what)}, {"repairable", repairable}, {"repaired", repaired}});
    }
  }
  [[nodiscard]] json result(uint64_t rows, uint64_t contents, uint64_t read_bytes) const {
    return {{"rows", rows},          {"contents", contents},    {"read_bytes", read_bytes},
            {"problems", problems_}, {"problem_count", count_}, {"unrepaired", unrepaired_}};
  }

 private:
  json problems_ = json::array();
  uint64_t count_ = 0;
  uint64_t unrepaired_ = 0;
};

// Drops the rotten blocks and fetches them again. Without a copy anywhere nothing is dropped: wrong
// bytes may still be most of a photo.
bool repair_content(ServiceContext& context, ContentNo number, std::string& what) {
  Library& library = context.library;
  const Result<std::vector<std::pair<std::string, RemoteCopy>>> copies = library.catalog().copies(number);
  if (!copies || copies->empty()) {
    what += "; no remote has a copy, left as it is";
    return false;
  }
  const Result<uint64_t> dropped = library.contents().discard_rotten(number);
  if (!dropped) {
    what += "; " + dropped.status().message();
    return false;
  }
  const Result<std::optional<ContentRecord>> record = library.catalog().content(number);
  if (!record || !record->has_value()) return true;  // deleted meanwhile
  const Status fetched = fetch_whole(library, number, (*record)->size, context.cancel);
  if (!fetched) {
    // No harm is left: the rotten bytes are gone, a read fetches good ones.
    what += "; the rotten blocks are dropped and will be fetched when read: " + fetched.message();
    return true;
  }
  what += "; fetched again";
  return true;
}

Result<json> fsck(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const bool read_data, flag_argument(arguments, "read_data"));
  SHOEBOX_ASSIGN(const bool repair, flag_argument(arguments, "repair"));
  Library& library = context.library;
  if (repair && library.read_only())
    return Status(Code::kReadOnly, "the library is read-only: nothing can be repaired");

  ProblemList report;
  FsckOptions options;
  options.repair = repair;
  options.has_files = [&](ContentNo number, const ContentRecord& record) {
    return has_files(library.contents(), number, record);
  };
  options.progress = [&](uint64_t rows) {
    context.progress(interim(0, 0, fmt::format("catalog: {} rows", rows)));
  };
  SHOEBOX_ASSIGN(const FsckReport catalog, check_catalog(library.catalog(), options));
  for (const FsckProblem& problem : catalog.problems)
    report.add(problem.what, problem.repairable, problem.repaired);

  std::vector<std::pair<ContentNo, ContentRecord>> contents;
  uint64_t total_bytes = 0;
  SHOEBOX_TRY(library.catalog().for_each_content([&](ContentNo number, const ContentRecord& record) {
    if (record.state == ContentState::kSealed) {
      contents.emplace_back(number, record);
      total_bytes += record.size;
    }
    return true;
  }));
  uint64_t read_bytes = 0;
  for (const auto& [number, record] : contents) {
    if (!read_data) break;
    if (context.cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    const Result<uint64_t> rotten =
        count_rotten(library.catalog(), library.contents(), number, record, context.cancel,
                     [&](uint64_t bytes) { read_bytes += bytes; });
    context.progress(interim(read_bytes, total_bytes, human_bytes(read_bytes) + " read"));
    if (!rotten && rotten.code() == Code::kCancelled) return rotten.status();
    // Deleted or evicted while we looked, or told by check_catalog already.
    if (!rotten && rotten.code() == Code::kNotFound) continue;
    if (rotten && *rotten == 0) continue;
    std::string what = name_of_content(library, number) + ": ";
    what +=
        rotten ? fmt::format("{} rotten on this disk", counted(*rotten, "block")) : rotten.status().message();
    const Result<std::vector<std::pair<std::string, RemoteCopy>>> copies = library.catalog().copies(number);
    const bool repairable = rotten.is_ok() && copies && !copies->empty();
    const bool repaired = repair && rotten.is_ok() && repair_content(context, number, what);
    report.add(what, repairable, repaired);
  }
  if (repair) {
    SHOEBOX_TRY(library.catalog().sync());
    library.catalog().wait_for_observers();  // whoever reads now reads what was repaired
  }
  return report.result(catalog.rows, contents.size(), read_bytes);
}

void print_fsck(const json& result, const json& arguments) {
  for (const json& problem : result.at("problems")) {
    const char* state = problem.value("repaired", false)     ? "repaired: "
                        : problem.value("repairable", false) ? "repairable: "
                                                             : "problem: ";
    say(state + problem.value("what", ""));
  }
  const auto unrepaired = result.value("unrepaired", uint64_t{0});
  std::string line = fmt::format("{} rows and {} checked", result.value("rows", uint64_t{0}),
                                 counted(result.value("contents", uint64_t{0}), "original"));
  if (arguments.value("read_data", false)) {
    line += fmt::format(", {} read", human_bytes(result.value("read_bytes", uint64_t{0})));
  }
  line += result.value("problem_count", uint64_t{0}) == 0
              ? ", all is well"
              : fmt::format(", {} left", counted(unrepaired, "problem"));
  if (unrepaired > 0 && !arguments.value("repair", false)) line += "; try --repair";
  say(line);
}

}  // namespace

Verb fsck_verb() {
  Verb verb;
  verb.name = "fsck";
  verb.summary = "check the catalog and the bytes on this disk";
  verb.examples =
      "  shoebox fsck                        every cross-reference, every file there and of its size\n"
      "  shoebox fsck --read-data            hash every original on this disk as well\n"
      "  shoebox fsck --read-data --repair   and fetch rotten ones again from a remote\n";
  verb.options = {
      {"--read-data", "read_data", OptionSpec::Kind::kFlag, "",
       "read every byte on this disk and compare its hash"},
      {"--repair", "repair", OptionSpec::Kind::kFlag, "",
       "repair what can be; nothing is ever deleted for it"},
  };
  verb.service = fsck;
  verb.print = print_fsck;
  verb.exit_code = [](const json& result) { return result.value("unrepaired", uint64_t{0}) == 0 ? 0 : 1; };
  return verb;
}

}  // namespace shoebox
