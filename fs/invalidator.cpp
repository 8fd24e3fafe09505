#include "fs/invalidator.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>

#include "store/base/log.h"

namespace shoebox {
namespace {

void sort_unique(std::vector<InodeNo>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

// ENOENT: the kernel does not have it cached. ENOTCONN, ENODEV, EBADF: it is unmounting.
void check(int result, const char* what, InodeNo inode) {
  if (result == 0 || result == -ENOENT || result == -ENOTCONN || result == -ENODEV || result == -EBADF)
    return;
  // ENOTEMPTY and EBUSY: something is mounted below that name, or it is somebody's root.
  log::debug("tell the kernel that {} of inode {} changed: errno {}", what, inode.value, -result);
}

}  // namespace

Invalidator::Invalidator(Notifier& notifier)
    : notifier_(notifier),
      name_thread_([this]() NO_THREAD_SAFETY_ANALYSIS { run(names_, "inval-names"); }),
      data_thread_([this]() NO_THREAD_SAFETY_ANALYSIS { run(data_, "inval-data"); }) {}

Invalidator::~Invalidator() { stop(); }

void Invalidator::post(const Change& change) {
  MutexLock lock(mutex_);
  if (stopping_) return;
  for (const Change::Name& name : change.names) {
    if (!name.kernel_knows) names_.names.push_back({name.directory, name.name});
  }
  names_.attributes.insert(names_.attributes.end(), change.attributes.begin(), change.attributes.end());
  data_.data.insert(data_.data.end(), change.data.begin(), change.data.end());
  for (Lane* lane : {&names_, &data_}) {
    if (lane->empty()) continue;
    ++lane->posted;
    lane->changed.notify_all();
  }
}

void Invalidator::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    names_.changed.notify_all();
    data_.changed.notify_all();
  }
  if (name_thread_.joinable()) name_thread_.join();
  if (data_thread_.joinable()) data_thread_.join();
}

void Invalidator::drain() NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(mutex_);
  for (Lane* lane : {&names_, &data_}) {
    const uint64_t last = lane->posted;
    lane->changed.wait(mutex_, [&]() REQUIRES(mutex_) { return stopping_ || lane->sent >= last; });
  }
}

void Invalidator::run(Lane& lane, const char* thread_name) NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), thread_name);
  mutex_.lock();
  for (;;) {
    lane.changed.wait(mutex_, [&]() REQUIRES(mutex_) { return stopping_ || !lane.empty(); });
    if (stopping_) break;
    std::vector<Name> names = std::exchange(lane.names, {});
    std::vector<InodeNo> attributes = std::exchange(lane.attributes, {});
    std::vector<InodeNo> data = std::exchange(lane.data, {});
    const uint64_t last = lane.posted;
    mutex_.unlock();
    try {
      send(names, std::move(attributes), std::move(data));
    } catch (const std::exception& error) {
      log::error("kernel caches may be stale for an hour: {}; remount to be sure", error.what());
    }
    mutex_.lock();
    lane.sent = last;
    lane.changed.notify_all();
  }
  mutex_.unlock();
}

void Invalidator::send(const std::vector<Name>& names, std::vector<InodeNo> attributes,
                       std::vector<InodeNo> data) {
  std::vector<InodeNo> directories;
  for (const Name& name : names) {
    check(notifier_.invalidate_name(name.directory, name.name), "a name", name.directory);
    directories.push_back(name.directory);
  }
  // A listing that the kernel cached stays stale when only the name in it is dropped.
  sort_unique(directories);
  for (const InodeNo directory : directories) {
    check(notifier_.invalidate_data(directory), "the listing", directory);
  }
  sort_unique(attributes);
  for (const InodeNo inode : attributes) {
    if (std::binary_search(directories.begin(), directories.end(), inode)) continue;
    check(notifier_.invalidate_attributes(inode), "attributes", inode);
  }
  sort_unique(data);
  for (const InodeNo inode : data) check(notifier_.invalidate_data(inode), "data", inode);
}

}  // namespace shoebox
