// Storage that the owner chose. The next kind of remote is one file that implements this.
//
// Threads: every function from any thread; each blocks until done, cancelled or past its deadline.
// Errors: kNotFound only when the remote plainly said that the object is not there; kUnavailable
// (unreachable, 5xx), kThrottled, kTimeout may be tried again; kUnauthorized, kNoSpace, kInvalid not.
// A failed or partial answer is never "gone" or "empty".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "sync/remote/pace.h"

namespace shoebox {

// Of a request's outcome: the remote could not be asked; what it has, or allows, is not known.
inline bool no_answer(Code code) { return code == Code::kUnavailable || code == Code::kTimeout; }

// What a remote tells beside the result. The caller owns it and reads it after the call.
struct RequestHints {
  double retry_after_s = 0;  // the remote asked to wait this long (Retry-After); 0: it did not say
  uint64_t requests = 0;     // round trips that this call took, successful or not
  uint64_t extra_bytes = 0;  // received beyond what the sink was given (encryption)
  // A put with if_absent looked whether something stands there and then wrote: what came between the two
  // it may have replaced.
  bool looked_first = false;
  // get(): when the file last changed that this object was made from, where the object says so; on S3 only.
  std::optional<Timestamp> file_time;
};

struct RequestContext {
  Clock::Steady deadline = Clock::Steady::max();
  CancelToken cancel;
  RequestHints* hints = nullptr;  // optional; outlives the call
  Bandwidth bandwidth;            // what the call shares with others; outlives it
  // Asked again and again, from any thread, while the call is under way; its error breaks the call off.
  // Empty: nothing forbids it.
  std::function<Status()> allowed;
  // How many requests the call may have under way at once; asked before each one beyond the first, on the
  // thread of the call. Empty: one.
  std::function<uint32_t()> at_once;
  // copy(): of the source, where it is known; it spares who copies through this machine to read it twice.
  // Zero: not known.
  ContentHash source_sha256;
};

struct RemoteObject {
  std::string key;  // below the remote's prefix, '/'-separated, no leading '/'
  std::string etag;
  uint64_t size = 0;
  int64_t modified_s = 0;
};

struct PutOptions {
  uint64_t size = 0;
  ContentHash sha256;  // of the whole
  // When the file last changed: kept with the object where that leaves its ETag alone (S3).
  std::optional<Timestamp> file_time;
  // kConflict instead of replacing a different object that stands there. One with the same bytes
  // counts as stored: it is this put, whose answer was lost.
  bool if_absent = false;
  std::string progress;  // from an earlier, broken attempt; empty to start anew
  // Called with what is needed to resume, before it is relied on; the caller stores it durably. This and
  // on_bytes are called on the thread of put().
  std::function<Status(const std::string& progress)> save_progress;
  std::function<void(uint64_t bytes_sent)> on_bytes;
};

struct ListPage {
  std::vector<RemoteObject> objects;
  std::string next;  // empty: this was the last page; a page may be empty and not the last
  // Objects that stand there and are not told: names that do not decrypt, keys that are no paths ("a//b");
  // and the first of those keys, as far as they can be read.
  uint64_t skipped = 0;
  std::vector<std::string> skipped_keys{};
  static constexpr size_t kMostSkippedKeys = 100;
  void skip(const std::string& key) {
    ++skipped;
    if (skipped_keys.size() < kMostSkippedKeys) skipped_keys.push_back(key);
  }
};

// What an upload that was broken off left there, and no listing shows: a temporary object (`key` empty, `id`
// its name), or an upload in parts to `key` that was neither completed nor ended.
struct Leftover {
  std::string key;
  std::string id;
};
using IsGivenUp = std::function<Result<bool>(const Leftover&)>;

class Remote {
 public:
  virtual ~Remote() = default;
  // Name from the settings, for messages and catalog keys.
  [[nodiscard]] virtual const std::string& name() const = 0;

  // Reachable, credentials right, bucket or folder there. The message says what to do.
  virtual Status check(const RequestContext& context) = 0;
  // Stores the bytes of `fd` (options.size bytes from offset 0) under `key`; returns only when the
  // remote confirmed them as its kind can (design.md section 4).
  virtual Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                                   const RequestContext& context) = 0;
  virtual Result<RemoteObject> stat(const std::string& key, const RequestContext& context) = 0;
  // Calls `sink` with consecutive pieces of the range; kDataLoss when the body ends early. When `etag`
  // is not empty and the object's differs: kConflict.
  virtual Status get(const std::string& key, ByteRange range, const std::string& etag,
                     const std::function<Status(std::string_view)>& sink, const RequestContext& context) = 0;
  // Keys that begin with `prefix`, in byte order; of an encrypted remote in that of the encrypted names.
  virtual Result<ListPage> list(const std::string& prefix, const std::string& next,
                                const RequestContext& context) = 0;
  virtual Status copy(const std::string& from, const std::string& to, const RequestContext& context) = 0;
  // Ok when it was not there.
  virtual Status remove(const std::string& key, const RequestContext& context) = 0;
  // Removes leftovers of which `given_up` says so, but nothing that this process is at. With `key` only what
  // is left of uploads to that key. REQUIRES: nobody else writes there. Gives how many; 0 as well where the
  // server cannot tell.
  virtual Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                            const RequestContext& context) = 0;
};

}  // namespace shoebox
