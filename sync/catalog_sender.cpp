#include "sync/catalog_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "sync/backup_copy.h"
#include "sync/known_head.h"
#include "sync/library_id.h"
#include "sync/remote/small_object.h"
#include "sync/thumbnail_cut.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

using backup::Head;
using backup::Segment;
using backup::SegmentKind;

// A journal smaller than this is not worth a snapshot, however small the library.
constexpr uint64_t kLeastJournalBytes = 256 << 10;

// Thumbnails of one head: a slow line shall not keep the catalog waiting for longer than a minute or so.
constexpr uint64_t kThumbnailBytesPerHead = 8 << 20;
// Segments of thumbnails below this are put together once they are many.
constexpr uint64_t kSmallThumbnailBytes = 1 << 20;

std::vector<Segment> catalog_segments(const Head& head) {
  std::vector<Segment> segments = head.segments;
  std::erase_if(segments, [](const Segment& segment) { return segment.kind == SegmentKind::kThumbnails; });
  return segments;
}

Result<uint64_t> count_rows(const CatalogReader& reader, const std::string& prefix) {
  uint64_t rows = 0;
  SHOEBOX_TRY(reader.scan(prefix, prefix, [&](std::string_view, std::string_view) {
    ++rows;
    return true;
  }));
  return rows;
}

uint64_t rows_in(const std::vector<Segment>& segments, size_t from) {
  uint64_t rows = 0;
  for (size_t i = from; i < segments.size(); ++i) rows += segments[i].rows;
  return rows;
}

// Whether what was sent last stands there no more, though nothing came to harm.
bool went_back(const BackupCopy::Heads& heads, const KnownHead& known) {
  if (!known.head) return false;
  const bool missing = !heads.damaged_turns.contains(known.head->counter % 2);
  if (heads.whole.empty()) return missing;
  const Head& newest = heads.whole.front();
  return !known.is(newest) && (missing || newest.counter > known.head->counter);
}

}  // namespace

CatalogSender::CatalogSender(Catalog& catalog, Remote& remote, const Clock& clock, Options options)
    : catalog_(catalog), remote_(remote), clock_(clock), options_(options) {}

void CatalogSender::publish() {
  sent_ = current_ ? current_->sequence : 0;
  snapshot_ = current_ ? current_->snapshot : 0;
  sent_s_ = current_ ? current_->time_s : 0;
}

Status CatalogSender::load() {
  SHOEBOX_ASSIGN(const KnownHead known, known_head(catalog_, remote_.name()));
  current_ = known.head;
  in_doubt_ = current_.has_value();
  publish();
  return Status::ok();
}

// Whether what the remote holds is what this catalog sent there last. If not (the catalog was put back
// from an older copy, somebody deleted objects, a new remote), it starts over with a snapshot.
Status CatalogSender::meet(Remote& asked, const CancelToken& cancel) {
  SHOEBOX_ASSIGN(library_, library_id(catalog_));
  const BackupCopy copy(asked, clock_, cancel);
  SHOEBOX_ASSIGN(const KnownHead known, known_head(catalog_, remote_.name()));
  SHOEBOX_ASSIGN(BackupCopy::Heads heads, copy.heads(library_));
  // A server that says once that something is not there costs no doubt about all that stands there.
  if (went_back(heads, known)) {
    SHOEBOX_ASSIGN(heads, copy.heads(library_));
  }
  SHOEBOX_ASSIGN(objects_, copy.objects(library_));
  note_harm();

  current_.reset();
  previous_.reset();
  known_ = known.head;
  const bool gone = went_back(heads, known);
  counter_ = known.head ? known.head->counter : 0;
  for (const Head& head : heads.whole) counter_ = std::max(counter_, head.counter);
  if (!heads.whole.empty()) {
    const Head& newest = heads.whole.front();
    // The next head must not replace the only whole one.
    if (heads.whole.size() == 1 && (counter_ + 1) % 2 == newest.counter % 2) ++counter_;
    const bool ours = known.is(newest);
    if (ours) known_ = newest;  // also when its answer was lost
    const bool whole =
        std::all_of(newest.segments.begin(), newest.segments.end(), [&](const Segment& segment) {
          const auto found = objects_.find(segment_key(library_, segment));
          return found != objects_.end() && found->second == segment.bytes;
        });
    if (ours && whole && newest.sequence <= catalog_.last_change()) {
      settle_harm();
      current_ = newest;
      if (heads.whole.size() > 1) previous_ = heads.whole.back();
    } else {
      log::warning("remote {}: the backup of the catalog there is {}; sending a whole one", remote_.name(),
                   whole ? "not the one this library made last" : "not complete");
      previous_ = newest;
    }
  }
  publish();  // what is told below may fail: a send is due then, which tells it again
  if (current_) {
    SHOEBOX_ASSIGN(current_etag_, head_etag(asked, cancel));
  }
  SHOEBOX_TRY(
      tell_gone_back(gone, heads.whole.empty() ? "" : sha256(encode(heads.whole.front())).hex(), cancel));
  met_ = true;
  return Status::ok();
}

// Once for each state that it was put back to: whoever is told may read all that stands there.
Status CatalogSender::tell_gone_back(bool gone, const std::string& newest, const CancelToken& cancel) {
  untold_ = gone && told_of_ != newest && options_.on_gone_back;
  if (current_) told_of_.reset();
  in_doubt_ = untold_;
  if (!untold_) return Status::ok();
  SHOEBOX_TRY(options_.on_gone_back(cancel));
  told_of_ = newest;
  untold_ = in_doubt_ = false;
  return Status::ok();
}

// Of the head that was sent last; empty: it does not stand there.
Result<std::string> CatalogSender::head_etag(Remote& asked, const CancelToken& cancel) {
  RequestContext context;
  context.cancel = cancel;
  context.deadline = transfer_deadline(clock_, 0);
  const Result<RemoteObject> there = asked.stat(backup::head_key(library_, current_->counter), context);
  if (!there && there.code() != Code::kNotFound) return there.status();
  return there && there->size == encode(*current_).size() ? there->etag : std::string();
}

// A journal sent to an older state of the remote would go on from segments that are not there.
Status CatalogSender::look_at(Remote& asked, const CancelToken& cancel) {
  if (!current_ && !untold_) return Status::ok();  // nothing was sent
  if (met_) {
    SHOEBOX_ASSIGN(const std::string etag, head_etag(asked, cancel));
    if (!etag.empty() && etag == current_etag_) return Status::ok();
    met_ = false;
  }
  return meet(asked, cancel);
}

Status CatalogSender::look(const CancelToken& cancel) {
  return look_at(options_.looks != nullptr ? *options_.looks : remote_, cancel);
}

CatalogSender::Plan CatalogSender::plan(const CatalogMoment& moment, bool snapshot) const {
  Plan plan;
  std::vector<Segment>& segments = plan.head.segments;
  for (const Segment& segment : current_ ? current_->segments : std::vector<Segment>()) {
    (segment.kind == SegmentKind::kThumbnails ? plan.thumbnails : segments).push_back(segment);
  }
  plan.head.schema = keys::kSchema;
  plan.head.library = library_;
  plan.head.remote = remote_.name();
  plan.head.counter = counter_ + 1;
  plan.head.sequence = moment.sequence();
  plan.snapshot = snapshot || !current_ ||
                  current_->bytes_of(SegmentKind::kJournal) >
                      std::max(kLeastJournalBytes, current_->bytes_of(SegmentKind::kSnapshot));
  if (plan.snapshot) {
    plan.head.snapshot = moment.sequence();
    segments.clear();
    return plan;
  }
  plan.head.snapshot = current_->snapshot;
  plan.after = current_->sequence;
  // Journal segments at the end that have reached their number become one. Segments of one cut say the
  // same range and count as one.
  for (;;) {
    uint32_t alike = 0;
    size_t keep = segments.size();
    for (uint64_t to = 0; keep > 0; --keep) {
      const Segment& segment = segments[keep - 1];
      if (segment.kind != SegmentKind::kJournal || segment.level != plan.level) break;
      if (segment.to != to) ++alike;
      to = segment.to;
    }
    if (alike + 1 < options_.merge) return plan;
    plan.after = segments[keep].from;
    segments.resize(keep);
    ++plan.level;
  }
}

Status CatalogSender::cut(const CatalogMoment& moment, Plan& plan, const CancelToken& cancel,
                          RequestHints& hints) {
  const backup::SegmentSink sink = [&](const Segment& segment, const std::string& file) {
    plan.head.segments.push_back(segment);
    return put_segment(segment, file, cancel, hints);
  };
  if (!plan.snapshot) {
    return backup::cut_changes(moment, plan.after, plan.level, options_.sizes, sink);
  }
  return backup::cut_snapshot(moment, options_.sizes, sink);
}

Status CatalogSender::send(const CancelToken& cancel, RequestHints& hints) {
  if (harmed_) met_ = false;
  if (met_) SHOEBOX_TRY(look_at(remote_, cancel));
  if (!met_) SHOEBOX_TRY(meet(remote_, cancel));
  // Synced: what a power cut could take from this disk must not be on a remote, where the same numbers
  // would mean other changes.
  SHOEBOX_ASSIGN(const std::unique_ptr<CatalogMoment> moment, catalog_.moment());
  SHOEBOX_TRY(catalog_.sync());
  const bool changed = !current_ || current_->sequence != moment->sequence();
  if (!changed && !more_) return Status::ok();

  Plan made = plan(*moment, /*snapshot=*/false);
  Status sent = changed ? send_catalog(*moment, made, cancel, hints) : Status::ok();
  if (!changed) {
    made.head.segments = catalog_segments(*current_);
    made.head.snapshot = current_->snapshot;
  }
  if (sent) sent = cut_thumbnail_segments(*moment, made, cancel, hints);
  if (sent) sent = put_head(*moment, made.head, cancel, hints);
  if (!sent) {
    met_ = false;  // what stands there now is not known
    return sent;
  }
  clean(cancel);
  return Status::ok();
}

Status CatalogSender::send_catalog(const CatalogMoment& moment, Plan& made, const CancelToken& cancel,
                                   RequestHints& hints) {
  Status sent = cut(moment, made, cancel, hints);
  if (sent.code() != Code::kNotFound || made.snapshot) return sent;
  // The list of changes is too short, for a merged segment or for all of it.
  made.head.segments = catalog_segments(*current_);
  made.after = current_->sequence;
  made.level = 0;
  sent = cut(moment, made, cancel, hints);
  if (sent.code() != Code::kNotFound) return sent;
  made = plan(moment, /*snapshot=*/true);
  return cut(moment, made, cancel, hints);
}

// Adds the thumbnails that stay and some of those that are new. Small segments at the end become one, once
// they are many.
Status CatalogSender::cut_thumbnail_segments(const CatalogMoment& moment, Plan& plan,
                                             const CancelToken& cancel, RequestHints& hints) {
  std::vector<Segment> kept = std::move(plan.thumbnails);
  std::vector<Segment> merged;
  bool more = false;
  if (options_.thumbnails != nullptr) {
    const auto small = std::find_if(kept.rbegin(), kept.rend(), [](const Segment& segment) {
                         return segment.bytes >= kSmallThumbnailBytes;
                       }).base();
    if (static_cast<size_t>(kept.end() - small) + 1 >= options_.merge) {
      merged.assign(small, kept.end());
      kept.erase(small, kept.end());
    }
    const size_t before = kept.size();
    const ThumbnailRange range{.after = kept.empty() ? 0 : kept.back().to,
                               .now_s = clock_.now().seconds,
                               .most_bytes = kThumbnailBytesPerHead};
    SHOEBOX_ASSIGN(more, cut_thumbnails(moment, *options_.thumbnails, range,
                                        [&](const Segment& segment, const std::string& file) {
                                          kept.push_back(segment);
                                          return put_segment(segment, file, cancel, hints);
                                        }));
    // The thumbnails on this disk may have been lost meanwhile; those on the remote are good.
    if (rows_in(kept, before) < rows_in(merged, 0) / 2) {
      kept.resize(before);
      kept.insert(kept.end(), merged.begin(), merged.end());
      more = false;
    }
  }
  more_ = more;
  plan.head.segments.insert(plan.head.segments.end(), kept.begin(), kept.end());
  return Status::ok();
}

Result<RemoteObject> CatalogSender::put(const std::string& key, const std::string& bytes,
                                        const CancelToken& cancel, RequestHints& hints) {
  RequestContext context;
  context.cancel = cancel;
  context.hints = &hints;
  context.deadline = transfer_deadline(clock_, bytes.size());
  Result<RemoteObject> there = put_small_object(remote_, key, bytes, /*if_absent=*/false, context);
  if (there && there->size != bytes.size()) {
    return Status(Code::kDataLoss, fmt::format("{} on {}: {} bytes were sent and {} confirmed", key,
                                               remote_.name(), bytes.size(), there->size));
  }
  return there;
}

Status CatalogSender::put_segment(const Segment& segment, const std::string& file, const CancelToken& cancel,
                                  RequestHints& hints) {
  const std::string key = segment_key(library_, segment);
  // Named by its hash: one of this name and size is this one.
  const auto there = objects_.find(key);
  if (there != objects_.end() && there->second == file.size()) return Status::ok();
  if (const Result<RemoteObject> sent = put(key, file, cancel, hints); !sent) return sent.status();
  kill_point("backup-segment");
  objects_[key] = file.size();
  settle_harm(key);
  return Status::ok();
}

Status CatalogSender::put_head(const CatalogMoment& moment, const Head& planned, const CancelToken& cancel,
                               RequestHints& hints) {
  Head head = planned;
  head.time_s = clock_.now().seconds;
  SHOEBOX_ASSIGN(head.originals, count_rows(moment, keys::remote_key(remote_.name(), "")));
  SHOEBOX_ASSIGN(head.pending, count_rows(moment, keys::remote_jobs(remote_.name())));
  const std::string text = encode(head);
  // First, so that a head whose answer is lost is known again; after a power cut as well, which would make
  // another machine's of it. What was known stays so until then: an older one that stands there meanwhile is
  // told by it from another machine's.
  SHOEBOX_TRY(remember(known_, sha256(text).hex()));
  SHOEBOX_TRY(catalog_.sync());
  kill_point("backup-intended");
  const std::string key = backup::head_key(library_, head.counter);
  SHOEBOX_ASSIGN(const RemoteObject there, put(key, text, cancel, hints));
  kill_point("backup-head");
  objects_[key] = text.size();
  counter_ = head.counter;
  if (current_) previous_ = std::move(current_);
  current_ = std::move(head);
  current_etag_ = there.etag;
  known_ = current_;
  told_of_.reset();
  SHOEBOX_TRY(remember(current_, "-"));
  kill_point("backup-known");
  publish();
  return Status::ok();
}

Status CatalogSender::remember(const std::optional<Head>& head, const std::string& intended) {
  const std::unique_ptr<Transaction> txn = catalog_.begin();
  put_known_head(*txn, remote_.name(), {intended, head});
  return txn->commit();
}

// What neither head names: of states before the last, and of uploads that were broken off.
void CatalogSender::clean(const CancelToken& cancel) {
  std::set<std::string> named{backup::head_key(library_, 0), backup::head_key(library_, 1)};
  for (const std::optional<Head>* head : {&current_, &previous_}) {
    if (!*head) continue;
    for (const Segment& segment : (*head)->segments) named.insert(segment_key(library_, segment));
  }
  for (auto object = objects_.begin(); object != objects_.end();) {
    if (named.contains(object->first)) {
      ++object;
      continue;
    }
    RequestContext context;
    context.cancel = cancel;
    context.deadline = transfer_deadline(clock_, 0);
    const Status removed = remote_.remove(object->first, context);
    if (!removed) {
      log::info("remote {}: {} stays until the next backup: {}", remote_.name(), object->first,
                removed.message());
      return;
    }
    kill_point("backup-cleaned");
    settle_harm(object->first);
    object = objects_.erase(object);
  }
}

}  // namespace shoebox
