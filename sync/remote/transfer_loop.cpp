#include "sync/remote/transfer_loop.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "sync/remote/checks.h"
#include "sync/remote/transfer.h"

namespace shoebox {
namespace {

constexpr int kIdleWait_ms = 60'000;  // curl_multi_wakeup ends it
constexpr int kBusyWait_ms = 50;      // a raised CancelToken is seen this late

CURLM* as_multi(void* multi) { return static_cast<CURLM*>(multi); }

}  // namespace

TransferLoop::TransferLoop(TransferLimits limits) : limits_(limits) {
  curl_global_init(CURL_GLOBAL_DEFAULT);  // counted and thread-safe since curl 7.84
  multi_ = curl_multi_init();
  thread_ = std::thread([this] { loop(); });
}

TransferLoop::~TransferLoop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  curl_multi_wakeup(as_multi(multi_));
  thread_.join();
  curl_multi_cleanup(as_multi(multi_));
  curl_global_cleanup();
}

Status TransferLoop::prepare(Transfer& t) const {
  const HttpRequest& request = t.request;
  t.easy = curl_easy_init();
  if (t.easy == nullptr) return {Code::kIo, "out of memory"};
  for (const auto& [name, value] : request.headers) {
    // A header without a value is written "Name;" for curl; "Name:" would remove it.
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    curl_slist* longer = curl_slist_append(t.headers, line.c_str());
    if (longer == nullptr) return {Code::kIo, "out of memory"};
    t.headers = longer;
  }
  // No "Expect: 100-continue": a round trip for every photo, to save one upload after a refusal.
  if (curl_slist* longer = curl_slist_append(t.headers, "Expect:")) t.headers = longer;

  CURL* easy = t.easy;
  const bool has_body = request.method == "PUT" || request.method == "POST" || !request.body.empty();
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!request.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, request.ca_file.c_str());
  if (request.auth != HttpAuth::kNone) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH,
                     request.auth == HttpAuth::kBasic ? CURLAUTH_BASIC : CURLAUTH_DIGEST);
    curl_easy_setopt(easy, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, request.password.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect.count()));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "shoebox");
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t.headers);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t.detail);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Callbacks::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &t);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Callbacks::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t);
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(t.body_size()));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Callbacks::on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, &t);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, &Callbacks::on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, &t);
  }
  if (request.method != "GET" && request.method != "HEAD" && request.method != "PUT") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  return Status::ok();
}

Result<HttpResponse> TransferLoop::run(const HttpRequest& request, const RequestContext& context) {
  SHOEBOX_TRY(check_wanted(context));
  if (context.hints != nullptr) ++context.hints->requests;
  const auto transfer = std::make_shared<Transfer>(request, context);
  SHOEBOX_TRY(prepare(*transfer));
  {
    const MutexLock lock(mutex_);
    if (stopping_) return Status(Code::kCancelled, "shutting down");
    incoming_.push_back(transfer);
  }
  curl_multi_wakeup(as_multi(multi_));

  Status sink_status;
  uint64_t told = 0;
  for (;;) {
    std::deque<std::string> pieces;
    uint64_t sent = 0;
    bool done = false;
    bool was_full = false;
    {
      transfer->mutex.lock();
      transfer->changed.wait(transfer->mutex, [&]() NO_THREAD_SAFETY_ANALYSIS {
        return transfer->done || !transfer->pieces.empty() || transfer->sent != told;
      });
      pieces.swap(transfer->pieces);
      was_full = transfer->queued_bytes >= Transfer::kMaxQueuedBytes;
      transfer->queued_bytes = 0;
      sent = transfer->sent;
      done = transfer->done;
      transfer->mutex.unlock();
    }
    if (was_full) curl_multi_wakeup(as_multi(multi_));
    if (sent != told) {
      told = sent;
      request.on_bytes_sent(sent);
    }
    for (const std::string& piece : pieces) {
      if (!sink_status) break;
      sink_status = request.sink(piece);
      if (!sink_status) {
        transfer->abandoned = true;
        curl_multi_wakeup(as_multi(multi_));
      }
    }
    if (done) break;
  }
  if (!sink_status) return sink_status;
  const MutexLock lock(transfer->mutex);
  if (!transfer->result) return transfer->result;
  return std::move(transfer->response);
}

void TransferLoop::loop() {
  pthread_setname_np(pthread_self(), "transfers");
  for (;;) {
    turns_.fetch_add(1, std::memory_order_relaxed);
    bool stopping = false;
    {
      const MutexLock lock(mutex_);
      stopping = stopping_;
    }
    take_incoming();
    const std::vector<TransferPtr> now_active = active_;
    for (const TransferPtr& transfer : now_active) {
      if (stopping) {
        finish(transfer, {Code::kCancelled, "shutting down"});
      } else {
        look_after(transfer);
      }
    }
    if (stopping) return;
    int running = 0;
    curl_multi_perform(as_multi(multi_), &running);
    reap();
    curl_multi_poll(as_multi(multi_), nullptr, 0, longest_wait_ms(), nullptr);
  }
}

// Whom a pace holds back goes on in time.
int TransferLoop::longest_wait_ms() const {
  if (active_.empty()) return kIdleWait_ms;
  int wait_ms = kBusyWait_ms;
  for (const TransferPtr& transfer : active_) {
    const std::chrono::nanoseconds held = transfer->held_for();
    if (held.count() < 0) continue;  // before rounding, which would make a wait of nothing of it
    wait_ms = std::min(wait_ms, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(held).count()));
  }
  return wait_ms;
}

void TransferLoop::take_incoming() {
  std::vector<TransferPtr> incoming;
  {
    const MutexLock lock(mutex_);
    incoming.swap(incoming_);
  }
  for (TransferPtr& transfer : incoming) {
    transfer->progressed();
    active_.push_back(transfer);
    if (curl_multi_add_handle(as_multi(multi_), transfer->easy) != CURLM_OK) {
      finish(transfer, {Code::kIo, "out of memory"});
    }
  }
}

void TransferLoop::look_after(const TransferPtr& transfer) {
  Transfer& t = *transfer;
  if (t.abandoned) return finish(transfer, {Code::kCancelled, "abandoned"});
  if (Status wanted = check_wanted(t.context); !wanted) return finish(transfer, wanted);
  if (t.paused || t.send_paused) {
    t.progressed();  // it is we who are slow
    const bool receives = t.paused && t.room() && t.may_receive();
    const bool sends = t.send_paused && t.context.bandwidth.up->is_due(t.send_due);
    if (!receives && !sends) return;
    if (receives) t.paused = false;
    if (sends) t.send_paused = false;
    // May call on_body() and on_read(), which may pause again.
    curl_easy_pause(t.easy, (t.paused ? CURLPAUSE_RECV : 0) | (t.send_paused ? CURLPAUSE_SEND : 0));
    return;
  }
  if (t.kernel_still_sends()) t.progressed();
  const auto silence = std::max(limits_.stall, t.request.patience);
  if (std::chrono::steady_clock::now() - t.last_progress > silence) {
    finish(transfer, {Code::kTimeout, fmt::format("nothing moved for {} ms", silence.count())});
  }
}

void TransferLoop::reap() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(as_multi(multi_), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    const auto found =
        std::find_if(active_.begin(), active_.end(), [&](const auto& t) { return t->easy == easy; });
    if (found == active_.end()) continue;
    const TransferPtr transfer = *found;
    if (code == CURLE_OK) transfer->begin_body();  // an answer without a body is looked at as well
    Status status = transfer->failure;
    if (status) status = transfer_status(code, transfer->detail, transfer->request.url);
    if (status.code() == Code::kDataLoss && code == CURLE_PARTIAL_FILE && !transfer->request.sink) {
      status = {Code::kUnavailable, status.message()};  // an answer we only gather is no data of ours
    }
    finish(transfer, std::move(status));
  }
}

void TransferLoop::finish(const TransferPtr& transfer, Status status) {
  // `transfer` may be the one in active_, which goes.
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
  const TransferPtr keep = transfer;
  curl_multi_remove_handle(as_multi(multi_), keep->easy);
  std::erase(active_, keep);
  // Here, on the loop's thread: the handle shares the multi's connections until it is gone.
  curl_easy_cleanup(std::exchange(keep->easy, nullptr));
  const MutexLock lock(keep->mutex);
  keep->result = std::move(status);
  keep->done = true;
  keep->changed.notify_all();
}

}  // namespace shoebox
