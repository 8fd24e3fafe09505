// A request that may have to wait for a remote, between its arrival and its answer. Most are
// answered before the store's call returns; one whose bytes are on a remote is parked, and then
// answered by whoever comes first: the fetch (with bytes or its deadline), or the kernel that tells
// of an interrupt.
//
// Shared by the store's callback and, while it runs, the interrupt function of libfuse. Threads: any.
#pragma once

#include <atomic>
#include <memory>

#include "fs/filesystem.h"
#include "fs/fuse_api.h"
#include "store/base/cancel.h"

namespace shoebox {

class ParkedRequest : public std::enable_shared_from_this<ParkedRequest> {
 public:
  // Listens for interrupts from here on.
  static std::shared_ptr<ParkedRequest> create(Filesystem& filesystem, fuse_req_t request);
  ParkedRequest(Filesystem& filesystem, fuse_req_t request) : filesystem_(filesystem), request_(request) {}

  // The store's call came back. If nothing was answered yet the request is parked now. `may_refuse`:
  // the kernel will ask again if anybody wants it. Returns false when it was refused.
  bool park(bool may_refuse);
  // True for the one caller that may, and must, answer request().
  [[nodiscard]] bool take();
  [[nodiscard]] fuse_req_t request() const { return request_; }
  [[nodiscard]] Filesystem& filesystem() const { return filesystem_; }
  // Raised when nobody waits any more.
  [[nodiscard]] CancelToken cancel_token() const { return cancel_; }

 private:
  enum class State { kRunning, kParked, kAnswered };
  static void on_interrupt(fuse_req_t request, void* self);
  bool claim();
  void stop_listening();

  Filesystem& filesystem_;
  const fuse_req_t request_;
  const CancelToken cancel_;
  std::atomic<State> state_{State::kRunning};
};

}  // namespace shoebox
