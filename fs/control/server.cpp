#include "fs/control/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <list>
#include <nlohmann/json.hpp>
#include <thread>

#include "fs/control/address.h"
#include "fs/control/line_socket.h"
#include "store/base/log.h"
#include "store/base/mutex.h"

namespace shoebox {
namespace {

using nlohmann::json;

constexpr size_t kMaxConnections = 32;
constexpr int kRequestPatienceMs = 10'000;
constexpr int kMaxNesting = 32;

// Answers may hold text of a remote or a decoder that is no UTF-8: replaced, never thrown over.
std::string line_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string error_line(const Status& status) {
  return line_of({{"error", {{"code", code_name(status.code())}, {"message", status.message()}}}});
}

// Moving a json throws nothing.
struct Request {  // NOLINT(bugprone-exception-escape)
  std::string verb;
  json arguments;
};

Result<Request> parse_request(const std::string& line) {
  bool too_deep = false;
  const auto depth_check = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kMaxNesting;
    return !too_deep;
  };
  const json value = json::parse(line, depth_check, false);
  if (too_deep || value.is_discarded() || !value.is_object()) {
    return Status(Code::kInvalid, "the request is no JSON object");
  }
  const auto version = value.find("version");
  if (version == value.end() || !version->is_number_integer()) {
    return Status(Code::kInvalid, "the request has no version");
  }
  if (*version != 1)
    return Status(Code::kIncompatible, "the request is of a version this mount does not know");
  const auto verb = value.find("verb");
  if (verb == value.end() || !verb->is_string()) return Status(Code::kInvalid, "the request has no verb");
  Request request;
  request.verb = verb->get<std::string>();
  request.arguments = value.value("arguments", json::object());
  if (!request.arguments.is_object()) return Status(Code::kInvalid, "the arguments are no object");
  return request;
}

}  // namespace

struct ControlServer::State {
  struct Connection {
    std::thread thread;
    CancelToken cancel;
    std::atomic<bool> finished{false};
  };

  std::string library;
  Handler handler;
  UniqueFd listener;
  UniqueFd stop;  // eventfd, readable once the server ends
  std::thread acceptor;
  Mutex mutex;
  std::list<Connection> connections GUARDED_BY(mutex);  // a list: threads hold references

  bool has_file = true;  // false: an abstract name, because the disk is read-only

  Status bind_listener();
  void accept_loop();
  void serve(UniqueFd fd, Connection& connection);
  void answer(LineSocket& socket, const std::string& line, Connection& connection);
  void reap() REQUIRES(mutex);
};

Status ControlServer::State::bind_listener() {
  SHOEBOX_ASSIGN(const ControlAddress where, control_address(library));
  // The lock is ours, so whoever made this socket is gone.
  ::unlinkat(where.folder.get(), kControlSocketName, 0);
  // Linux gives a socket's node the mode of the descriptor: never open to others, not for a moment.
  if (::fchmod(listener.get(), 0600) != 0) return Status::from_errno(errno, "protect the control socket");
  if (::bind(listener.get(), where.get(), where.length) == 0) {
    if (::fchmodat(where.folder.get(), kControlSocketName, 0600, 0) == 0) return Status::ok();
    return Status::from_errno(errno, "protect the control socket");
  }
  // A read-only disk says so, or, where an old socket stands and cannot be removed, that it is in use.
  const int error = errno;
  if (error != EROFS && error != EADDRINUSE) {
    return Status::from_errno(error, fmt::format("make {}/{}", library, kControlSocketName));
  }
  SHOEBOX_ASSIGN(const ControlAddress stand_in, abstract_control_address(library));
  has_file = false;
  if (::bind(listener.get(), stand_in.get(), stand_in.length) == 0) return Status::ok();
  return Status::from_errno(errno, "make the control socket of " + library);
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(const std::string& library, Handler handler) {
  auto state = std::make_unique<State>();
  state->library = library;
  state->handler = std::move(handler);
  state->stop = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  if (!state->stop) return Status::from_errno(errno, "make an eventfd");
  state->listener = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!state->listener) return Status::from_errno(errno, "make the control socket");
  SHOEBOX_TRY(state->bind_listener());
  if (::listen(state->listener.get(), 16) != 0)
    return Status::from_errno(errno, "listen on the control socket");
  State& s = *state;
  std::unique_ptr<ControlServer> server(new ControlServer(std::move(state)));
  s.acceptor = std::thread([&s] { s.accept_loop(); });
  return server;
}

ControlServer::ControlServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

ControlServer::~ControlServer() {
  State& s = *state_;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(s.stop.get(), &one, sizeof one);
  if (s.acceptor.joinable()) s.acceptor.join();
  // Nobody adds connections any more, and their threads never touch the list.
  std::list<State::Connection> ending;
  {
    const MutexLock lock(s.mutex);
    ending.swap(s.connections);
  }
  for (State::Connection& connection : ending) connection.cancel.cancel();
  for (State::Connection& connection : ending) connection.thread.join();
  if (s.has_file) ::unlink((s.library + "/" + kControlSocketName).c_str());
}

void ControlServer::State::reap() {
  for (auto it = connections.begin(); it != connections.end();) {
    if (!it->finished.load()) {
      ++it;
      continue;
    }
    it->thread.join();
    it = connections.erase(it);
  }
}

void ControlServer::State::accept_loop() {
  for (;;) {
    pollfd ready[2] = {{listener.get(), POLLIN, 0}, {stop.get(), POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0 && errno != EINTR) {
      log::error("control socket of {}: {}", library, Status::from_errno(errno, "poll").message());
      return;
    }
    if (ready[1].revents != 0) return;
    if (ready[0].revents == 0) continue;
    UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        // The connection stays in the queue and poll would spin: look again when files were closed.
        pollfd patience{stop.get(), POLLIN, 0};
        ::poll(&patience, 1, 200);
      }
      continue;
    }
    if (!has_file && !peer_is_trusted(fd.get())) continue;
    const MutexLock lock(mutex);
    reap();
    if (connections.size() >= kMaxConnections) {
      LineSocket socket(std::move(fd));
      const Status full(Code::kBusy, "too many commands at once; try again");
      [[maybe_unused]] const Status sent = socket.send(error_line(full));
      continue;
    }
    Connection& connection = connections.emplace_back();
    connection.thread = std::thread([this, &connection, taken = std::make_shared<UniqueFd>(std::move(fd))] {
      serve(std::move(*taken), connection);
      connection.finished = true;
    });
  }
}

void ControlServer::State::serve(UniqueFd fd, Connection& connection) {
  LineSocket socket(std::move(fd));
  const Result<std::optional<std::string>> line =
      socket.receive(kMaxRequestBytes, kRequestPatienceMs, stop.get());
  if (!line) {
    [[maybe_unused]] const Status sent = socket.send(error_line(line.status()));
    return;
  }
  if (!line->has_value()) return;
  // Watches for the client's going away while the request runs; woken by `done` when it is over.
  const UniqueFd done(::eventfd(0, EFD_CLOEXEC));
  std::thread watcher([&] {
    pollfd ready[3] = {{socket.fd(), POLLRDHUP, 0}, {done.get(), POLLIN, 0}, {stop.get(), POLLIN, 0}};
    while (::poll(ready, 3, -1) < 0 && errno == EINTR) {
    }
    if (ready[1].revents == 0) connection.cancel.cancel();
  });
  answer(socket, **line, connection);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(done.get(), &one, sizeof one);
  watcher.join();
}

void ControlServer::State::answer(LineSocket& socket, const std::string& line, Connection& connection) {
  std::string last;
  try {
    const Result<Request> request = parse_request(line);
    if (!request) {
      last = error_line(request.status());
    } else {
      const auto progress = [&](const json& value) {
        if (!socket.send(line_of({{"progress", value}}))) connection.cancel.cancel();
      };
      const Result<json> result = handler(request->verb, request->arguments, connection.cancel, progress);
      last = result ? line_of({{"result", *result}}) : error_line(result.status());
    }
  } catch (const std::exception& error) {
    log::error("control request: {}", error.what());
    last = error_line(Status(Code::kInvalid, fmt::format("the request cannot be served: {}", error.what())));
  }
  if (last.size() > kMaxAnswerBytes) {
    last = error_line(Status(Code::kTooBig, "the answer is too large; ask for fewer paths"));
  }
  [[maybe_unused]] const Status sent = socket.send(last);
}

}  // namespace shoebox
