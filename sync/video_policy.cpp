#include "sync/video_policy.h"

#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/tree/name_class.h"

namespace shoebox {

VideoPolicy::VideoPolicy(const Catalog& catalog, std::string remote, UploadPolicy policy)
    : catalog_(catalog), remote_(std::move(remote)), policy_(std::move(policy)) {}

// What cannot be told for sure is none: it would wait for ever.
bool VideoPolicy::is_video(PhotoId id, const PhotoRecord& photo) const {
  const Result<bool> video = counts_as_video(catalog_, id, photo);
  return video && *video;
}

void VideoPolicy::count(ContentNo content, uint64_t size) {
  forget(content);
  videos_.emplace(content, size);
  bytes_ += size;
}

void VideoPolicy::forget(ContentNo content) {
  const auto known = videos_.find(content);
  if (known == videos_.end()) return;
  bytes_ -= known->second;
  videos_.erase(known);
}

void VideoPolicy::add_up() {
  if (added_up_.exchange(true)) return;
  const Status read =
      catalog_.for_each_photo([&](PhotoId id, const PhotoRecord& photo) NO_THREAD_SAFETY_ANALYSIS {
        if (!is_video(id, photo)) return true;
        const auto copy = catalog_.copy(photo.content, remote_);
        if (copy && *copy) count(photo.content, (*copy)->size);
        return true;
      });
  if (!read) log::warning("remote {}: adding up its videos: {}", remote_, read.message());
}

KeptBack VideoPolicy::kept_back(ContentNo content) {
  const auto photo_id = catalog_.photo_of_content(content);
  if (!photo_id || !*photo_id) return {};
  const auto photo = catalog_.photo(**photo_id);
  const auto record = catalog_.content(content);
  if (!photo || !*photo || !record || !*record) return {};
  if (!is_video(**photo_id, **photo)) return {};
  const uint64_t size = (*record)->size;
  const MutexLock lock(mutex_);
  if (policy_.video_quota_bytes) {
    add_up();
    forget(content);  // it does not stand in its own way
  }
  KeptBack back{shoebox::kept_back(policy_, MediaKind::kVideo, size, bytes_), size};
  if (back.why.empty() && policy_.video_quota_bytes) count(content, size);
  return back;
}

void VideoPolicy::observe(const Change& change) {
  // Before anything was added up there is nothing to keep up to date.
  if (!policy_.video_quota_bytes || change.uploads.empty() || !added_up_) return;
  const MutexLock lock(mutex_);
  for (const Change::Upload& upload : change.uploads) {
    // A job that was queued is no news. What a job or a copy that went means, the catalog tells as it is now:
    // commits may be told out of their order.
    if (upload.remote != remote_ || (!upload.erased && !upload.is_copy)) continue;
    const auto copy = catalog_.copy(upload.content, remote_);
    if (!copy) continue;
    if (!*copy) {
      forget(upload.content);
      continue;
    }
    const auto photo = catalog_.photo_of_content(upload.content);
    if (!photo || !*photo) continue;
    const auto what = catalog_.photo(**photo);
    if (what && *what && is_video(**photo, **what)) count(upload.content, (*copy)->size);
  }
}

}  // namespace shoebox
