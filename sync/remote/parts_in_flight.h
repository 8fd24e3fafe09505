// The parts of one object that are on their way, each sent by a thread of its own: beside the bytes of a part
// a thread costs nothing. They end in any order, and are taken back one by one.
//
// Used by one put(), on its thread; calls nobody on another one but what start() was given.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <thread>

#include "store/base/mutex.h"
#include "sync/remote/remote.h"

namespace shoebox {

class PartsInFlight {
 public:
  // Sends one part, on its thread; `on_bytes` is told how much of it went so far.
  using Send = std::function<Status(const RequestContext& context,
                                    const std::function<void(uint64_t bytes_sent)>& on_bytes)>;
  struct Ended {
    size_t index = 0;
    Status status;
  };

  // `context` is that of the put, and gets the hints of its parts.
  explicit PartsInFlight(const RequestContext& context) : context_(context) {}
  ~PartsInFlight();  // waits: the parts read the file of the put
  PartsInFlight(const PartsInFlight&) = delete;
  PartsInFlight& operator=(const PartsInFlight&) = delete;

  // REQUIRES: no part of this index is under way.
  void start(size_t index, Send send);
  [[nodiscard]] size_t count() const { return flights_.size(); }
  [[nodiscard]] uint64_t bytes_sent() const;  // of those under way

  // One that has ended, and waits for it; `on_moved` is called whenever some of them got further.
  // REQUIRES: count() > 0.
  Ended take(const std::function<void()>& on_moved);
  [[nodiscard]] bool any_ended() const EXCLUDES(mutex_);

 private:
  struct Flight {
    RequestContext context;
    RequestHints hints;
    std::atomic<uint64_t> sent{0};
    std::thread thread;
  };
  void fly(size_t index, Flight& flight, const Send& send) EXCLUDES(mutex_);

  const RequestContext& context_;
  std::map<size_t, Flight> flights_;  // by index, of the put's thread
  mutable Mutex mutex_;               // leaf
  ConditionVariable changed_;
  std::deque<Ended> ended_ GUARDED_BY(mutex_);
  bool moved_ GUARDED_BY(mutex_) = false;
};

}  // namespace shoebox
