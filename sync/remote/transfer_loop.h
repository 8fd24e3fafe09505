// The one thread through which all bytes of HTTP remotes move: a curl-multi loop. Callers hand it a
// request and block; it reads bodies from files and answers go back to the caller's own thread
// through a bounded queue, so that a slow disk or hash holds up its own transfer only.
//
// TLS is always verified, redirects are never followed (they would carry credentials elsewhere),
// only http and https are spoken. A transfer ends by its answer, its deadline, its CancelToken or
// when nothing moved for `stall`.
//
// Owned by whoever makes remotes; shared by them, since the last one standing ends the thread.
// Lock order: loop mutex and a transfer's mutex are never held together. None is held over I/O.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "store/base/mutex.h"
#include "sync/remote/http.h"
#include "sync/remote/remote.h"

namespace shoebox {

struct TransferLimits {
  std::chrono::milliseconds connect{10'000};  // a host on the far side of the earth answers within one second
  std::chrono::milliseconds stall{30'000};    // the longest silence that servers under load were seen to make
};

class TransferLoop {
 public:
  explicit TransferLoop(TransferLimits limits = {});
  ~TransferLoop();  // ends running transfers with kCancelled
  TransferLoop(const TransferLoop&) = delete;
  TransferLoop& operator=(const TransferLoop&) = delete;

  // Bodies keep to context.bandwidth; what curl and the kernel buffer goes beyond it by their size.
  // Any thread except the loop's. Ok means that a whole answer came, whatever its status.
  // kUnavailable: no whole answer; kDataLoss: the body for the sink, or the local file, ended early.
  Result<HttpResponse> run(const HttpRequest& request, const RequestContext& context);

  // How often its thread has looked around: some twenty times a second and for each piece that moves. Any
  // thread.
  [[nodiscard]] uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }

 private:
  struct Transfer;
  struct Callbacks;
  using TransferPtr = std::shared_ptr<Transfer>;  // shared: the caller and the loop each may let go last

  void loop();
  void take_incoming();
  [[nodiscard]] int longest_wait_ms() const;
  void look_after(const TransferPtr& transfer);
  void reap();
  void finish(const TransferPtr& transfer, Status status);
  Status prepare(Transfer& transfer) const;

  const TransferLimits limits_;
  void* multi_ = nullptr;            // CURLM
  std::vector<TransferPtr> active_;  // loop thread only
  Mutex mutex_;
  std::vector<TransferPtr> incoming_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::atomic<uint64_t> turns_{0};
  std::thread thread_;
};

}  // namespace shoebox
