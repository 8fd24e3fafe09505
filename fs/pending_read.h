// One read(2) between its request and its answer. Most are answered before Files::read returns;
// one whose bytes are on a remote is parked, and then answered by whoever comes first: the fetch
// (with bytes or its deadline), or the kernel that tells of an interrupt.
//
// Shared by the callback of Files::read and, while it runs, the interrupt function of libfuse.
// Threads: any.
#pragma once

#include <atomic>
#include <memory>

#include "fs/filesystem.h"
#include "fs/fuse_api.h"
#include "store/base/cancel.h"
#include "store/base/result.h"

namespace shoebox {

struct ReadReply;

class PendingRead : public std::enable_shared_from_this<PendingRead> {
 public:
  PendingRead(Filesystem& filesystem, fuse_req_t request);
  // Listens for interrupts from now on. Call once, before the read begins.
  void listen();
  // The read was not answered at once. `may_refuse`: the kernel will ask again if anybody wants it.
  // Returns false when it was refused.
  bool park(bool may_refuse);
  void finish(const Result<ReadReply>& reply);
  [[nodiscard]] CancelToken cancel_token() const { return cancel_; }

 private:
  enum class State { kRunning, kParked, kAnswered };
  static void on_interrupt(fuse_req_t request, void* self);
  // True for the one caller that may answer.
  bool claim();
  void stop_listening();

  Filesystem& filesystem_;
  const fuse_req_t request_;
  const CancelToken cancel_;
  std::atomic<State> state_{State::kRunning};
};

}  // namespace shoebox
