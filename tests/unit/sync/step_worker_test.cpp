// When a worker of steps waits for quiet, and when it does not.
#include "sync/step_worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "store/base/mutex.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using testing::FakeClock;

// Counts how often the worker looked at it.
class WatchedClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return clock_.now(); }
  [[nodiscard]] Steady steady() const override {
    const Steady time = clock_.steady();
    if (std::this_thread::get_id() != test_) ++looks_;
    return time;
  }
  void advance(int64_t s) { clock_.advance(s); }
  [[nodiscard]] int looks() const { return looks_; }

 private:
  FakeClock clock_;
  const std::thread::id test_ = std::this_thread::get_id();
  mutable std::atomic<int> looks_ = 0;
};

// When the source was asked. Noted as the last thing before it answers.
class Asks {
 public:
  void note(int64_t at_s) {
    MutexLock lock(mutex_);
    at_s_.push_back(at_s);
  }
  [[nodiscard]] std::vector<int64_t> all() const {
    MutexLock lock(mutex_);
    return at_s_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<int64_t> at_s_ GUARDED_BY(mutex_);
};

class CountedStep final : public WorkerStep {
 public:
  CountedStep(uint64_t subject, std::atomic<int>& done) : WorkerStep("step", subject, 0), done_(done) {}
  Status run(const CancelToken&, RequestHints&) override {
    ++done_;
    return Status::ok();
  }
  Status failed(const Status&, int64_t) override { return Status::ok(); }

 private:
  std::atomic<int>& done_;
};

// Hands out steps, and is heard to change whenever it is asked, as the outbox is.
class NotingSource final : public StepSource {
 public:
  NotingSource(std::function<void()> note, const Clock& clock, std::atomic<int>& left, std::atomic<int>& done,
               Asks& asks)
      : note_(std::move(note)), clock_(clock), left_(left), done_(done), asks_(asks) {}
  Result<std::unique_ptr<WorkerStep>> next(bool, const std::function<bool(uint64_t)>&, int64_t*) override {
    const int64_t now_s = clock_.now().seconds;
    note_();
    std::unique_ptr<WorkerStep> step;
    if (left_ > 0) step = std::make_unique<CountedStep>(left_--, done_);
    asks_.note(now_s);
    return step;
  }

 private:
  const std::function<void()> note_;
  const Clock& clock_;
  std::atomic<int>& left_;
  std::atomic<int>& done_;
  Asks& asks_;
};

class StepWorkerTest : public ::testing::Test {
 protected:
  void start(int steps) {
    left_ = steps;
    StepWorker::Options options;
    options.connections = 1;
    options.quiet_s = kQuietS;
    auto source = std::make_unique<NotingSource>([this] { worker_->wake(); }, clock_, left_, done_, asks_);
    worker_ = std::make_unique<StepWorker>(std::move(source), "steps", "nas", clock_, std::move(options));
    worker_->start(false);
  }
  void TearDown() override { worker_->stop(); }
  // Not for ever: a worker that waits for quiet does so until somebody turns the clock.
  static bool comes_true(const std::function<bool()>& condition) {
    Mutex mutex;
    ConditionVariable never;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < until) {
      MutexLock lock(mutex);
      never.wait_for(mutex, std::chrono::milliseconds(2));
    }
    return condition();
  }
  // Returns once the worker has looked what time it is, and waits again or asks the source.
  void let_it_look() {
    const int before = clock_.looks();
    worker_->try_again();
    ASSERT_TRUE(comes_true([&] { return clock_.looks() > before; }));
    (void)worker_->report();  // takes the lock that the worker holds until then
  }
  void let_quiet_pass() {
    clock_.advance(kQuietS + 1);
    worker_->try_again();  // else it finds out within a minute
  }

  static constexpr int64_t kQuietS = 5;
  WatchedClock clock_;
  std::atomic<int> left_ = 0;
  std::atomic<int> done_ = 0;
  Asks asks_;
  std::unique_ptr<StepWorker> worker_;
};

TEST_F(StepWorkerTest, OneQuietIsEnoughForAllThatWaits) {
  const int64_t started_s = clock_.now().seconds;
  start(100);
  let_it_look();
  let_quiet_pass();
  EXPECT_TRUE(comes_true([&] { return done_ == 100; })) << done_ << " of 100 done without another quiet";
  EXPECT_GE(asks_.all().front(), started_s + kQuietS) << "programs change their mind within moments";
}

TEST_F(StepWorkerTest, WhatIsHeardWhileNothingIsFoundWaitsForQuiet) {
  start(0);
  let_it_look();
  let_quiet_pass();
  ASSERT_TRUE(comes_true([&] { return !asks_.all().empty(); }));
  left_ = 1;
  let_it_look();  // from now on it is quiet, counted from the time at which nothing was found
  let_quiet_pass();
  ASSERT_TRUE(comes_true([&] { return done_ == 1; }));
  const std::vector<int64_t> asks = asks_.all();
  EXPECT_GE(asks[1], asks[0] + kQuietS);
}

}  // namespace
}  // namespace shoebox
