#include "fs/parked_request.h"

#include <cerrno>

namespace shoebox {

std::shared_ptr<ParkedRequest> ParkedRequest::create(Filesystem& filesystem, fuse_req_t request) {
  auto parked = std::make_shared<ParkedRequest>(filesystem, request);
  fuse_req_interrupt_func(request, &ParkedRequest::on_interrupt, parked.get());
  return parked;
}

// libfuse calls the interrupt function with the request's lock held and takes the same lock to
// remove it. So once this returns none runs any more, and the request may be answered and freed.
void ParkedRequest::stop_listening() { fuse_req_interrupt_func(request_, nullptr, nullptr); }

bool ParkedRequest::claim() {
  const State before = state_.exchange(State::kAnswered, std::memory_order_acq_rel);
  if (before == State::kParked) filesystem_.parked_reads.leave();
  return before != State::kAnswered;
}

bool ParkedRequest::take() {
  if (!claim()) return false;
  stop_listening();
  return true;
}

bool ParkedRequest::park(bool may_refuse) {
  const bool room = filesystem_.parked_reads.enter();
  State expected = State::kRunning;
  if (!state_.compare_exchange_strong(expected, State::kParked, std::memory_order_acq_rel)) {
    filesystem_.parked_reads.leave();  // answered meanwhile
    return true;
  }
  if (room || !may_refuse || !take()) return true;
  cancel_.cancel();
  fuse_reply_err(request_, EIO);
  return false;
}

void ParkedRequest::on_interrupt(fuse_req_t request, void* self) {
  // Alive here: take() waits for this function before it lets go, unless it came second.
  const std::shared_ptr<ParkedRequest> parked = static_cast<ParkedRequest*>(self)->shared_from_this();
  if (!parked->claim()) return;
  parked->cancel_.cancel();
  fuse_reply_err(request, EINTR);
}

}  // namespace shoebox
