#include "sync/remote/transfer.h"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>

#include "store/base/file_io.h"

namespace shoebox {
namespace {

constexpr size_t kMaxHeaderBytes = 64 << 10;  // servers allow themselves 8 to 32 KiB

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && std::strchr(" \t\r\n", text.back()) != nullptr) text.remove_suffix(1);
  return text;
}

// Scheme and host only: keys and signatures have no place in a message.
std::string_view host_of(std::string_view url) {
  const size_t begin = url.find("://");
  if (begin == std::string_view::npos) return url;
  return url.substr(0, url.find_first_of("/?", begin + 3));
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

TransferLoop::Transfer::~Transfer() {
  if (easy != nullptr) curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
}

bool TransferLoop::Transfer::begin_body() {
  if (body_begun) return true;
  body_begun = true;
  if (!response.success() || !request.accept) return true;
  failure = request.accept(response);
  return failure.is_ok();
}

bool TransferLoop::Transfer::room() {
  const MutexLock lock(mutex);
  return queued_bytes < kMaxQueuedBytes;
}

bool TransferLoop::Transfer::may_receive() const {
  return context.bandwidth.down == nullptr || context.bandwidth.down->is_due(receive_due);
}

size_t TransferLoop::Transfer::may_send(size_t want) {
  Pace* const pace = context.bandwidth.up;
  if (pace == nullptr) return want;
  if (send_granted == 0) {
    send_granted = std::min(want, pace->piece());
    send_due = pace->reserve(send_granted);
  }
  return pace->is_due(send_due) ? std::min(want, send_granted) : 0;
}

std::chrono::nanoseconds TransferLoop::Transfer::held_for() const {
  if (send_paused) return context.bandwidth.up->left_until(send_due);
  if (paused && context.bandwidth.down != nullptr) return context.bandwidth.down->left_until(receive_due);
  return std::chrono::nanoseconds(-1);
}

bool TransferLoop::Transfer::kernel_still_sends() {
  curl_socket_t socket = CURL_SOCKET_BAD;
  int unsent = 0;
  if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket) != CURLE_OK || socket == CURL_SOCKET_BAD)
    return false;
  if (::ioctl(socket, SIOCOUTQ, &unsent) != 0) return false;
  const bool moved = unsent < unsent_in_kernel;
  unsent_in_kernel = unsent;
  return moved;
}

size_t TransferLoop::Callbacks::on_header(char* data, size_t size, size_t count, void* self) {
  auto& t = *static_cast<Transfer*>(self);
  const size_t bytes = size * count;
  try {
    t.progressed();
    const std::string_view line = trim({data, bytes});
    if (line.starts_with("HTTP/")) {  // also after a 100 Continue: the last answer counts
      long status = 0;
      curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &status);
      t.response = {};
      t.response.status = static_cast<int>(status);
      t.header_bytes = 0;
      return bytes;
    }
    t.header_bytes += bytes;
    if (t.header_bytes > kMaxHeaderBytes) {
      t.failure = {Code::kUnavailable, fmt::format("{} sent too long headers", host_of(t.request.url))};
      return 0;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return bytes;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    t.response.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
    return bytes;
  } catch (...) {
    return 0;
  }
}

size_t TransferLoop::Callbacks::on_body(char* data, size_t size, size_t count, void* self) {
  auto& t = *static_cast<Transfer*>(self);
  const size_t bytes = size * count;
  try {
    t.progressed();
    if (!t.begin_body()) return 0;
    if (t.response.success() && t.request.sink) {
      if (!t.room() || !t.may_receive()) {
        t.paused = true;
        return CURL_WRITEFUNC_PAUSE;
      }
      if (Pace* const pace = t.context.bandwidth.down) t.receive_due = pace->reserve(bytes);
      const MutexLock lock(t.mutex);
      t.pieces.emplace_back(data, bytes);
      t.queued_bytes += bytes;
      t.changed.notify_all();
      return bytes;
    }
    if (t.response.body.size() + bytes > t.request.max_body_bytes) {
      t.failure = {Code::kTooBig, fmt::format("{} sent an answer of more than {} bytes",
                                              host_of(t.request.url), t.request.max_body_bytes)};
      return 0;
    }
    t.response.body.append(data, bytes);
    return bytes;
  } catch (...) {
    return 0;
  }
}

size_t TransferLoop::Callbacks::on_read(char* buffer, size_t size, size_t count, void* self) {
  auto& t = *static_cast<Transfer*>(self);
  try {
    t.progressed();
    const size_t left = std::min<uint64_t>(size * count, t.body_size() - t.sent_at);
    if (left == 0) return 0;
    const size_t want = t.may_send(left);
    if (want == 0) {
      t.send_paused = true;
      return CURL_READFUNC_PAUSE;
    }
    size_t got = want;
    if (t.request.body_fd >= 0) {
      auto read = pread_full(t.request.body_fd, buffer, want, t.request.body_range.begin + t.sent_at);
      if (!read) {
        t.failure = read.status();
        return CURL_READFUNC_ABORT;
      }
      got = *read;
    } else {
      std::memcpy(buffer, t.request.body.data() + t.sent_at, want);
    }
    if (got == 0) {
      t.failure = {Code::kDataLoss, "the local file became shorter while it was sent"};
      return CURL_READFUNC_ABORT;
    }
    t.sent_at += got;
    t.send_granted -= std::min(got, t.send_granted);
    if (t.request.on_bytes_sent) {
      const MutexLock lock(t.mutex);
      t.sent = t.sent_at;
      t.changed.notify_all();
    }
    return got;
  } catch (...) {
    return CURL_READFUNC_ABORT;
  }
}

// curl rewinds when a kept connection turns out dead before the answer began.
int TransferLoop::Callbacks::on_seek(void* self, curl_off_t offset, int origin) {
  auto& t = *static_cast<Transfer*>(self);
  if (origin != SEEK_SET || offset < 0 || static_cast<uint64_t>(offset) > t.body_size())
    return CURL_SEEKFUNC_FAIL;
  t.sent_at = static_cast<uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

namespace {

// What is wrong with a certificate, and what helps: curl has one code for all of it, and tells them apart in
// words only.
std::string distrust(const std::string& why) {
  const auto says = [&why](const char* words) { return why.find(words) != std::string::npos; };
  if (says("has expired"))
    return fmt::format(
        "its certificate has expired: {}; have the server's renewed, or check this machine's clock", why);
  if (says("not yet valid"))
    return fmt::format("its certificate is not valid yet: {}; check this machine's clock and the server's",
                       why);
  if (says("subject name") || says("host name"))
    return fmt::format(
        "its certificate is for another host: {}; write the name it is for into url or endpoint", why);
  return fmt::format("its certificate is not trusted: {}; set ca_file for an authority of your own", why);
}

}  // namespace

Status transfer_status(CURLcode code, const char* detail, const std::string& url) {
  const std::string why = detail != nullptr && *detail != '\0' ? detail : curl_easy_strerror(code);
  const std::string_view host = host_of(url);
  switch (code) {
    case CURLE_OK: return Status::ok();
    case CURLE_PARTIAL_FILE: return {Code::kDataLoss, fmt::format("{}: the answer ended early", host)};
    case CURLE_OUT_OF_MEMORY: return {Code::kIo, "out of memory"};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Code::kInvalid, fmt::format("{}: {}; check url and endpoint", host, why)};
    case CURLE_SSL_CACERT_BADFILE: return {Code::kInvalid, fmt::format("{}: {}; check ca_file", host, why)};
    case CURLE_PEER_FAILED_VERIFICATION:
      // A hotel's login page does this too, so that trying again may help.
      return {Code::kUnavailable, fmt::format("{}: {}", host, distrust(why))};
    default: return {Code::kUnavailable, fmt::format("{}: {}", host, why)};
  }
}

}  // namespace shoebox
