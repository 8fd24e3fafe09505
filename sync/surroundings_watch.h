// Asks NetworkManager and UPower over the system's D-Bus whether the connection is metered and the machine
// on battery. Where there is no bus or no such service, the answer is no: a server must not wait for a
// desktop's programs. One that answered keeps its word while it is restarted (kept_answer.h).
//
// Interfaces: org.freedesktop.NetworkManager, property Metered (NMMetered: 1 yes, 3 guessed yes);
// org.freedesktop.UPower, property OnBattery.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "sync/policy.h"

namespace shoebox {

class SurroundingsWatch {
 public:
  // Asks at once and every `period`, on a thread of its own; `on_change` is called there. The address of
  // the bus is DBUS_SYSTEM_BUS_ADDRESS, else the system's.
  SurroundingsWatch(std::chrono::milliseconds period, std::function<void(const Surroundings&)> on_change);
  ~SurroundingsWatch();  // waits for the thread, at most as long as one question takes (2 s)

  // The last answer; nothing holds before the first.
  [[nodiscard]] Surroundings now() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
