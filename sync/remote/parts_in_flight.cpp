#include "sync/remote/parts_in_flight.h"

#include <pthread.h>

#include <algorithm>
#include <exception>

namespace shoebox {

PartsInFlight::~PartsInFlight() {
  for (auto& [index, flight] : flights_) flight.thread.join();
}

void PartsInFlight::start(size_t index, Send send) {
  Flight& flight = flights_[index];
  flight.context = context_;
  flight.context.hints = &flight.hints;
  try {
    flight.thread = std::thread([this, index, &flight, send = std::move(send)] { fly(index, flight, send); });
  } catch (...) {
    flights_.erase(index);  // the destructor joins only what runs
    throw;
  }
}

void PartsInFlight::fly(size_t index, Flight& flight, const Send& send) {
  pthread_setname_np(pthread_self(), "part");
  Status status;
  try {
    status = send(flight.context, [&](uint64_t bytes_sent) {
      flight.sent = bytes_sent;
      const MutexLock lock(mutex_);
      moved_ = true;
      changed_.notify_all();
    });
  } catch (const std::exception& e) {
    status = Status(Code::kIo, e.what());
  }
  const MutexLock lock(mutex_);
  ended_.push_back({index, std::move(status)});
  changed_.notify_all();
}

uint64_t PartsInFlight::bytes_sent() const {
  uint64_t sum = 0;
  for (const auto& [index, flight] : flights_) sum += flight.sent;
  return sum;
}

bool PartsInFlight::any_ended() const {
  const MutexLock lock(mutex_);
  return !ended_.empty();
}

PartsInFlight::Ended PartsInFlight::take(const std::function<void()>& on_moved) {
  Ended ended;
  for (bool taken = false; !taken;) {
    {
      const MutexLock lock(mutex_);
      changed_.wait(mutex_, [&]() NO_THREAD_SAFETY_ANALYSIS { return moved_ || !ended_.empty(); });
      moved_ = false;
      if (!ended_.empty()) {
        ended = std::move(ended_.front());
        ended_.pop_front();
        taken = true;
      }
    }
    if (!taken) on_moved();
  }
  Flight& flight = flights_.at(ended.index);
  flight.thread.join();
  if (context_.hints != nullptr) {
    context_.hints->requests += flight.hints.requests;
    context_.hints->retry_after_s = std::max(context_.hints->retry_after_s, flight.hints.retry_after_s);
  }
  flights_.erase(ended.index);
  return ended;
}

}  // namespace shoebox
