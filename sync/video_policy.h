// Which videos the policy of one remote keeps back: all of them, or those beyond a quota. What is there, and
// what was let pass and is on its way, is added up once and then kept up to date by the commits.
//
// Owned by SyncEngine. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "store/base/ids.h"
#include "store/base/mutex.h"
#include "store/policy_settings.h"
#include "sync/policy.h"

namespace shoebox {

class Catalog;
struct Change;
struct PhotoRecord;

class VideoPolicy {
 public:
  VideoPolicy(const Catalog& catalog, std::string remote, UploadPolicy policy);
  // The uploader asks for what it is about to send: what passes counts from then on.
  KeptBack kept_back(ContentNo content);
  // After each commit.
  void observe(const Change& change);

 private:
  [[nodiscard]] bool is_video(PhotoId id, const PhotoRecord& photo) const;
  void add_up() REQUIRES(mutex_);
  void count(ContentNo content, uint64_t size) REQUIRES(mutex_);
  void forget(ContentNo content) REQUIRES(mutex_);

  const Catalog& catalog_;
  const std::string remote_;
  const UploadPolicy policy_;
  std::atomic<bool> added_up_{false};
  Mutex mutex_;  // leaf: only the catalog is read while it is held
  std::unordered_map<ContentNo, uint64_t> videos_
      GUARDED_BY(mutex_);                  // there or on their way, with their size
  uint64_t bytes_ GUARDED_BY(mutex_) = 0;  // of them
};

}  // namespace shoebox
