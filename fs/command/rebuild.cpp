// shoebox rebuild: makes a library from the backup on a remote. With --all it brings the originals as
// well; without, they come when they are read.
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "fs/command/adopt_run.h"
#include "fs/command/arguments.h"
#include "fs/command/composition.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/remote_argument.h"
#include "fs/command/verb.h"
#include "fs/signals.h"
#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/library.h"
#include "store/sync_control.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

using nlohmann::json;

constexpr size_t kFetchers = 4;
constexpr size_t kMostShown = 20;  // paths on the terminal; all of them stand in a file

Result<std::vector<std::string>> texts_of(const json& arguments, const char* key) {
  std::vector<std::string> out;
  const auto found = arguments.find(key);
  if (found == arguments.end()) return out;
  const json list = found->is_array() ? *found : json::array({*found});
  for (const json& one : list) {
    SHOEBOX_ASSIGN(std::string text, unescape_name(one.get<std::string>()));
    out.push_back(std::move(text));
  }
  return out;
}

struct Fetched {
  uint64_t files = 0, bytes = 0;
  std::vector<std::string> failed;
};

// Brings every original that is not here, some at a time.
Result<Fetched> fetch_all(const Composition& composition, const std::string& path, const CancelToken& cancel,
                          Progress& progress) {
  OpenRequest request;
  request.library = path;
  request.background = false;
  SHOEBOX_ASSIGN(const std::unique_ptr<OpenedLibrary> opened, composition.open_library(request));
  Library& library = opened->library();
  std::vector<std::pair<ContentNo, uint64_t>> wanted;
  uint64_t total = 0;
  SHOEBOX_TRY(library.catalog().for_each_content([&](ContentNo number, const ContentRecord& content) {
    if (content.residence == Residence::kPartial) {
      wanted.emplace_back(number, content.size);
      total += content.size;
    }
    return true;
  }));
  Fetched fetched;
  Mutex mutex;
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < wanted.size() && !cancel.cancelled(); i = next++) {
      const auto& [number, size] = wanted[i];
      const Status done = fetch_whole(library, number, size, cancel);
      MutexLock lock(mutex);
      if (done) {
        ++fetched.files;
        fetched.bytes += size;
      } else if (done.code() != Code::kCancelled) {
        fetched.failed.push_back(printable(done.message()));
      }
      progress.update(fetched.files, wanted.size(),
                      fmt::format("originals, {} of {}", human_bytes(fetched.bytes), human_bytes(total)));
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kFetchers; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted; run the same command again to go on");
  return fetched;
}

// The library is there, whatever comes of it.
Status take_over(const Composition& composition, const std::string& path, const std::string& remote,
                 const CancelToken& cancel, Progress& progress) {
  OpenRequest request;
  request.library = path;
  request.background = false;
  SHOEBOX_ASSIGN(const std::unique_ptr<OpenedLibrary> opened, composition.open_library(request));
  TakeoverRequest takeover;
  takeover.remote = remote;
  return opened->sync().take_over(takeover, cancel,
                                  [&](const std::string& text, uint64_t done, uint64_t total) {
                                    progress.update(done, total, printable(text));
                                  });
}

// No copy of the catalog is left: what stands under Library/ there becomes the tree. Or one that lacks
// something, which the objects there tell.
Result<AdoptReport> from_keys(const Composition& composition, const std::string& path, RebuildResult& rebuilt,
                              const CancelToken& cancel, Progress& progress) {
  const bool mend = rebuilt.no_catalog.empty();
  progress.note(
      mend ? "what the catalog lacks is taken from the names, the heads and the sidecars of the originals "
             "there"
           : printable(fmt::format("{}; the library is made from the names, the heads and the sidecars "
                                   "of the originals there",
                                   rebuilt.no_catalog)));
  OpenRequest open;
  open.library = path;
  open.create = !mend;
  open.background = false;
  SHOEBOX_ASSIGN(const std::unique_ptr<OpenedLibrary> opened, composition.open_library(open));
  AdoptRequest request;
  request.remote = rebuilt.remote;
  request.rebuild = true;
  request.mend = mend;
  request.library_id = rebuilt.library_id;
  AdoptProgress shown;
  const auto show = [&](const json& interim) { draw(interim, progress); };
  SHOEBOX_ASSIGN(AdoptReport report,
                 run_adoption(
                     opened->library(), opened->sync(), request, cancel,
                     [&](const AdoptReport& interim) { shown.tell(interim, show); }, show));
  // Sent after the part of the backup that could be used.
  std::erase_if(rebuilt.lost, [&](const std::string& lost) {
    return opened->library().tree().resolve(lost).status().is_ok();
  });
  return report;
}

void show_adopted(const AdoptReport& report, const std::string& library) {
  say(fmt::format("{} holds what stood under Library/ on the remote: {}, {}, {}; {} of its owner were read",
                  escape_name(library), counted(report.photos, "photo"), counted(report.videos, "video"),
                  counted(report.others, "other file"), counted(report.statements, "sidecar")));
  say(fmt::format("{} there already, {} skipped, {} failed; {}, {} received of {}", report.already,
                  report.skipped, report.failed, counted(report.requests, "request"),
                  human_bytes(report.received_bytes), human_bytes(report.original_bytes)));
}

void show_paths(const std::vector<std::string>& paths, std::string_view what) {
  for (size_t i = 0; i < std::min(paths.size(), kMostShown); ++i) {
    say(fmt::format("  {}", escape_name(paths[i])));
  }
  if (paths.size() > kMostShown) {
    say(fmt::format("  and {} more {}: recovered/rebuild.txt in the library", paths.size() - kMostShown,
                    what));
  }
}

// What was damaged of the backup, and what came from elsewhere in its place.
void show_mended(const RebuildResult& result, const AdoptReport& mended) {
  say(fmt::format("{} of the backup of the catalog: what {} told of was looked for among the objects there",
                  counted(result.damaged, "damaged part"), result.damaged == 1 ? "it" : "they"));
  say(fmt::format("statements from {}; {} from keys, {} found under another key, {} failed; {}, {} received",
                  counted(mended.statements, "sidecar"),
                  counted(mended.photos + mended.videos + mended.others, "original"), mended.moved,
                  mended.failed, counted(mended.requests, "request"), human_bytes(mended.received_bytes)));
}

void show(const RebuildResult& result, const AdoptReport& mended, const std::string& library) {
  say(fmt::format("{} is as it was when it was backed up last{}", escape_name(library),
                  result.damaged > 0 ? ", as far as that can be told" : ""));
  if (result.damaged > 0) show_mended(result, mended);
  say(fmt::format("{}, {} received for the catalog and {}", counted(result.requests, "request"),
                  human_bytes(result.received_bytes), counted(result.thumbnails, "thumbnail")));
  if (!result.lost.empty()) {
    const std::string files =
        counted(result.lost.size(), "file") + (result.lost.size() == 1 ? " was" : " were");
    // Whether it had copies stood in what is damaged.
    say(result.damaged > 0 ? fmt::format("{} not found again under these names (what stands there under "
                                         "another one has one copy on the remote):",
                                         files)
                           : fmt::format("{} not backed up yet and lost:", files));
    show_paths(result.lost, "lost");
  }
  if (!result.older.empty()) {
    say(fmt::format("{} as before an edit that was not backed up yet:",
                    counted(result.older.size(), "photo")));
    show_paths(result.older, "before an edit");
  }
}

json json_of(const RebuildResult& result, const Fetched& fetched) {
  json lost = json::array();
  for (const std::string& path : result.lost) lost.push_back(escape_name(path));
  json older = json::array();
  for (const std::string& path : result.older) older.push_back(escape_name(path));
  json to_do = json::array();
  for (const std::string& line : result.to_do) to_do.push_back(printable(line));
  return {{"remote", result.remote},
          {"backed_up_at", result.backed_up_s},
          {"originals", result.originals},
          {"thumbnails", result.thumbnails},
          {"requests", result.requests},
          {"received_bytes", result.received_bytes},
          {"lost", lost},
          {"before_an_edit", older},
          {"to_do", to_do},
          {"fetched_files", fetched.files},
          {"fetched_bytes", fetched.bytes},
          {"failed", fetched.failed}};
}

Result<int> run_rebuild(FrontEnd& front) {
  log::set_level(log::Level::kError);  // what matters is told as notes
  SHOEBOX_ASSIGN(const std::vector<std::string> library, texts_of(front.arguments, "library_dir"));
  SHOEBOX_ASSIGN(const std::vector<std::string> from, texts_of(front.arguments, "from"));
  SHOEBOX_ASSIGN(const std::vector<std::string> options, texts_of(front.arguments, "options"));
  SHOEBOX_ASSIGN(const std::vector<std::string> id, texts_of(front.arguments, "id"));
  TerminationSignals signals;  // before any thread
  signals.start([cancel = front.cancel](int) { cancel.cancel(); });
  const SystemClock clock;
  Progress progress = progress_on_stderr(front.json, clock);
  RebuildPlan plan;
  plan.library = library.at(0);
  SHOEBOX_ASSIGN(plan.remote, remote_of(from.at(0), front.working_directory));
  SHOEBOX_TRY(add_remote_options(options, plan.remote));
  if (!id.empty()) plan.id = id.at(0);
  plan.cancel = front.cancel;
  plan.progress = [&](std::string_view text, uint64_t done, uint64_t total) {
    progress.update(done, total, text);
  };
  plan.note = [&](const std::string& line) { progress.note(printable(line)); };
  SHOEBOX_ASSIGN(RebuildResult result, front.composition.rebuild(plan));
  AdoptReport adopted;
  if (!result.no_catalog.empty() || result.damaged > 0) {
    SHOEBOX_ASSIGN(adopted, from_keys(front.composition, plan.library, result, front.cancel, progress));
  }
  Fetched fetched;
  if (front.arguments.value("all", false)) {
    SHOEBOX_ASSIGN(fetched, fetch_all(front.composition, plan.library, front.cancel, progress));
  }
  SHOEBOX_TRY(front.composition.finish_rebuild(plan.library));
  Status taken_over;
  if (front.arguments.value("takeover", false)) {
    taken_over = take_over(front.composition, plan.library, result.remote, front.cancel, progress);
  }
  progress.clear();
  if (front.json && (!result.no_catalog.empty() || result.damaged > 0)) {
    json told = json_of(result, fetched);
    told["adopted"] = json_of(adopted);
    told["adopted"]["statements"] = adopted.statements;
    if (result.no_catalog.empty()) {
      told["adopted"]["moved"] = adopted.moved;
      told["damaged_parts"] = result.damaged;
    } else {
      told["no_catalog"] = printable(result.no_catalog);
    }
    say(told.dump(2, ' ', false, json::error_handler_t::replace));
  } else if (front.json) {
    say(json_of(result, fetched).dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    if (result.no_catalog.empty()) {
      show(result, adopted, plan.library);
    } else {
      show_adopted(adopted, plan.library);
    }
    if (fetched.files > 0) {
      say(fmt::format("{} fetched, {}", counted(fetched.files, "original"), human_bytes(fetched.bytes)));
    }
  }
  for (const std::string& line : result.to_do) complain(printable(line));
  for (const std::string& failed : fetched.failed) complain(failed);
  if (!taken_over) {
    complain(printable(taken_over.message()));
    return 1;
  }
  return fetched.failed.empty() && adopted.failed == 0 ? 0 : 1;
}

}  // namespace

Verb rebuild_verb() {
  Verb verb;
  verb.name = "rebuild";
  verb.summary = "make a library anew from its backup, after this disk was lost";
  verb.examples =
      "  shoebox rebuild --from /mnt/nas/photos --takeover ~/.photos && shoebox mount ~/.photos ~/Photos\n"
      "                               names, albums, people and thumbnails at once, originals when read\n"
      "  shoebox rebuild --from s3://bucket/photos --option endpoint=https://s3.example.org ~/.photos --all\n"
      "                               every original as well\n";
  verb.options = {
      {"LIBRARY", "library_dir", OptionSpec::Kind::kLocalPath, "LIBRARY",
       "a new folder; one that holds something is refused", true},
      {"--from", "from", OptionSpec::Kind::kText, "URL",
       fmt::format("where the backup is: a folder, {}", kUrlKinds), true},
      {"--option", "options", OptionSpec::Kind::kText, "KEY=VALUE",
       "a key of [[remote]] in shoebox.toml, such as endpoint or credentials_file", false, true},
      {"--id", "id", OptionSpec::Kind::kText, "ID",
       "which library, where several are backed up to one place"},
      {"--all", "all", OptionSpec::Kind::kFlag, "", "bring all originals now"},
      {"--takeover", "takeover", OptionSpec::Kind::kFlag, "",
       "write there from now on, in place of the machine that is gone (shoebox remote takeover)"},
  };
  verb.run = run_rebuild;
  return verb;
}

}  // namespace shoebox
