// SIGTERM, SIGINT and SIGHUP mean: unmount in good order. They are blocked in every thread and
// taken by one of their own, which may therefore do anything.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace shoebox {

// Construct it before any other thread starts: they inherit what is blocked.
class TerminationSignals {
 public:
  TerminationSignals();
  ~TerminationSignals();  // stop()
  TerminationSignals(const TerminationSignals&) = delete;
  TerminationSignals& operator=(const TerminationSignals&) = delete;

  // Calls `on_signal` at the first signal, also one that came before. Further ones do nothing.
  void start(std::function<void(int)> on_signal);
  void stop();

 private:
  sigset_t waited_for_;
  std::thread thread_;
};

}  // namespace shoebox
