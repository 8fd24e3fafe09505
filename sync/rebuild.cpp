#include "sync/rebuild.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "store/base/file_io.h"
#include "store/base/kill_point.h"
#include "store/catalog/backup_import.h"
#include "store/catalog/backup_prune.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/library.h"
#include "store/library_lock.h"
#include "store/settings_backup.h"
#include "store/thumbnails/thumbnails.h"
#include "sync/counted_remote.h"
#include "sync/known_head.h"
#include "sync/rebuild_fetch.h"
#include "sync/thumbnail_cut.h"
#include "sync/time_text.h"

namespace shoebox {
namespace {

namespace filesystem = std::filesystem;

constexpr const char* kSegments = "/segments";
constexpr const char* kFromKeys = "/from-keys";
constexpr const char* kDamaged = "/damaged";
constexpr size_t kMostDamageBytes = 32;
constexpr const char* kDefaultName = "default";

std::string work_of(const std::string& library) { return library + "/" + kRebuildFolder; }

bool exists(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0;
}

Status remove_all(const std::string& path) {
  std::error_code error;
  filesystem::remove_all(path, error);
  return error ? Status::from_errno(error.value(), "remove " + path) : Status::ok();
}

// A folder for the library: new, empty, or one in which a rebuild was begun.
Status take_folder(const std::string& library) {
  SHOEBOX_TRY(check_library_folder(library));
  SHOEBOX_TRY(make_dirs(library));
  std::error_code error;
  for (const auto& entry : filesystem::directory_iterator(library, error)) {
    const std::string name = entry.path().filename().string();
    if (name == kRebuildFolder || name == "lock") continue;
    if (exists(work_of(library))) continue;
    return {Code::kExists, fmt::format("{} is not empty (it holds \"{}\"); name a new folder, a rebuild "
                                       "overwrites nothing",
                                       library, name)};
  }
  if (error) return Status::from_errno(error.value(), "open " + library);
  return make_dirs(work_of(library) + kSegments);
}

// What the first mount finds: where the backup is, and that what is there now goes on.
Status adopt(Catalog& catalog, const Restorable& found) {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  // Only what was restored in full may be gone on with; else the next backup is a whole one.
  if (found.newest) {
    put_known_head(*txn, found.head.remote, {"-", found.head});
  } else if (found.newest_head) {
    accept_head(*txn, found.head.remote, *found.newest_head);
  }
  SHOEBOX_ASSIGN(const std::optional<std::string> id, txn->meta(keys::kMetaLibraryId));
  if (id != found.head.library) txn->put_meta(keys::kMetaLibraryId, found.head.library);
  SHOEBOX_TRY(txn->commit());
  return catalog.sync();
}

Status build_catalog(const RebuildPlan& plan, const RebuildFetch& fetch, const Restorable& found,
                     const std::string& path, std::string& settings, RebuildResult& result) {
  SHOEBOX_TRY(remove_all(path));  // half made, by a run that was killed
  SHOEBOX_ASSIGN(const std::unique_ptr<CatalogImport> import, CatalogImport::create(path));
  uint64_t done = 0;
  for (const backup::Segment& segment : found.segments) {
    if (plan.cancel.cancelled())
      return {Code::kCancelled, "interrupted; run the same command again to go on"};
    plan.progress("building the catalog", done++, found.segments.size());
    SHOEBOX_ASSIGN(const std::string file, fetch.segment(found.head.library, segment));
    SHOEBOX_TRY(import->add(file));
  }
  SHOEBOX_TRY(import->finish(found.sequence));
  SHOEBOX_ASSIGN(const std::unique_ptr<Catalog> catalog,
                 Catalog::open(path, {.create = false, .reserve_bytes = 0}));
  SHOEBOX_TRY(adopt(*catalog, found));
  SHOEBOX_ASSIGN(const Pruned pruned, drop_without_copies(*catalog));
  result.lost = pruned.lost;
  result.older = pruned.older;
  SHOEBOX_ASSIGN(const std::optional<std::string> backed_up, catalog->meta(kMetaSettings));
  settings = backed_up.value_or("");
  return catalog->sync();
}

// Missing ones are made again when an original is read: damage is told, and the rest is taken.
Status fetch_thumbnails(const RebuildPlan& plan, const RebuildFetch& fetch, const backup::Head& head,
                        RebuildResult& result) {
  SHOEBOX_ASSIGN(const std::unique_ptr<Thumbnails> thumbnails,
                 Thumbnails::open(plan.library + "/thumbnails", /*read_only=*/false));
  std::vector<backup::Segment> wanted = head.segments;
  std::erase_if(wanted, [](const auto& one) { return one.kind != backup::SegmentKind::kThumbnails; });
  const size_t total = wanted.size();
  const std::unique_ptr<SegmentsAhead> files = fetch.ahead(head.library, std::move(wanted));
  const auto keep = [&](std::string_view key, std::optional<std::string_view> jpeg) -> Status {
    ContentHash hash;
    uint32_t size_px = 0;
    SHOEBOX_TRY(parse_thumbnail_key(key, hash, size_px));
    ++result.thumbnails;
    return jpeg ? thumbnails->put(hash, size_px, *jpeg) : Status::ok();
  };
  for (size_t done = 0; done < total; ++done) {
    if (plan.cancel.cancelled())
      return {Code::kCancelled, "interrupted; run the same command again to go on"};
    plan.progress("fetching thumbnails", done, total);
    const Result<std::string> file = files->next();
    if (!file && file.code() != Code::kDataLoss && file.code() != Code::kNotFound) return file.status();
    if (!file) {
      plan.note(file.status().message());
      continue;
    }
    SHOEBOX_TRY(backup::read_segment(*file, keep));
  }
  return thumbnails->flush();
}

Status write_settings(const std::string& library, const RemoteSettings& remote) {
  const std::string path = library + "/shoebox.toml";
  const std::string text =
      "# Settings of this Shoebox library. Every key is optional; store/SETTINGS.md tells "
      "them all.\n\n" +
      toml_of(remote);
  if (const Result<Settings> again = Settings::parse(text, path); !again) return again.status();
  return write_file_atomically(path, text);
}

// As the backup has them. Without, or with some that make no sense: with the remote alone.
Status restore_settings(const std::string& library, const std::string& backed_up,
                        const RemoteSettings& remote, RebuildResult& result) {
  if (backed_up.empty()) return write_settings(library, remote);
  const Result<RestoredSettings> restored = restored_settings(backed_up, remote);
  if (!restored) {
    result.to_do.push_back(
        fmt::format("write the settings of the library again: {}", restored.status().message()));
    return write_settings(library, remote);
  }
  result.to_do = restored->to_do;
  return write_file_atomically(library + "/shoebox.toml", restored->toml);
}

// The next run goes on in this way, too, whatever it finds: half of the tree stands by then.
Status prepare_from_keys(const RebuildPlan& plan, const RebuildFetch& fetch, const std::string& marker,
                         RebuildResult& result) {
  RemoteSettings settings = plan.remote;
  if (settings.name.empty()) settings.name = kDefaultName;
  result.remote = settings.name;
  SHOEBOX_ASSIGN(result.library_id, fetch.library_id());
  if (exists(marker) && !plan.catalog_only) return Status::ok();
  const Status refused(Code::kNotFound, result.no_catalog);
  if (!plan.id.empty() || plan.catalog_only) return refused;
  SHOEBOX_ASSIGN(const bool any, fetch.has_originals());
  if (!any) return refused.with_context("no originals stand there either");
  SHOEBOX_TRY(write_settings(plan.library, settings));
  return write_file_atomically(marker, "");
}

// How much of the backup was damaged when the catalog was made of the rest, though a later run may find it
// sound: what it lacks is taken from the objects there by the run that ends.
Result<uint64_t> kept_damage(const std::string& path) {
  const Result<std::string> text = read_file(path, kMostDamageBytes);
  if (!text && text.code() == Code::kNotFound) return uint64_t{0};
  if (!text) return text.status();
  uint64_t damaged = 0;
  (void)std::from_chars(text->data(), text->data() + text->size(), damaged);
  return std::max<uint64_t>(damaged, 1);
}

// Kept beside the library: a list that long is no answer of a command.
Status keep_report(const std::string& library, const RebuildResult& result, bool damaged) {
  if (result.lost.empty() && result.older.empty()) return Status::ok();
  std::string text = fmt::format("Rebuilt from the backup of {}.\n", time_text(result.backed_up_s));
  if (damaged)
    text += "A part of it was damaged: what is named here may have been found on the remote since.\n";
  for (const std::string& path : result.lost) text += "not backed up yet, lost: " + path + "\n";
  for (const std::string& path : result.older) text += "shown as before its last edit: " + path + "\n";
  SHOEBOX_TRY(make_dirs(library + "/recovered"));
  return write_file_atomically(library + "/recovered/rebuild.txt", text);
}

Status put_in_place(const std::string& from, const std::string& to, const std::string& library) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return Status::from_errno(errno, fmt::format("rename {} to {}", from, to));
  }
  return fsync_dir(library);
}

}  // namespace

Result<RebuildResult> rebuild_library(
    const RebuildPlan& plan, const Clock& clock,
    const std::function<Result<std::unique_ptr<Remote>>(const RemoteSettings&)>& make_remote) {
  const std::string& library = plan.library;
  SHOEBOX_TRY(take_folder(library));
  SHOEBOX_ASSIGN(const LibraryLock lock, LibraryLock::take(library, /*read_only=*/false));
  RemoteSettings named = plan.remote;
  if (named.name.empty()) named.name = named.url;  // for messages: its name is known once a head was read
  SHOEBOX_ASSIGN(std::unique_ptr<Remote> made_remote, make_remote(named));
  CountedRemote remote(std::move(made_remote));
  const RebuildFetch fetch(remote, clock, plan, work_of(library) + kSegments);

  RebuildResult result;
  const std::string from_keys = work_of(library) + kFromKeys;
  std::optional<Restorable> restorable;
  if (exists(from_keys)) {
    result.no_catalog = "the run before this one found no catalog that could be used";
  } else {
    SHOEBOX_ASSIGN(restorable, fetch.catalog(result.no_catalog));
  }
  if (!restorable) {
    SHOEBOX_TRY(prepare_from_keys(plan, fetch, from_keys, result));
    return result;
  }
  const Restorable& found = *restorable;
  result.backed_up_s = found.head.time_s;
  result.originals = found.head.originals;
  result.remote = found.head.remote;
  RemoteSettings settings = plan.remote;
  settings.name = found.head.remote;
  SHOEBOX_TRY(check_remote_name(settings.name));
  result.resumed = exists(library + "/catalog");
  if (!result.resumed) {
    const std::string made = work_of(library) + "/catalog";
    std::string backed_up;
    SHOEBOX_TRY(build_catalog(plan, fetch, found, made, backed_up, result));
    const std::string damaged = work_of(library) + kDamaged;
    SHOEBOX_TRY(found.damaged > 0 ? write_file_atomically(damaged, std::to_string(found.damaged))
                                  : remove_all(damaged));
    kill_point("rebuild-catalog");
    SHOEBOX_TRY(restore_settings(library, backed_up, settings, result));
    SHOEBOX_TRY(keep_report(library, result, found.damaged > 0));
    kill_point("rebuild-settings");
    // Last: from here on it is a library.
    SHOEBOX_TRY(put_in_place(made, library + "/catalog", library));
    kill_point("rebuild-placed");
  }
  SHOEBOX_ASSIGN(result.damaged, kept_damage(work_of(library) + kDamaged));
  SHOEBOX_TRY(fetch_thumbnails(plan, fetch, found.head, result));
  result.requests = remote.counters().requests;
  result.received_bytes = remote.counters().bytes_received;
  return result;
}

Status finish_rebuild(const std::string& library) { return remove_all(work_of(library)); }

}  // namespace shoebox
