#include "fs/signals.h"

#include <pthread.h>

#include "store/base/log.h"

namespace shoebox {
namespace {
constexpr int kStop = SIGUSR1;  // to the thread itself, from stop()
}  // namespace

TerminationSignals::TerminationSignals() {
  sigemptyset(&waited_for_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, kStop}) sigaddset(&waited_for_, signal);
  pthread_sigmask(SIG_BLOCK, &waited_for_, nullptr);
  // A reader of our output or a peer that went away is an error code, not the end.
  std::signal(SIGPIPE, SIG_IGN);
}

TerminationSignals::~TerminationSignals() { stop(); }

void TerminationSignals::start(std::function<void(int)> on_signal) {
  thread_ = std::thread([this, on_signal = std::move(on_signal)] {
    pthread_setname_np(pthread_self(), "signals");
    bool acted = false;
    for (;;) {
      int signal = 0;
      if (sigwait(&waited_for_, &signal) != 0) continue;
      if (signal == kStop) return;
      if (acted) continue;
      acted = true;
      try {
        on_signal(signal);
      } catch (const std::exception& error) {
        log::error("unmount after signal {}: {}", signal, error.what());
      }
    }
  });
}

void TerminationSignals::stop() {
  if (!thread_.joinable()) return;
  pthread_kill(thread_.native_handle(), kStop);
  thread_.join();
}

}  // namespace shoebox
