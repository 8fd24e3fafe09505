// The control socket of a mounted library: LIBRARY/control.sock, mode 0600. PROTOCOL.md tells what
// goes over it.
//
// Owned by the mounting process. One thread accepts, one thread serves each connection; none is a
// FUSE worker. Requests are untrusted: lines are bounded, so are connections and silence.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "store/base/cancel.h"
#include "store/base/result.h"

namespace shoebox {

class ControlServer {
 public:
  // Runs one request on the connection's thread. `progress` sends an interim answer. `cancel` is
  // raised when the client went away or the server stops.
  using Handler = std::function<Result<nlohmann::json>(
      const std::string& verb, const nlohmann::json& arguments, CancelToken cancel,
      const std::function<void(const nlohmann::json&)>& progress)>;

  // Takes over a socket that a crash left behind. REQUIRES: the caller holds LIBRARY/lock.
  static Result<std::unique_ptr<ControlServer>> start(const std::string& library, Handler handler);
  // Cancels what runs, waits for it, unlinks the socket.
  ~ControlServer();

 private:
  struct State;
  explicit ControlServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
