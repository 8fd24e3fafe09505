#include "sync/surroundings_watch.h"

#include <pthread.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <thread>

#include "store/base/mutex.h"
#include "sync/kept_answer.h"

namespace shoebox {
namespace {

constexpr uint64_t kAnswerWithinUs = 2'000'000;

struct BusCloser {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct MessageCloser {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Bus = std::unique_ptr<sd_bus, BusCloser>;
using Message = std::unique_ptr<sd_bus_message, MessageCloser>;

Bus open_bus() {
  sd_bus* bus = nullptr;
  if (sd_bus_open_system(&bus) < 0) return nullptr;
  Bus opened(bus);
  sd_bus_set_method_call_timeout(bus, kAnswerWithinUs);
  return opened;
}

// A property of a basic type.
template <typename Means>
Asked property(sd_bus* bus, const char* service, const char* path, const char* name, char type,
               const Means& means) {
  if (!bus) return Asked::kAbsent;
  sd_bus_message* raw = nullptr;
  if (sd_bus_message_new_method_call(bus, &raw, service, path, "org.freedesktop.DBus.Properties", "Get") < 0)
    return Asked::kAbsent;
  const Message question(raw);
  sd_bus_message_set_auto_start(question.get(), 0);  // looking must not start a service
  if (sd_bus_message_append(question.get(), "ss", service, name) < 0) return Asked::kAbsent;
  sd_bus_message* answered = nullptr;
  sd_bus_error error = SD_BUS_ERROR_NULL;
  const int called = sd_bus_call(bus, question.get(), 0, &error, &answered);
  sd_bus_error_free(&error);
  const Message answer(answered);
  if (called == -ETIMEDOUT) return Asked::kSilent;
  const char contents[2] = {type, '\0'};
  uint32_t value = 0;  // as wide as the types that are asked for, 'u' and 'b'
  if (called < 0 || sd_bus_message_enter_container(answer.get(), 'v', contents) <= 0 ||
      sd_bus_message_read_basic(answer.get(), type, &value) <= 0)
    return Asked::kAbsent;
  return means(value);
}

struct Answers {
  KeptAnswer metered;
  KeptAnswer on_battery;

  // `bus` may be null.
  Surroundings ask(sd_bus* bus) {
    const Asked network = property(bus, "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager",
                                   "Metered", 'u', shoebox::metered);
    const Asked power = property(bus, "org.freedesktop.UPower", "/org/freedesktop/UPower", "OnBattery", 'b',
                                 [](uint32_t value) { return value != 0 ? Asked::kYes : Asked::kNo; });
    const auto now = std::chrono::steady_clock::now();
    return {.metered = metered.note(network, now), .on_battery = on_battery.note(power, now)};
  }
};

}  // namespace

struct SurroundingsWatch::State {
  std::chrono::milliseconds period;
  std::function<void(const Surroundings&)> on_change;
  mutable Mutex mutex;
  ConditionVariable changed;
  bool stopping GUARDED_BY(mutex) = false;
  Surroundings last GUARDED_BY(mutex);
  std::thread thread;  // last: uses the above

  void run() NO_THREAD_SAFETY_ANALYSIS;
};

void SurroundingsWatch::State::run() {
  pthread_setname_np(pthread_self(), "surroundings");
  Bus bus;
  Answers answers;
  MutexLock lock(mutex);
  while (!stopping) {
    mutex.unlock();
    if (!bus || sd_bus_is_open(bus.get()) <= 0) bus = open_bus();
    const Surroundings now = answers.ask(bus.get());
    mutex.lock();
    const bool other = now != last;
    last = now;
    if (other && on_change) {
      mutex.unlock();
      on_change(now);
      mutex.lock();
    }
    if (!stopping) changed.wait_for(mutex, period);
  }
}

SurroundingsWatch::SurroundingsWatch(std::chrono::milliseconds period,
                                     std::function<void(const Surroundings&)> on_change)
    : state_(std::make_unique<State>()) {
  state_->period = period;
  state_->on_change = std::move(on_change);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

SurroundingsWatch::~SurroundingsWatch() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

Surroundings SurroundingsWatch::now() const {
  MutexLock lock(state_->mutex);
  return state_->last;
}

}  // namespace shoebox
