#include "sync/follower.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <set>
#include <utility>

#include "store/about_remote.h"
#include "store/base/log.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/thumbnails/thumbnails.h"
#include "sync/backup_copy.h"
#include "sync/known_head.h"
#include "sync/library_id.h"
#include "sync/segments_ahead.h"
#include "sync/thumbnail_cut.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

using backup::Head;
using backup::Segment;
using backup::SegmentKind;

// The head whose state this catalog shows (BACKUP.md).
std::string followed_name(const std::string& remote) {
  return fmt::format("{}followed/{}", keys::kMetaBackup, remote);
}

// Under which name that remote stands whose head it is.
std::string shown_name() { return fmt::format("{}shown", keys::kMetaBackup); }

// Not empty: what is shown is no state of anybody, some rows of a newer head are in it.
std::string partly_name() { return fmt::format("{}partly", keys::kMetaBackup); }

// How often the other remotes are looked at, and how far they have to be ahead: what goes to all of them goes
// to one some seconds before it goes to the next.
constexpr uint32_t kLooksPerLookAround = 6;
constexpr int64_t kBehind_s = 300;

// The journal segments that lead from change `after` to the head; none: they do not reach back so far.
std::optional<std::vector<Segment>> journal_after(const Head& head, uint64_t after) {
  std::vector<Segment> wanted;
  uint64_t reached = after;
  for (const Segment& segment : head.segments) {
    if (segment.kind != SegmentKind::kJournal || segment.to <= after) continue;
    if (segment.from > reached) return std::nullopt;
    wanted.push_back(segment);
    reached = std::max(reached, segment.to);
  }
  if (reached < head.sequence || head.snapshot > after) return std::nullopt;
  return wanted;
}

// Whether a head is of the history that was shown: the numbers of changes of another machine's tell nothing.
bool goes_on_from(const Head& shown, const Head& head) {
  const auto snapshot = [](const Head& of) {
    std::set<ContentHash> segments;
    for (const Segment& segment : of.segments) {
      if (segment.kind == SegmentKind::kSnapshot) segments.insert(segment.sha256);
    }
    return segments;
  };
  return shown.sequence <= head.sequence && shown.counter <= head.counter &&
         shown.snapshot == head.snapshot && snapshot(shown) == snapshot(head);
}

}  // namespace

Follower::Follower(Catalog& catalog, Remotes remotes, const Clock& clock, Options options)
    : catalog_(catalog), remotes_(std::move(remotes)), clock_(clock), options_(std::move(options)) {}

Follower::Follower(Catalog& catalog, Remote& remote, const Clock& clock, Options options)
    : Follower(
          catalog,
          [&remote] {
            return std::vector<std::shared_ptr<Remote>>{
                std::shared_ptr<Remote>(std::shared_ptr<void>(), &remote)};
          },
          clock, std::move(options)) {}

Follower::~Follower() { stop(); }

void Follower::start() {
  thread_ = std::thread([this] { run(); });
}

void Follower::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.cancel();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Follower::run() NO_THREAD_SAFETY_ANALYSIS {
  ::pthread_setname_np(::pthread_self(), "follower");
  const MutexLock lock(mutex_);
  while (!stopping_) {
    mutex_.unlock();
    Status followed;
    try {
      followed = follow(stop_);
    } catch (const std::exception& error) {
      followed = Status(Code::kIo, error.what());
    }
    mutex_.lock();
    if (!followed && !stopping_) {
      if (report_.last_error != followed.message()) {
        log::warning("following the machine that writes: {}", followed.message());
      }
      report_.last_error = followed.message();
      report_.last_error_s = clock_.now().seconds;
    } else {
      report_.last_error.clear();
    }
    changed_.wait_for(mutex_, options_.period, [this]() NO_THREAD_SAFETY_ANALYSIS { return stopping_; });
  }
}

Follower::Report Follower::report() const {
  const MutexLock lock(mutex_);
  return report_;
}

// Whether both heads are those that were read last.
Result<bool> Follower::unchanged(Remote& remote, const std::string& library, const CancelToken& cancel) {
  std::map<std::string, std::string> now;
  for (const uint64_t turn : {0, 1}) {
    const std::string key = backup::head_key(library, turn);
    RequestContext context;
    context.cancel = cancel;
    context.deadline = transfer_deadline(clock_, 0);
    const Result<RemoteObject> there = remote.stat(key, context);
    if (!there && there.code() != Code::kNotFound) return there.status();
    now[key] = there ? fmt::format("{} {} {}", there->etag, there->size, there->modified_s) : "";
  }
  return now == std::exchange(etags_[remote.name()], now);
}

Result<Follower::Shown> Follower::shown() const {
  Shown now;
  SHOEBOX_ASSIGN(const std::optional<std::string> name, catalog_.meta(shown_name()));
  now.remote = name.value_or("");
  if (now.remote.empty()) return now;
  SHOEBOX_ASSIGN(const std::optional<std::string> text, catalog_.meta(followed_name(now.remote)));
  if (!text) return now;
  Result<Head> head = backup::parse_head(*text);
  if (head) now.head = std::move(*head);
  SHOEBOX_ASSIGN(const std::optional<std::string> partly, catalog_.meta(partly_name()));
  now.partly = partly && !partly->empty();
  return now;
}

Status Follower::follow(const CancelToken& cancel) {
  std::vector<std::shared_ptr<Remote>> remotes = remotes_();
  if (remotes.empty()) return {Code::kUnavailable, "none of the remotes in the settings can be used"};
  SHOEBOX_ASSIGN(const Shown before, shown());
  std::stable_partition(remotes.begin(), remotes.end(), [&](const std::shared_ptr<Remote>& remote) {
    return remote->name() == before.remote;
  });
  Status first;  // why the one that is followed cannot be
  for (const std::shared_ptr<Remote>& remote : remotes) {
    const bool another = !first.is_ok();
    const Status done = about_remote(
        follow(*remote, another && before.head ? before.head->time_s : INT64_MIN, cancel), remote->name());
    if (cancel.cancelled()) return done;
    if (!done) {
      if (first) first = done;
      continue;
    }
    if (another) log::warning("{}; remote {} was looked at instead", first.message(), remote->name());
    if (another || ++looks_ % kLooksPerLookAround != 0) return Status::ok();
    break;
  }
  if (!first) return first;
  // Is another one further? Then somebody writes there who does not write here any more.
  SHOEBOX_ASSIGN(const Shown now, shown());
  for (size_t i = 1; i < remotes.size() && now.head; ++i) {
    const Status looked = follow(*remotes[i], now.head->time_s + kBehind_s, cancel);
    if (!looked) log::debug("remote {}: {}", remotes[i]->name(), looked.message());
  }
  return Status::ok();
}

// Takes what is there where it is newer than that; what this remote showed last is followed on.
Status Follower::follow(Remote& remote, int64_t newer_than_s, const CancelToken& cancel) {
  SHOEBOX_ASSIGN(const std::string library, library_id(catalog_));
  SHOEBOX_ASSIGN(const bool same, unchanged(remote, library, cancel));
  SHOEBOX_ASSIGN(const Shown now, shown());
  if (same && (now.remote == remote.name() || newer_than_s == INT64_MIN)) return Status::ok();
  const auto attempt = [&]() -> Status {
    SHOEBOX_ASSIGN(const BackupCopy::Heads heads, BackupCopy(remote, clock_, cancel).heads(library));
    if (heads.whole.empty()) {
      return {Code::kUnavailable, "there is no backup of the catalog of this library that can be read"};
    }
    const Head& head = heads.whole.front();
    if (head.schema > keys::kSchema) {
      return {Code::kIncompatible, "the backup there was made by a newer Shoebox; update this one"};
    }
    if (now.remote != remote.name() && head.time_s <= newer_than_s) return Status::ok();
    SHOEBOX_TRY(apply(remote, head, now, cancel));
    return fetch_thumbnails(remote, head, cancel);
  };
  const Status done = attempt();
  if (!done) etags_.erase(remote.name());  // looked at again, whatever was read
  return done;
}

// Where another remote was followed before, all of it: two machines may have written, one to each.
Status Follower::apply(Remote& remote, const Head& head, const Shown& now, const CancelToken& cancel) {
  const std::optional<Head> shown = now.remote == remote.name() && !now.partly ? now.head : std::nullopt;
  const auto report = [&] {
    const MutexLock lock(mutex_);
    report_.remote = remote.name();
    report_.backed_up_s = head.time_s;
  };
  if (shown && encode(*shown) == encode(head)) {
    report();
    return Status::ok();
  }
  const std::optional<std::vector<Segment>> journal =
      shown && goes_on_from(*shown, head) ? journal_after(head, shown->sequence) : std::nullopt;
  std::vector<Segment> segments;
  if (journal) {
    segments = *journal;
  } else {
    segments = head.segments;
    std::erase_if(segments, [](const Segment& segment) { return segment.kind == SegmentKind::kThumbnails; });
  }
  backup::StagedRows rows(options_.rows);
  const BackupCopy copy(remote, clock_, cancel);
  SegmentsAhead files(segments, [&](const Segment& segment, const std::function<Status()>& allowed) {
    return copy.segment(head.library, segment, allowed);
  });
  for (size_t i = 0; i < segments.size(); ++i) {
    SHOEBOX_ASSIGN(const std::string file, files.next());
    SHOEBOX_TRY(rows.add(file));
  }
  backup::Apply how;
  how.whole = !journal;
  how.in_parts = [](Transaction& txn) { txn.put_meta(partly_name(), "1"); };
  how.replacing = options_.replacing;
  how.cancel = cancel;
  how.most_rows = options_.most_rows;
  how.most_bytes = options_.most_bytes;
  SHOEBOX_TRY(backup::apply_rows(catalog_, rows, how));
  SHOEBOX_TRY(remember(remote, head));
  report();
  return Status::ok();
}

// Should this library write there one day, it goes on from here, and with a whole backup: its own changes
// have other numbers.
Status Follower::remember(const Remote& remote, const Head& head) {
  const std::unique_ptr<Transaction> txn = catalog_.begin();
  txn->put_meta(followed_name(remote.name()), encode(head));
  txn->put_meta(shown_name(), remote.name());
  txn->put_meta(partly_name(), "");
  put_known_head(*txn, remote.name(), {"-", std::nullopt});
  accept_head(*txn, remote.name(), head);
  return txn->commit();
}

Status Follower::fetch_thumbnails(Remote& remote, const Head& head, const CancelToken& cancel) {
  if (options_.thumbnails == nullptr) return Status::ok();
  const std::string name = fmt::format("{}thumbnails/{}", keys::kMetaBackup, remote.name());
  SHOEBOX_ASSIGN(const std::optional<std::string> text, catalog_.meta(name));
  const std::string fetched = text.value_or("");
  std::string now;
  const BackupCopy copy(remote, clock_, cancel);
  std::vector<Segment> wanted;
  for (const Segment& segment : head.segments) {
    if (segment.kind != SegmentKind::kThumbnails) continue;
    const std::string hash = segment.sha256.hex();
    now += hash;
    if (fetched.find(hash) == std::string::npos) wanted.push_back(segment);
  }
  SegmentsAhead files(wanted, [&](const Segment& segment, const std::function<Status()>& allowed) {
    return copy.segment(head.library, segment, allowed);
  });
  const auto keep = [&](std::string_view key, std::optional<std::string_view> jpeg) -> Status {
    ContentHash content;
    uint32_t size_px = 0;
    SHOEBOX_TRY(parse_thumbnail_key(key, content, size_px));
    return jpeg ? options_.thumbnails->put(content, size_px, *jpeg) : Status::ok();
  };
  for (size_t i = 0; i < wanted.size(); ++i) {
    SHOEBOX_ASSIGN(const std::string file, files.next());
    SHOEBOX_TRY(backup::read_segment(file, keep));
  }
  if (now == fetched) return Status::ok();
  SHOEBOX_TRY(options_.thumbnails->flush());
  const std::unique_ptr<Transaction> txn = catalog_.begin();
  txn->put_meta(name, now);
  return txn->commit();
}

}  // namespace shoebox
