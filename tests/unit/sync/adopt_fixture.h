// A remote in memory that counts what it is asked, lists in pages, pins by ETag, and can change behind
// the reader's back.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>

#include "store/base/hash.h"
#include "sync/remote/remote.h"
#include "tests/unit/sync/hook.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox::testing {

class StandingRemote final : public Remote {
 public:
  explicit StandingRemote(std::string name, size_t page = 7) : name_(std::move(name)), page_(page) {}

  void place(const std::string& key, const std::string& bytes, int64_t modified_s = 1'500'000'000) {
    const MutexLock lock(mutex_);
    objects_[key] = {bytes, fmt::format("{}-{}", key, ++writes_), modified_s};
  }
  // What a test compares before and after: nothing there may change.
  std::map<std::string, std::string> all() {
    const MutexLock lock(mutex_);
    std::map<std::string, std::string> found;
    for (const auto& [key, object] : objects_) found[key] = object.etag + object.bytes;
    return found;
  }
  uint64_t gets() {
    const MutexLock lock(mutex_);
    return gets_;
  }
  uint64_t lists() {
    const MutexLock lock(mutex_);
    return lists_;
  }
  uint64_t bytes_sent() {
    const MutexLock lock(mutex_);
    return bytes_sent_;
  }
  void reset_counts() {
    const MutexLock lock(mutex_);
    gets_ = lists_ = bytes_sent_ = 0;
  }
  Hook<Status(const std::string& key, ByteRange range)> before_get;  // may fail it
  std::function<void(const std::string& key)> during_get;            // after half of the bytes

  // --- Remote
  [[nodiscard]] const std::string& name() const override { return name_; }
  Status check(const RequestContext&) override { return Status::ok(); }
  Result<RemoteObject> put(const std::string&, int, const PutOptions&, const RequestContext&) override {
    ADD_FAILURE() << "nothing is written";
    return Status(Code::kNotSupported, "put");
  }
  Result<RemoteObject> stat(const std::string& key, const RequestContext&) override {
    const MutexLock lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return Status(Code::kNotFound, "no such object");
    return describe(found);
  }
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override {
    if (context.cancel.cancelled()) return {Code::kCancelled, "cancelled"};
    if (const auto hook = before_get.get()) SHOEBOX_TRY((*hook)(key, range));
    std::string bytes;
    {
      const MutexLock lock(mutex_);
      ++gets_;
      const auto found = objects_.find(key);
      if (found == objects_.end()) return {Code::kNotFound, "no such object"};
      if (!etag.empty() && etag != found->second.etag) return {Code::kConflict, "another etag"};
      bytes = found->second.bytes.substr(range.begin, range.size());
      bytes_sent_ += bytes.size();
    }
    SHOEBOX_TRY(sink(std::string_view(bytes).substr(0, bytes.size() / 2)));
    if (during_get) during_get(key);
    {
      const MutexLock lock(mutex_);
      const auto found = objects_.find(key);
      if (!etag.empty() && (found == objects_.end() || etag != found->second.etag)) {
        // As a server that sends on whatever stands there now.
        bytes.replace(bytes.size() / 2, std::string::npos, bytes.size() - bytes.size() / 2, 'X');
        SHOEBOX_TRY(sink(std::string_view(bytes).substr(bytes.size() / 2)));
        return {Code::kConflict, "it changed while it was read"};
      }
    }
    return sink(std::string_view(bytes).substr(bytes.size() / 2));
  }
  Result<ListPage> list(const std::string& prefix, const std::string& next, const RequestContext&) override {
    const MutexLock lock(mutex_);
    ++lists_;
    ListPage page;
    for (auto object = objects_.upper_bound(next); object != objects_.end(); ++object) {
      if (!object->first.starts_with(prefix)) continue;
      if (page.objects.size() == page_) {
        page.next = page.objects.back().key;
        break;
      }
      page.objects.push_back(describe(object));
    }
    return page;
  }
  Status copy(const std::string&, const std::string&, const RequestContext&) override {
    ADD_FAILURE() << "nothing is moved";
    return {Code::kNotSupported, "copy"};
  }
  Status remove(const std::string&, const RequestContext&) override {
    ADD_FAILURE() << "nothing is removed";
    return {Code::kNotSupported, "remove"};
  }
  Result<uint64_t> remove_leftovers(const std::string&, const IsGivenUp&, const RequestContext&) override {
    return 0;
  }

 private:
  struct Object {
    std::string bytes, etag;
    int64_t modified_s = 0;
  };
  using Objects = std::map<std::string, Object>;
  static RemoteObject describe(Objects::const_iterator object) {
    return {object->first, object->second.etag, object->second.bytes.size(), object->second.modified_s};
  }

  const std::string name_;
  const size_t page_;
  Mutex mutex_;
  Objects objects_ GUARDED_BY(mutex_);
  uint64_t writes_ GUARDED_BY(mutex_) = 0, gets_ GUARDED_BY(mutex_) = 0, lists_ GUARDED_BY(mutex_) = 0,
                   bytes_sent_ GUARDED_BY(mutex_) = 0;
};

}  // namespace shoebox::testing
