#include "sync/adopt.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "store/base/file_names.h"
#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/tree/tree.h"
#include "store/xmp_sidecar.h"
#include "sync/adopt_fetch.h"
#include "sync/adopt_path.h"
#include "sync/catalog_mend.h"
#include "sync/library_id.h"
#include "sync/remote/crypt_check.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

constexpr size_t kMostFindings = 10'000;
constexpr std::string_view kLibraryFolder = "Library/";
constexpr std::string_view kOwnFolder = ".shoebox/";
constexpr std::string_view kShortFolder = ".shoebox/short/";
constexpr std::string_view kSidecarFolder = ".shoebox/sidecars/";
constexpr std::string_view kShortSidecars = "short/";  // of kShortFolder, below kSidecarFolder
constexpr std::string_view kSidecarEnd = ".xmp";
constexpr std::string_view kPhotoMark = "<shoebox:Photo>";  // in the sidecars that stand on remotes
// Files whose path no key can spell have one made of their hash; a lost catalog took their names along.
constexpr std::string_view kNamesLost = "Library/recovered/";

// Of the remote as a whole, or of this disk: going on would fail for the next object as well.
bool ends_run(Code code) {
  switch (code) {
    case Code::kNotFound:
    case Code::kConflict:
    case Code::kDataLoss:
    case Code::kInvalid:
    case Code::kNameTooLong: return false;
    default: return true;
  }
}

// What a sidecar tells that Shoebox wrote beside `path` without its end.
std::optional<SaidThere> said_there(const RemoteObject& object, std::string_view path,
                                    const std::string& bytes) {
  auto said = parse_xmp_sidecar(bytes);
  if (!said) return std::nullopt;
  path.remove_suffix(kSidecarEnd.size());
  return SaidThere{std::string(path),
                   std::move(*said),
                   original_of_sidecar(bytes),
                   {object.key, object.etag, object.size, sha256(bytes)}};
}

std::string_view name_in(std::string_view key) { return key.substr(key.rfind('/') + 1); }

}  // namespace

struct Adopter::Run {
  // An object that is not in the library yet.
  struct Wanted {
    RemoteObject object;
    std::string path;
    bool changed = false;
    bool respelled = false;
    ContentNo same_name;  // the bytes of a file that has the name, and the size: they are compared
    Status fetched;
    AdoptedFile file;
    std::optional<SaidThere> said;  // of a rebuild: it is a sidecar that Shoebox wrote
  };

  const Adopter& with;
  Remote& remote;
  const AdoptRequest& request;
  const CancelToken& cancel;
  const std::function<void(const AdoptReport&)>& progress;
  AdoptReport report{};
  AdoptTraffic traffic{};
  std::vector<Wanted> batch{};
  // What the owner said about photos that are not filed yet, by their path. Few: a listing has the sidecar
  // behind its photo, but for an encrypted one.
  std::vector<SaidThere> unsaid{};
  std::optional<CatalogMend> mend{};  // the catalog is only in part what it was

  [[nodiscard]] AdoptFetch fetcher() {
    return {remote, with.deps_.clock, with.options_.backoff, cancel, traffic};
  }

  void note(const std::string& key, std::string what, std::string why) {
    if (report.findings.size() < kMostFindings)
      report.findings.push_back({key, std::move(what), std::move(why)});
  }
  void tell() {
    report.requests = traffic.requests;
    report.received_bytes = traffic.received_bytes;
    if (progress) progress(report);
  }

  // --- listing
  Status list(const std::string& prefix, const std::function<Status(const RemoteObject&)>& each) {
    return list_pages(fetcher(), prefix, [&](const ListPage& page) -> Status {
      // To rebuild, what stands below Library/ is listed twice.
      if (page.skipped > 0 && (!request.rebuild || prefix.empty())) {
        report.skipped += page.skipped;
        for (const std::string& key : page.skipped_keys)
          note(key, "skipped", "its key is no path that a file can have; copy it to another key there");
        if (const uint64_t more = page.skipped - page.skipped_keys.size(); more > 0)
          note(prefix, "skipped", fmt::format("{} objects whose keys are no names", more));
      }
      for (const RemoteObject& object : page.objects) {
        if (cancel.cancelled()) return {Code::kCancelled, "interrupted; run the same command again to go on"};
        SHOEBOX_TRY(each(object));
      }
      return Status::ok();
    });
  }

  // --- what is new
  enum class Known { kNew, kChanged, kAlready, kLeft };
  Result<Known> look_up(const RemoteObject& object, const std::string& path) {
    const Catalog& catalog = with.deps_.catalog;
    const auto same = [&object](const auto& there) {
      return there.etag == object.etag && there.size == object.size;
    };
    SHOEBOX_ASSIGN(const auto holder, catalog.content_of_remote_key(remote.name(), object.key));
    if (holder) {
      SHOEBOX_ASSIGN(const auto copy, catalog.copy(*holder, remote.name()));
      SHOEBOX_ASSIGN(const auto content, catalog.content(*holder));
      if (!copy || !content) return Known::kNew;
      if (same(*copy)) return Known::kAlready;
      // To mend: an edit of which the catalog does not know. What has these bytes still was told apart
      // before.
      if (mend || content->state == ContentState::kAdopted || !copy->adopted_path.empty())
        return Known::kChanged;
      note(object.key, "left alone",
           "it is a copy of the library's that somebody changed there; shoebox verify tells");
      return Known::kLeft;
    }
    SHOEBOX_ASSIGN(const auto loose, catalog.loose(remote.name(), object.key));
    if (loose && loose->keep) return same(*loose) ? Known::kAlready : Known::kNew;
    if (loose) {
      note(object.key, "left alone", "it is being written or removed by the library at this moment");
      return Known::kLeft;
    }
    if (object.size > 0) return Known::kNew;
    // Nothing is recorded of an empty file but its name.
    const auto there = with.deps_.tree.resolve(path);
    return there && S_ISREG(there->inode.mode) && there->inode.size == 0 ? Known::kAlready : Known::kNew;
  }

  // Whose bytes the file at `path` has, when they are of this size and their hash is known.
  Result<ContentNo> bytes_at(const std::string& path, uint64_t size) {
    const auto there = with.deps_.tree.resolve(path);
    if (!there && there.code() != Code::kNotFound && there.code() != Code::kNotDirectory)
      return there.status();
    if (!there || !S_ISREG(there->inode.mode) || !there->inode.content || there->inode.size != size)
      return ContentNo();
    SHOEBOX_ASSIGN(const auto record, with.deps_.catalog.content(there->inode.content));
    return record && record->state == ContentState::kSealed ? there->inode.content : ContentNo();
  }

  Status take(const RemoteObject& object, const AdoptedPath& filed) {
    ++report.listed;
    if (filed.not_adopted || filed.path == request.into) {
      ++report.skipped;
      return Status::ok();
    }
    if (mend && mend->knows_sidecar(object)) {
      ++report.already;
      return Status::ok();
    }
    SHOEBOX_ASSIGN(const Known known, look_up(object, filed.path));
    if (known == Known::kLeft) {
      ++report.skipped;
      return Status::ok();
    }
    if (known == Known::kAlready) {
      ++report.already;
      report.original_bytes += object.size;
      return Status::ok();
    }
    if (object.etag.empty()) {
      ++report.failed;
      note(object.key, "not adopted",
           "the remote gives it no ETag, so that nothing would tell when it changes");
      return Status::ok();
    }
    if (request.dry_run) {
      if (filed.respelled) note(object.key, "gets another name", filed.path);
      count(object, known == Known::kChanged);
      return Status::ok();
    }
    SHOEBOX_ASSIGN(const ContentNo same_name,
                   known == Known::kNew ? bytes_at(filed.path, object.size) : Result<ContentNo>(ContentNo()));
    batch.push_back(
        {object, filed.path, known == Known::kChanged, filed.respelled, same_name, Status::ok(), {}, {}});
    return batch.size() < with.options_.batch ? Status::ok() : commit();
  }

  void count(const RemoteObject& object, bool changed) {
    const std::string_view name = name_in(object.key);
    ++(is_video_name(name) ? report.videos : is_media_name(name) ? report.photos : report.others);
    report.changed += changed ? 1 : 0;
    report.original_bytes += object.size;
  }

  // --- fetching and filing
  // Whether the object is what the file of its name holds: a library whose photos were put there by hand,
  // or that adopted them before its catalog was restored.
  Result<bool> has_bytes_of(const Wanted& one) {
    SHOEBOX_ASSIGN(const auto record, with.deps_.catalog.content(one.same_name));
    if (!record || record->size != one.object.size) return false;
    SHOEBOX_ASSIGN(const ContentHash hash, fetcher().hash(one.object));
    return hash == record->sha256;
  }

  Status fetch(Wanted& one) {
    AdoptedFile& file = one.file;
    file.path = one.path;
    file.remote = remote.name();
    file.copy.key = one.object.key;
    file.copy.etag = one.object.etag;
    file.copy.size = one.object.size;
    file.copy.confirmed_s = with.deps_.clock.now().seconds;
    const bool has_time = one.object.modified_s > 0;
    file.mtime = has_time ? Timestamp{one.object.modified_s, 0} : with.deps_.clock.now();
    file.mtime_is_its_own = has_time && request.own_times;
    if (!file.content) return Status::ok();
    if (one.same_name) {
      SHOEBOX_ASSIGN(const bool same, has_bytes_of(one));
      if (same) return Status::ok();
      one.same_name = ContentNo();
    }
    SHOEBOX_ASSIGN(const AdoptFetch::Parts fetched, fetcher().parts(one.object));
    const std::vector<ContentStore::Part>& parts = fetched.parts;
    if (fetched.file_time) file.mtime = *fetched.file_time;
    file.mtime_is_its_own = file.mtime_is_its_own || fetched.file_time;
    // The library's own there; those that an export left beside photos are files as others are.
    const bool own =
        one.object.key.ends_with(kSidecarEnd) && AdoptFetch::wanted_whole(one.object) &&
        ((request.rebuild && !request.mend) || parts.front().bytes.find(kPhotoMark) != std::string::npos);
    if (own) one.said = said_there(one.object, one.path, parts.front().bytes);
    if (one.said) return Status::ok();
    if (AdoptFetch::wanted_whole(one.object)) {
      BlockHasher hasher;
      hasher.update(parts.front().bytes.data(), parts.front().bytes.size());
      file.hashes = hasher.finish();
    }
    return with.deps_.contents.put_adopted(file.content, one.object.size, parts);
  }

  void fetch_all() {
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t i = next++; i < batch.size(); i = next++) {
        try {
          batch[i].fetched = fetch(batch[i]);
        } catch (const std::exception& error) {
          batch[i].fetched = Status(Code::kIo, error.what());
        }
      }
    };
    std::vector<std::thread> threads;
    for (size_t i = 1; i < std::min(with.options_.threads, batch.size()); ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
  }

  // What was fetched is filed also when something else ends the run: it need not be fetched again.
  Status commit() {
    if (batch.empty()) return Status::ok();
    {
      const std::unique_ptr<Transaction> numbers = with.deps_.catalog.begin();
      for (Wanted& one : batch) {
        if (one.object.size > 0) one.file.content = numbers->new_content_no();
      }
    }
    fetch_all();
    Status ended;
    std::vector<AdoptedFile> files;
    std::vector<const Wanted*> filed;
    for (Wanted& one : batch) {
      if (one.fetched && one.same_name) {
        const Status taken =
            with.deps_.tree.adopt_copy(one.same_name, remote.name(), one.file.copy, one.path);
        if (!taken && ends_run(taken.code())) ended = taken;
        if (taken) ++report.already;
        report.original_bytes += taken ? one.object.size : 0;
      } else if (one.fetched && one.said && !request.rebuild) {
        ++report.skipped;
      } else if (one.fetched && one.said) {
        unsaid.push_back(std::move(*one.said));
      } else if (one.fetched) {
        files.push_back(one.file);
        filed.push_back(&one);
      } else if (ends_run(one.fetched.code())) {
        ended = one.fetched;
      } else {
        ++report.failed;
        const bool moved_on = one.fetched.code() == Code::kConflict || one.fetched.code() == Code::kNotFound;
        note(one.object.key, "not adopted",
             moved_on ? "it changed since it was listed; run again" : one.fetched.message());
      }
    }
    Status stored = file_all(files, filed);
    if (stored) stored = say_again(false);
    batch.clear();
    tell();
    SHOEBOX_TRY(stored);
    if (ended.code() == Code::kCancelled)
      return {Code::kCancelled, "interrupted; run the same command again to go on"};
    return ended ? ended
                 : ended.with_context("remote " + remote.name() + " (run the same command again to go on)");
  }

  Status file_all(const std::vector<AdoptedFile>& files, const std::vector<const Wanted*>& filed) {
    if (files.empty()) return Status::ok();
    const auto try_all = [&]() -> Status {
      std::vector<ContentNo> whole;
      for (const AdoptedFile& file : files) {
        if (file.hashes) whole.push_back(file.content);
      }
      SHOEBOX_TRY(with.deps_.contents.sync_adopted(whole));
      SHOEBOX_ASSIGN(const std::vector<std::string> paths, with.deps_.tree.adopt(files, Caller::command()));
      kill_point("adopt-committed");
      SHOEBOX_TRY(with.deps_.catalog.sync());
      kill_point("adopt-synced");
      for (size_t i = 0; i < files.size(); ++i) {
        count(filed[i]->object, filed[i]->changed);
        const Wanted& one = *filed[i];
        if (!one.changed && (one.respelled || paths[i] != one.path))
          note(one.object.key, "filed as", paths[i]);
      }
      return Status::ok();
    };
    const Status done = try_all();
    // Of what was filed already under its key meanwhile, and of all when nothing was filed.
    for (const AdoptedFile& file : files) {
      if (!file.content) continue;
      const auto record = with.deps_.catalog.content(file.content);
      if (record && !*record) (void)with.deps_.contents.remove(file.content);
    }
    return done;
  }

  // What was said about photos that are filed by now; `last`: the others are gone.
  Status say_again(bool last) {
    std::vector<SaidThere> left;
    for (SaidThere& one : unsaid) {
      if (mend) {
        SHOEBOX_ASSIGN(const CatalogMend::Said said, mend->say(one));
        report.statements += said == CatalogMend::Said::kNew ? 1 : 0;
        if (said != CatalogMend::Said::kNoPhoto) continue;
      } else {
        const auto photo = with.deps_.tree.resolve(one.path);
        if (!photo && photo.code() != Code::kNotFound && photo.code() != Code::kNotDirectory)
          return photo.status();
        if (photo) {
          SHOEBOX_TRY(with.deps_.tree.change_statements(photo->number, {}, one.said));
          ++report.statements;
          continue;
        }
      }
      if (last)
        note(one.path, "said in vain", "a sidecar tells of it, and there is no such photo");
      else
        left.push_back(std::move(one));
    }
    unsaid = std::move(left);
    return Status::ok();
  }

  Status adopt_all() {
    if (!request.rebuild) {
      SHOEBOX_TRY(list("", [&](const RemoteObject& object) {
        if (object.key.starts_with(kOwnFolder)) return Status::ok();
        return take(object, adopted_path(object.key, request.into));
      }));
      return commit();
    }
    if (request.mend) {
      mend.emplace(with.deps_, remote);
      SHOEBOX_TRY(mend->load());
      SHOEBOX_ASSIGN(report.moved, mend->follow_copies(fetcher()));
    }
    SHOEBOX_TRY(list(std::string(kLibraryFolder), [&](const RemoteObject& object) {
      return take(object, adopted_path(object.key, "Library"));
    }));
    // What was adopted stands where it stood. After what has its place: that keeps its name.
    SHOEBOX_TRY(commit());
    uint64_t strangers = 0;
    SHOEBOX_TRY(list("", [&](const RemoteObject& object) {
      if (object.key.starts_with(kOwnFolder) || object.key.starts_with(kLibraryFolder)) return Status::ok();
      const AdoptedPath filed = adopted_path(object.key, "Library");
      if (!mend || mend->adopted_elsewhere()) return take(object, filed);
      strangers += filed.not_adopted ? 0 : 1;
      return Status::ok();
    }));
    if (strangers > 0)
      note("objects outside Library/", "left alone",
           fmt::format("{}, none of which the library knows; shoebox adopt takes them in", strangers));
    report.skipped += strangers;
    SHOEBOX_TRY(list(std::string(kShortFolder), [&](const RemoteObject& object) {
      AdoptedPath filed = adopted_path(name_in(object.key), kNamesLost.substr(0, kNamesLost.size() - 1));
      return take(object, filed);
    }));
    // Where the owner has a sidecar of their own beside the photo.
    SHOEBOX_TRY(list(std::string(kSidecarFolder), [&](const RemoteObject& object) {
      const std::string key = object.key.substr(kSidecarFolder.size());
      if (key.find('/') == std::string::npos || !key.ends_with(kSidecarEnd)) return Status::ok();
      const std::string path = key.starts_with(kShortSidecars)
                                   ? std::string(kNamesLost).append(key, kShortSidecars.size())
                                   : adopted_path(key, "Library").path;
      if (object.size == 0 || !AdoptFetch::wanted_whole(object)) return Status::ok();
      if (mend && mend->knows_sidecar(object)) return Status::ok();
      SHOEBOX_ASSIGN(const AdoptFetch::Parts fetched, fetcher().parts(object));
      if (auto said = said_there(object, path, fetched.parts.front().bytes))
        unsaid.push_back(std::move(*said));
      return Status::ok();
    }));
    SHOEBOX_TRY(commit());
    return say_again(true);
  }
};

Result<AdoptReport> Adopter::run(Remote& remote, const AdoptRequest& request, const CancelToken& cancel,
                                 const std::function<void(const AdoptReport&)>& progress) const {
  RequestContext context;
  context.cancel = cancel;
  context.deadline = transfer_deadline(deps_.clock, 0);
  SHOEBOX_TRY(refuse_sealed(remote, context));
  Run run{*this, remote, request, cancel, progress};
  if (request.rebuild && !request.library_id.empty()) {
    SHOEBOX_TRY(take_library_id(deps_.catalog, request.library_id));
  }
  const Status done = run.adopt_all();
  run.tell();
  if (!done) return done;
  return run.report;
}

}  // namespace shoebox
