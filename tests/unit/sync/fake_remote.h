// A Remote in memory whose faults the test switches on.
#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <set>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "store/base/mutex.h"
#include "sync/remote/remote.h"
#include "tests/unit/sync/hook.h"

namespace shoebox::testing {

class FakeRemote final : public Remote {
 public:
  explicit FakeRemote(std::string name) : name_(std::move(name)) {}

  // --- faults
  // The answers to the next calls of put and get; then all goes well again.
  void fail_next(Status status, int times = 1) {
    MutexLock lock(mutex_);
    for (int i = 0; i < times; ++i) failures_.push_back(status);
  }
  void set_down(bool down) { down_ = down; }         // kUnavailable until further notice
  Hook<void()> before_get;                           // called by each get, before it answers
  Hook<void(const std::string& key)> before_get_of;  // likewise
  Hook<void()> after_get;                            // called by each get that gave all its bytes
  void set_retry_after(double s) { retry_after_s_ = s; }
  void flip_bytes(bool flip) { flip_ = flip; }  // get answers wrong bytes
  void cut_short(bool cut) { cut_ = cut; }      // get ends early, and says ok
  // A put takes what stands there for the same by what was recorded of it, not by its bytes.
  void set_trusting(bool trusting) { trusting_ = trusting; }
  // Calls hang until release() or their cancel.
  void hold() {
    MutexLock lock(mutex_);
    held_ = true;
  }
  void release() {
    {
      MutexLock lock(mutex_);
      held_ = false;
    }
    changed_.notify_all();
  }
  // Blocks until `count` calls hang or were made.
  void wait_for_calls(uint64_t count) {
    MutexLock lock(mutex_);
    changed_.wait(mutex_, [&]() REQUIRES(mutex_) { return calls_ >= count; });
  }

  // --- what the test looks at
  void place(const std::string& key, std::string bytes) {
    MutexLock lock(mutex_);
    objects_[key] = std::move(bytes);
  }
  std::optional<std::string> object(const std::string& key) {
    MutexLock lock(mutex_);
    const auto found = objects_.find(key);
    return found == objects_.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::string> keys() {
    MutexLock lock(mutex_);
    std::vector<std::string> all;
    for (const auto& [key, bytes] : objects_) all.push_back(key);
    return all;
  }
  std::vector<ByteRange> gets() {
    MutexLock lock(mutex_);
    return gets_;
  }
  [[nodiscard]] uint64_t puts() const { return puts_; }
  [[nodiscard]] uint64_t most_at_once() const { return most_at_once_; }
  std::string last_progress() {
    MutexLock lock(mutex_);
    return last_progress_;
  }
  // How many requests each put so far may have at once, asked now. REQUIRES: hold(), and they hang.
  std::vector<uint32_t> shares() {
    std::vector<std::function<uint32_t()>> ask;
    {
      MutexLock lock(mutex_);
      ask = at_once_of_puts_;
    }
    std::vector<uint32_t> shares;
    for (const auto& at_once : ask) shares.push_back(at_once ? at_once() : 1);
    return shares;
  }
  void save_progress_of_next_put(std::string progress) {
    MutexLock lock(mutex_);
    progress_to_save_ = std::move(progress);
  }

  // --- Remote
  [[nodiscard]] const std::string& name() const override { return name_; }
  Status check(const RequestContext& context) override {
    (void)context;
    return down_ ? Status(Code::kUnavailable, "fake: down") : Status::ok();
  }
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override {
    ++puts_;
    {
      MutexLock lock(mutex_);
      last_progress_ = options.progress;
      at_once_of_puts_.push_back(context.at_once);
      if (!progress_to_save_.empty()) {
        const std::string progress = std::exchange(progress_to_save_, "");
        if (const Status saved = options.save_progress(progress); !saved) return saved;
      }
    }
    SHOEBOX_TRY(enter(context));
    std::string bytes(options.size, '\0');
    const auto got = pread_full(fd, bytes.data(), bytes.size(), 0);
    if (!got) return got.status();
    if (*got != options.size || sha256(bytes) != options.sha256) {
      return Status(Code::kDataLoss, "fake: the file is not what it should be");
    }
    MutexLock lock(mutex_);
    const auto there = objects_.find(key);
    if (there != objects_.end() && options.if_absent && trusting_ && there->second.size() == bytes.size()) {
      return describe(key);
    }
    if (there != objects_.end() && options.if_absent && there->second != bytes) {
      return Status(Code::kConflict, "fake: another object stands there");
    }
    objects_[key] = std::move(bytes);
    return describe(key);
  }
  Result<RemoteObject> stat(const std::string& key, const RequestContext&) override {
    MutexLock lock(mutex_);
    return describe(key);
  }
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override {
    (void)etag;
    if (const auto hook = before_get.get()) (*hook)();
    if (const auto hook = before_get_of.get()) (*hook)(key);
    std::string bytes;
    {
      MutexLock lock(mutex_);
      gets_.push_back(range);
    }
    SHOEBOX_TRY(enter(context));
    {
      MutexLock lock(mutex_);
      const auto found = objects_.find(key);
      if (found == objects_.end()) return {Code::kNotFound, "fake: no such object"};
      if (range.end > found->second.size()) return {Code::kInvalid, "fake: range beyond the object"};
      bytes = found->second.substr(range.begin, range.size());
    }
    for (size_t at = 0; flip_ && at < bytes.size(); at += kBlockBytes)
      bytes[at] = static_cast<char>(bytes[at] ^ 1);
    if (cut_) bytes.resize(bytes.size() / 2);
    constexpr size_t kPiece = 100'000;  // ends within blocks
    for (size_t at = 0; at < bytes.size(); at += kPiece) {
      SHOEBOX_TRY(sink(std::string_view(bytes).substr(at, kPiece)));
    }
    if (const auto hook = after_get.get()) (*hook)();
    return Status::ok();
  }
  Result<ListPage> list(const std::string& prefix, const std::string&, const RequestContext&) override {
    if (down_) return Status(Code::kUnavailable, "fake: down");
    MutexLock lock(mutex_);
    ListPage page;
    for (const auto& [key, bytes] : objects_) {
      if (key.starts_with(prefix)) page.objects.push_back({key, "etag", bytes.size(), 0});
    }
    return page;
  }
  Status copy(const std::string& from, const std::string& to, const RequestContext&) override {
    MutexLock lock(mutex_);
    if (!objects_.contains(from)) return {Code::kNotFound, "fake: no such object"};
    if (to.size() - (to.rfind('/') + 1) > 255) return {Code::kNameTooLong, "fake: as file systems say"};
    objects_[to] = objects_.at(from);
    return Status::ok();
  }
  Status remove(const std::string& key, const RequestContext&) override {
    MutexLock lock(mutex_);
    objects_.erase(key);
    return Status::ok();
  }
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override {
    SHOEBOX_TRY(enter(context));
    std::vector<Leftover> all;
    {
      MutexLock lock(mutex_);
      all.swap(leftovers_);
    }
    uint64_t removed = 0;
    for (const Leftover& left : all) {
      bool goes = false;
      if (key.empty() || left.key == key) {
        SHOEBOX_ASSIGN(goes, given_up(left));
      }
      removed += goes ? 1 : 0;
      MutexLock lock(mutex_);
      if (!goes) leftovers_.push_back(left);
    }
    return removed;
  }
  void leave(const std::string& key, const std::string& id) {
    MutexLock lock(mutex_);
    leftovers_.push_back({key, id});
  }
  std::vector<std::string> leftovers() {
    MutexLock lock(mutex_);
    std::vector<std::string> ids;
    for (const Leftover& left : leftovers_) ids.push_back(left.id);
    return ids;
  }

 private:
  Result<RemoteObject> describe(const std::string& key) REQUIRES(mutex_) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return Status(Code::kNotFound, "fake: no such object");
    return RemoteObject{key, "etag", found->second.size(), 0};
  }
  // Counts, hangs while held, and gives the fault that is due.
  Status enter(const RequestContext& context) NO_THREAD_SAFETY_ANALYSIS {
    MutexLock lock(mutex_);
    ++calls_;
    ++at_once_;
    most_at_once_ = std::max<uint64_t>(most_at_once_, at_once_);
    changed_.notify_all();
    const auto wanted = [&context] { return context.allowed ? context.allowed() : Status::ok(); };
    while (held_ && !context.cancel.cancelled() && wanted()) {
      changed_.wait_for(mutex_, std::chrono::milliseconds(5));
    }
    --at_once_;
    if (const Status allowed = wanted(); !allowed) return allowed;
    if (context.cancel.cancelled()) return {Code::kCancelled, "fake: cancelled"};
    if (context.hints != nullptr) context.hints->retry_after_s = retry_after_s_;
    if (down_) return {Code::kUnavailable, "fake: down"};
    if (failures_.empty()) return Status::ok();
    const Status status = failures_.front();
    failures_.pop_front();
    return status;
  }

  const std::string name_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::map<std::string, std::string> objects_ GUARDED_BY(mutex_);
  std::vector<Leftover> leftovers_ GUARDED_BY(mutex_);
  std::vector<ByteRange> gets_ GUARDED_BY(mutex_);
  std::deque<Status> failures_ GUARDED_BY(mutex_);
  bool held_ GUARDED_BY(mutex_) = false;
  uint64_t calls_ GUARDED_BY(mutex_) = 0;
  uint64_t at_once_ GUARDED_BY(mutex_) = 0;
  std::vector<std::function<uint32_t()>> at_once_of_puts_ GUARDED_BY(mutex_);
  std::string last_progress_ GUARDED_BY(mutex_);
  std::string progress_to_save_ GUARDED_BY(mutex_);
  std::atomic<uint64_t> puts_{0}, most_at_once_{0};
  std::atomic<bool> down_{false}, flip_{false}, cut_{false}, trusting_{false};
  std::atomic<double> retry_after_s_{0};
};

}  // namespace shoebox::testing
