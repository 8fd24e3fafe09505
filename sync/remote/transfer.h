// One transfer of the loop: the curl handle, what it has got so far, and the queue to its caller.
// Private to transfer_loop.cpp and transfer.cpp.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <deque>

#include "sync/remote/transfer_loop.h"

namespace shoebox {

struct TransferLoop::Transfer {
  Transfer(const HttpRequest& r, const RequestContext& c) : request(r), context(c) {}
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Pieces not yet taken by the caller; above this the connection is paused.
  static constexpr size_t kMaxQueuedBytes = 2 << 20;

  // Valid until `done`: the caller waits for it.
  const HttpRequest& request;
  const RequestContext& context;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  char detail[CURL_ERROR_SIZE] = "";

  // Loop thread only, and the caller once `done`.
  HttpResponse response;
  size_t header_bytes = 0;
  bool body_begun = false;
  bool paused = false;       // receiving, until the caller has room and the pace allows more
  bool send_paused = false;  // until `send_due`
  uint64_t sent_at = 0;      // offset in the body
  size_t send_granted = 0;   // bytes that the pace lets go at `send_due`
  Clock::Steady send_due = Clock::Steady::min();
  Clock::Steady receive_due = Clock::Steady::min();
  std::chrono::steady_clock::time_point last_progress = std::chrono::steady_clock::now();
  int unsent_in_kernel = 0;
  Status failure;  // why a callback stopped the transfer

  std::atomic<bool> abandoned{false};  // the caller's sink failed

  Mutex mutex;
  ConditionVariable changed;
  std::deque<std::string> pieces GUARDED_BY(mutex);
  size_t queued_bytes GUARDED_BY(mutex) = 0;
  uint64_t sent GUARDED_BY(mutex) = 0;
  bool done GUARDED_BY(mutex) = false;
  Status result GUARDED_BY(mutex);

  [[nodiscard]] uint64_t body_size() const {
    return request.body_fd >= 0 ? request.body_range.size() : request.body.size();
  }
  void progressed() { last_progress = std::chrono::steady_clock::now(); }
  // Runs `accept` once. False: the transfer ends with `failure`.
  bool begin_body();
  // Whether the caller has taken enough for more to come.
  bool room();
  // Whether the pace lets more come.
  [[nodiscard]] bool may_receive() const;
  // How many of `want` bytes may go now; 0: none before `send_due`.
  size_t may_send(size_t want);
  // Until the pace lets this transfer go on; negative when it does not hold it.
  [[nodiscard]] std::chrono::nanoseconds held_for() const;
  // True while bytes leave the kernel's send buffer: a slow uplink is no stall.
  bool kernel_still_sends();
};

// What curl calls, on the loop's thread. None lets an exception through a C frame.
struct TransferLoop::Callbacks {
  static size_t on_header(char* data, size_t size, size_t count, void* self);
  static size_t on_body(char* data, size_t size, size_t count, void* self);
  static size_t on_read(char* buffer, size_t size, size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
};

// The Status that a curl result stands for.
Status transfer_status(CURLcode code, const char* detail, const std::string& url);

}  // namespace shoebox
