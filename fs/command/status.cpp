// shoebox status: how things are, once or every second. Arguments {"watch": bool}; answer as
// STATUS.md says, with "watch" an interim answer a second until the asker goes.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/remote_json.h"
#include "fs/command/verb.h"
#include "store/base/file_io.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/files.h"
#include "store/importer.h"
#include "store/library.h"
#include "store/outbox.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kLookForCancel{100};
constexpr std::chrono::seconds kWatchEvery{1};

// Reads the whole catalog: asked for once, not every second.
Status add_counts(Library& library, json& out) {
  uint64_t photos = 0;
  uint64_t videos = 0;
  SHOEBOX_TRY(library.catalog().for_each_photo([&](PhotoId, const PhotoRecord& photo) {
    if (photo.info.kind == MediaKind::kPhoto) ++photos;
    if (photo.info.kind == MediaKind::kVideo) ++videos;
    return true;
  }));
  uint64_t originals = 0;
  uint64_t bytes = 0;
  uint64_t remote_only = 0;
  uint64_t pinned = 0;
  SHOEBOX_TRY(library.catalog().for_each_content([&](ContentNo, const ContentRecord& content) {
    ++originals;
    bytes += content.size;
    if (content.residence == Residence::kPartial) ++remote_only;
    if (content.pinned) ++pinned;
    return true;
  }));
  uint64_t in_trash = 0;
  SHOEBOX_TRY(library.catalog().for_each_trash([&](InodeNo, const TrashRecord&) {
    ++in_trash;
    return true;
  }));
  out.update({{"photos", photos},
              {"videos", videos},
              {"originals", originals},
              {"originals_bytes", bytes},
              {"remote_only", remote_only},
              {"pinned", pinned},
              {"in_trash", in_trash}});
  return Status::ok();
}

// Why nothing changes here, and what follows; "" where something may.
std::string why_read_only(const ServiceContext& context) {
  const Library& library = context.library;
  if (!library.read_only()) return "";
  if (library.follows())
    return "another machine writes this library; it is shown here and only changes there";
  const bool disk = ::access(library.path().c_str(), W_OK) != 0 && errno == EROFS;
  return fmt::format("{}: nothing is changed, decoded, sent or evicted until {}",
                     disk ? "the disk of the library is read-only" : "it is mounted with -o ro",
                     disk ? "it can be written" : "it is mounted without");
}

Result<json> snapshot(ServiceContext& context, bool counts) {
  Library& library = context.library;
  SHOEBOX_ASSIGN(const std::vector<RemoteStatus> remotes, context.sync.status());
  SHOEBOX_ASSIGN(const Outbox::KeptHere kept, library.outbox().kept_here());
  const Result<DiskSpace> disk = disk_space(library.path());
  const std::string read_only = why_read_only(context);
  json out = {{"library", escape_name(library.path())},
              {"mountpoint", escape_name(context.mountpoint)},
              {"read_only", library.read_only()},
              {"read_only_because", read_only},
              {"local_bytes", library.local_bytes()},
              {"cache_limit_bytes", library.settings().cache.in_bytes(disk ? disk->total_bytes : 0)},
              {"disk_free_bytes", disk ? disk->free_bytes : 0},
              {"copies", library.settings().copies},
              {"opens_passed_through", library.files().counters().passed},
              {"not_decoded", library.files().sealing() + library.importer().pending()},
              {"kept_here", kept.files},
              {"kept_here_bytes", kept.bytes},
              {"warnings", library.settings().warnings()},
              {"remotes", json_of(remotes)}};
  if (counts) SHOEBOX_TRY(add_counts(library, out));
  return out;
}

// Sleeps up to a second; false when the asker went away.
bool next_second(const CancelToken& cancel) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto until = std::chrono::steady_clock::now() + kWatchEvery;
  while (std::chrono::steady_clock::now() < until) {
    if (cancel.cancelled()) return false;
    never.wait_for(lock, kLookForCancel);
  }
  return !cancel.cancelled();
}

Result<json> status(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const bool watch, flag_argument(arguments, "watch"));
  if (!watch) return snapshot(context, true);
  for (bool first = true;; first = false) {
    SHOEBOX_ASSIGN(json now, snapshot(context, first));
    context.progress(now);
    if (!next_second(context.cancel)) return now;
  }
}

void print_status(const json& result, const json& arguments) {
  if (arguments.value("watch", false)) return;  // it was all shown
  const std::string mountpoint = result.value("mountpoint", "");
  say(fmt::format("library    {}, {}{}", result.value("library", ""),
                  mountpoint.empty() ? "not mounted" : "mounted on " + mountpoint,
                  result.value("read_only", false) ? ", read-only" : ""));
  if (const std::string why = result.value("read_only_because", ""); !why.empty()) say("read-only  " + why);
  say(fmt::format("photos     {}, {}; {} in trash", counted(result.value("photos", uint64_t{0}), "photo"),
                  counted(result.value("videos", uint64_t{0}), "video"),
                  result.value("in_trash", uint64_t{0})));
  say(fmt::format("originals  {}, {}; {} on remotes only, {} pinned", result.value("originals", uint64_t{0}),
                  human_bytes(result.value("originals_bytes", uint64_t{0})),
                  result.value("remote_only", uint64_t{0}), result.value("pinned", uint64_t{0})));
  say(fmt::format("this disk  {} of {} allowed, {} free",
                  human_bytes(result.value("local_bytes", uint64_t{0})),
                  human_bytes(result.value("cache_limit_bytes", uint64_t{0})),
                  human_bytes(result.value("disk_free_bytes", uint64_t{0}))));
  if (const auto waiting = result.value("not_decoded", uint64_t{0}); waiting > 0) {
    say(fmt::format("decoding   {} to go", waiting));
  }
  if (const auto kept = result.value("kept_here", uint64_t{0}); kept > 0) {
    say(fmt::format(
        "kept here  {} ({}) that no remote gets because of {}: hidden, temporary or a desktop's own",
        counted(kept, "file"), human_bytes(result.value("kept_here_bytes", uint64_t{0})),
        kept == 1 ? "its name" : "their names"));
  }
  for (const json& remote : result.at("remotes")) say(remote_line(remote));
  for (const json& warning : result.at("warnings")) say("warning    " + warning.get<std::string>());
}

}  // namespace

Verb status_verb() {
  Verb verb;
  verb.name = "status";
  verb.summary = "what is backed up, what waits and why, and what is on this disk";
  verb.examples =
      "  shoebox status\n"
      "  shoebox status --watch                             go on showing it, until Ctrl-C\n"
      "  shoebox status --json | jq .remotes[].pending_files   for scripts; fs/command/STATUS.md tells the "
      "keys\n";
  verb.options = {
      {"--watch", "watch", OptionSpec::Kind::kFlag, "", "show it every second until interrupted"}};
  verb.service = status;
  verb.print = print_status;
  verb.interim_progress = [](const json& now) -> json {
    uint64_t pending = 0;
    uint64_t backed_up = 0;
    std::string text;
    for (const json& remote : now.at("remotes")) {
      pending += remote.value("pending_files", uint64_t{0});
      backed_up += remote.value("backed_up_files", uint64_t{0});
      text += fmt::format("{}{}: {} pending ({})", text.empty() ? "" : "; ", remote.value("name", ""),
                          remote.value("pending_files", uint64_t{0}),
                          human_bytes(remote.value("pending_bytes", uint64_t{0})));
      if (const std::string why = remote.value("waiting_for", ""); !why.empty()) text += ", waits: " + why;
    }
    text += fmt::format("{}{} on this disk", text.empty() ? "" : "; ",
                        human_bytes(now.value("local_bytes", uint64_t{0})));
    return interim(backed_up, backed_up + pending, text);
  };
  return verb;
}

}  // namespace shoebox
