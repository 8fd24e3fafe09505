// An HTTP server inside the test program, on loopback, whose every answer a test scripts, wrong ones
// included: refusals, resets, silence, bodies that are cut, lie about their length or lost a bit.
//
// One thread per connection; the handler runs on it and must be thread-safe.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace shoebox {

struct TestRequest {
  std::string method;
  std::string target;                          // as sent: encoded path and query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
  }
};

struct TestReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // How the answer goes wrong.
  bool reset = false;            // RST instead of an answer
  bool silent = false;           // no answer until the server is stopped
  long claimed_length = -1;      // Content-Length that differs from the body
  long cut_after = -1;           // close after so many bytes of the body
  bool stall_after_cut = false;  // and stay silent instead of closing
};

class TestHttpServer {
 public:
  using Handler = std::function<TestReply(const TestRequest&)>;

  explicit TestHttpServer(Handler handler) : handler_(std::move(handler)) {
    listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listen_fd_, 64);
    socklen_t length = sizeof address;
    ::getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~TestHttpServer() {
    stopping_ = true;
    ::shutdown(listen_fd_, SHUT_RDWR);
    thread_.join();
    ::close(listen_fd_);
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
      threads.swap(threads_);
    }
    for (std::thread& thread : threads) thread.join();
  }
  TestHttpServer(const TestHttpServer&) = delete;
  TestHttpServer& operator=(const TestHttpServer&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }
  // All requests so far.
  [[nodiscard]] std::vector<TestRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] size_t count(const std::string& method) const {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(
        std::count_if(requests_.begin(), requests_.end(), [&](const auto& r) { return r.method == method; }));
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0 || stopping_) {
        if (fd >= 0) ::close(fd);
        return;
      }
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string buffer;
    bool reset = false;
    while (!stopping_ && serve_one(fd, buffer, reset)) {
    }
    if (reset) {
      const linger hard{1, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }

  static bool receive(int fd, std::string& buffer) {
    char bytes[65536];
    const ssize_t n = ::recv(fd, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer.append(bytes, static_cast<size_t>(n));
    return true;
  }
  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  // False: the connection ends.
  bool serve_one(int fd, std::string& buffer, bool& reset) {
    size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!receive(fd, buffer)) return false;
    }
    TestRequest request = parse(buffer.substr(0, end));
    buffer.erase(0, end + 4);
    const std::string length = request.header("content-length");
    const size_t body = length.empty() ? 0 : std::stoul(length);
    while (buffer.size() < body) {
      if (!receive(fd, buffer)) return false;
    }
    request.body = buffer.substr(0, body);
    buffer.erase(0, body);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const TestReply reply = handler_(request);
    reset = reply.reset;
    if (reply.reset) return false;
    if (reply.silent) return wait_for_end(fd);

    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
    for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
    const bool given = std::any_of(reply.headers.begin(), reply.headers.end(),
                                   [](const auto& h) { return h.first == "Content-Length"; });
    const long claimed =
        reply.claimed_length >= 0 ? reply.claimed_length : static_cast<long>(reply.body.size());
    if (!given && reply.status != 204) head += "Content-Length: " + std::to_string(claimed) + "\r\n";
    if (!send_all(fd, head + "\r\n")) return false;
    if (request.method == "HEAD") return true;
    std::string_view rest = reply.body;
    if (reply.cut_after >= 0) rest = rest.substr(0, static_cast<size_t>(reply.cut_after));
    if (!send_all(fd, rest)) return false;
    if (reply.stall_after_cut) return wait_for_end(fd);
    return reply.cut_after < 0 && claimed == static_cast<long>(reply.body.size());
  }

  // Until the client or the server's destructor closes the connection.
  static bool wait_for_end(int fd) {
    std::string ignored;
    while (receive(fd, ignored)) {
    }
    return false;
  }

  static TestRequest parse(const std::string& head) {
    TestRequest request;
    size_t line_end = std::min(head.find("\r\n"), head.size());
    const std::string first = head.substr(0, line_end);
    const size_t space = first.find(' ');
    request.method = first.substr(0, space);
    request.target = first.substr(space + 1, first.rfind(' ') - space - 1);
    while (line_end < head.size()) {
      const size_t begin = line_end + 2;
      line_end = std::min(head.find("\r\n", begin), head.size());
      const std::string line = head.substr(begin, line_end - begin);
      const size_t colon = line.find(':');
      std::string name = line.substr(0, colon);
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      const size_t value = line.find_first_not_of(' ', colon + 1);
      request.headers[name] = value == std::string::npos ? "" : line.substr(value);
    }
    return request;
  }

  const Handler handler_;
  int listen_fd_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<int> open_;
  std::vector<TestRequest> requests_;
};

}  // namespace shoebox
