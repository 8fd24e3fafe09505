#include "sync/follower.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <set>

#include "store/base/log.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/thumbnails/thumbnails.h"
#include "sync/backup_copy.h"
#include "sync/known_head.h"
#include "sync/library_id.h"
#include "sync/thumbnail_cut.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

using backup::Head;
using backup::Segment;
using backup::SegmentKind;

// The head whose state this catalog shows (BACKUP.md).
std::string followed_name(const Remote& remote) {
  return fmt::format("{}followed/{}", keys::kMetaBackup, remote.name());
}

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

}  // namespace

Follower::Follower(Catalog& catalog, Remote& remote, const Clock& clock, Options options)
    : catalog_(catalog), remote_(remote), clock_(clock), options_(options) {}

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
        log::warning("remote {}: following it: {}", remote_.name(), followed.message());
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
Result<bool> Follower::unchanged(const std::string& library, const CancelToken& cancel) {
  std::map<std::string, std::string> now;
  for (const uint64_t turn : {0, 1}) {
    const std::string key = backup::head_key(library, turn);
    RequestContext context;
    context.cancel = cancel;
    context.deadline = transfer_deadline(clock_, 0);
    const Result<RemoteObject> there = remote_.stat(key, context);
    if (!there && there.code() != Code::kNotFound) return there.status();
    now[key] = there ? fmt::format("{} {} {}", there->etag, there->size, there->modified_s) : "";
  }
  return now == std::exchange(etags_, now);
}

Status Follower::follow(const CancelToken& cancel) {
  SHOEBOX_ASSIGN(const std::string library, library_id(catalog_));
  SHOEBOX_ASSIGN(const bool same, unchanged(library, cancel));
  if (same) return Status::ok();
  const auto attempt = [&]() -> Status {
    SHOEBOX_ASSIGN(const BackupCopy::Heads heads, BackupCopy(remote_, clock_, cancel).heads(library));
    if (heads.whole.empty()) {
      return {Code::kUnavailable, "there is no backup of the catalog of this library that can be read"};
    }
    const Head& head = heads.whole.front();
    if (head.schema > keys::kSchema) {
      return {Code::kIncompatible, "the backup there was made by a newer Shoebox; update this one"};
    }
    SHOEBOX_TRY(apply(head, cancel));
    return fetch_thumbnails(head, cancel);
  };
  const Status done = attempt();
  if (!done) etags_.clear();  // looked at again, whatever was read
  return done;
}

Status Follower::apply(const Head& head, const CancelToken& cancel) {
  std::optional<Head> shown;
  SHOEBOX_ASSIGN(const std::optional<std::string> text, catalog_.meta(followed_name(remote_)));
  if (text) {
    Result<Head> parsed = backup::parse_head(*text);
    if (parsed) shown = std::move(*parsed);
  }
  if (shown && encode(*shown) == encode(head)) return Status::ok();
  const std::optional<std::vector<Segment>> journal =
      shown && shown->sequence <= head.sequence ? journal_after(head, shown->sequence) : std::nullopt;
  std::vector<Segment> segments;
  if (journal) {
    segments = *journal;
  } else {
    segments = head.segments;
    std::erase_if(segments, [](const Segment& segment) { return segment.kind == SegmentKind::kThumbnails; });
  }
  backup::Rows rows;
  const BackupCopy copy(remote_, clock_, cancel);
  for (const Segment& segment : segments) {
    SHOEBOX_ASSIGN(const std::string file, copy.segment(head.library, segment));
    SHOEBOX_TRY(backup::read_rows(file, rows));
  }
  if (!journal) SHOEBOX_TRY(backup::add_erasures(catalog_, rows));
  SHOEBOX_TRY(backup::apply_rows(catalog_, rows));
  SHOEBOX_TRY(remember(head));
  const MutexLock lock(mutex_);
  report_.backed_up_s = head.time_s;
  return Status::ok();
}

// Should this library write there one day, it goes on from here, and with a whole backup: its own changes
// have other numbers.
Status Follower::remember(const Head& head) {
  const std::unique_ptr<Transaction> txn = catalog_.begin();
  txn->put_meta(followed_name(remote_), encode(head));
  put_known_head(*txn, remote_.name(), {"-", std::nullopt});
  accept_head(*txn, remote_.name(), head);
  return txn->commit();
}

Status Follower::fetch_thumbnails(const Head& head, const CancelToken& cancel) {
  if (options_.thumbnails == nullptr) return Status::ok();
  const std::string name = fmt::format("{}thumbnails/{}", keys::kMetaBackup, remote_.name());
  SHOEBOX_ASSIGN(const std::optional<std::string> text, catalog_.meta(name));
  const std::string fetched = text.value_or("");
  std::string now;
  const BackupCopy copy(remote_, clock_, cancel);
  for (const Segment& segment : head.segments) {
    if (segment.kind != SegmentKind::kThumbnails) continue;
    const std::string hash = segment.sha256.hex();
    now += hash;
    if (fetched.find(hash) != std::string::npos) continue;
    SHOEBOX_ASSIGN(const std::string file, copy.segment(head.library, segment));
    SHOEBOX_TRY(
        backup::read_segment(file, [&](std::string_view key, std::optional<std::string_view> jpeg) -> Status {
          ContentHash content;
          uint32_t size_px = 0;
          SHOEBOX_TRY(parse_thumbnail_key(key, content, size_px));
          return jpeg ? options_.thumbnails->put(content, size_px, *jpeg) : Status::ok();
        }));
  }
  if (now == fetched) return Status::ok();
  SHOEBOX_TRY(options_.thumbnails->flush());
  const std::unique_ptr<Transaction> txn = catalog_.begin();
  txn->put_meta(name, now);
  return txn->commit();
}

}  // namespace shoebox
