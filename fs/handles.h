// What open(2) and opendir(2) hand to the kernel: numbers, looked up here, so that no pointer of
// ours ever comes back from outside.
//
// Owned by Filesystem. Threads: any; a lock per shard, held for a look-up only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "store/base/mutex.h"

namespace shoebox {

template <typename T>
class HandleTable {
 public:
  uint64_t add(std::shared_ptr<T> handle) {
    const uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
    Shard& shard = shard_of(number);
    MutexLock lock(shard.mutex);
    shard.handles.emplace(number, std::move(handle));
    return number;
  }

  // Null when there is no such handle. Shared: a parked read outlives a release.
  [[nodiscard]] std::shared_ptr<T> find(uint64_t number) const {
    const Shard& shard = shard_of(number);
    MutexLock lock(shard.mutex);
    const auto found = shard.handles.find(number);
    return found == shard.handles.end() ? nullptr : found->second;
  }

  // Some handle of which `wanted` says true, or null. Looks at all of them: for rare questions.
  template <typename Wanted>
  [[nodiscard]] std::shared_ptr<T> find_if(const Wanted& wanted) const {
    for (const Shard& shard : shards_) {
      MutexLock lock(shard.mutex);
      for (const auto& [number, handle] : shard.handles) {
        if (wanted(*handle)) return handle;
      }
    }
    return nullptr;
  }

  std::shared_ptr<T> remove(uint64_t number) {
    Shard& shard = shard_of(number);
    MutexLock lock(shard.mutex);
    const auto found = shard.handles.find(number);
    if (found == shard.handles.end()) return nullptr;
    std::shared_ptr<T> handle = std::move(found->second);
    shard.handles.erase(found);
    return handle;
  }

  [[nodiscard]] size_t size() const {
    size_t total = 0;
    for (const Shard& shard : shards_) {
      MutexLock lock(shard.mutex);
      total += shard.handles.size();
    }
    return total;
  }

  // Forgets all of them: what the kernel did not release before it went away.
  void clear() {
    for (Shard& shard : shards_) {
      std::unordered_map<uint64_t, std::shared_ptr<T>> dropped;
      {
        MutexLock lock(shard.mutex);
        dropped.swap(shard.handles);
      }
    }
  }

 private:
  struct Shard {
    mutable Mutex mutex;
    std::unordered_map<uint64_t, std::shared_ptr<T>> handles GUARDED_BY(mutex);
  };
  static constexpr size_t kShards = 16;  // more than there are FUSE workers that run at once
  Shard& shard_of(uint64_t number) { return shards_[number % kShards]; }
  const Shard& shard_of(uint64_t number) const { return shards_[number % kShards]; }

  std::array<Shard, kShards> shards_;
  std::atomic<uint64_t> next_{1};
};

}  // namespace shoebox
