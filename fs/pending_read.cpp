#include "fs/pending_read.h"

#include <cerrno>

#include "fs/reply.h"
#include "store/files.h"

namespace shoebox {
namespace {

void send(fuse_req_t request, const ReadReply& reply) {
  fuse_bufvec buffer = {};
  buffer.count = 1;
  buffer.buf[0].size = reply.bytes;
  if (reply.fd >= 0) {
    buffer.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
    buffer.buf[0].fd = reply.fd;
    buffer.buf[0].pos = static_cast<off_t>(reply.fd_offset);
    fuse_reply_data(request, &buffer, static_cast<fuse_buf_copy_flags>(0));
  } else {
    fuse_reply_buf(request, reply.memory.data(), reply.bytes);
  }
}

}  // namespace

PendingRead::PendingRead(Filesystem& filesystem, fuse_req_t request)
    : filesystem_(filesystem), request_(request) {}

void PendingRead::listen() { fuse_req_interrupt_func(request_, &PendingRead::on_interrupt, this); }

// libfuse calls the interrupt function with the request's lock held and takes the same lock to
// remove it. So once this returns none runs any more, and the request may be answered and freed.
void PendingRead::stop_listening() { fuse_req_interrupt_func(request_, nullptr, nullptr); }

bool PendingRead::claim() {
  const State before = state_.exchange(State::kAnswered, std::memory_order_acq_rel);
  if (before == State::kParked) filesystem_.parked_reads.leave();
  return before != State::kAnswered;
}

bool PendingRead::park(bool may_refuse) {
  const bool room = filesystem_.parked_reads.enter();
  State expected = State::kRunning;
  if (!state_.compare_exchange_strong(expected, State::kParked, std::memory_order_acq_rel)) {
    filesystem_.parked_reads.leave();  // answered meanwhile
    return true;
  }
  if (room || !may_refuse || !claim()) return true;
  cancel_.cancel();
  stop_listening();
  fuse_reply_err(request_, EIO);
  return false;
}

void PendingRead::finish(const Result<ReadReply>& reply) {
  if (!claim()) return;
  stop_listening();
  if (reply.is_ok()) {
    send(request_, *reply);
  } else {
    reply_failure(request_, reply.status());
  }
}

void PendingRead::on_interrupt(fuse_req_t request, void* self) {
  // Alive here: finish() waits for this function before it lets go, unless it came second.
  const std::shared_ptr<PendingRead> read = static_cast<PendingRead*>(self)->shared_from_this();
  if (!read->claim()) return;
  read->cancel_.cancel();
  fuse_reply_err(request, EINTR);
}

}  // namespace shoebox
