// When a worker of steps waits for quiet, and when it does not.
#include "sync/step_worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "store/base/mutex.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using testing::FakeClock;

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
  NotingSource(std::function<void()> note, std::atomic<int>& left, std::atomic<int>& done,
               std::atomic<int>& asked)
      : note_(std::move(note)), left_(left), done_(done), asked_(asked) {}
  Result<std::unique_ptr<WorkerStep>> next(bool, const std::function<bool(uint64_t)>&, int64_t*) override {
    ++asked_;
    if (note_) note_();
    if (left_ == 0) return std::unique_ptr<WorkerStep>();
    return std::unique_ptr<WorkerStep>(std::make_unique<CountedStep>(left_--, done_));
  }

 private:
  const std::function<void()> note_;
  std::atomic<int>& left_;
  std::atomic<int>& done_;
  std::atomic<int>& asked_;
};

class StepWorkerTest : public ::testing::Test {
 protected:
  void start(int steps) {
    left_ = steps;
    StepWorker::Options options;
    options.connections = 1;
    auto source = std::make_unique<NotingSource>([this] { worker_->wake(); }, left_, done_, asked_);
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
  void let_quiet_pass() {
    clock_.advance(6);
    worker_->try_again();  // else it finds out within a minute
  }

  FakeClock clock_;
  std::atomic<int> left_ = 0;
  std::atomic<int> done_ = 0;
  std::atomic<int> asked_ = 0;
  std::unique_ptr<StepWorker> worker_;
};

TEST_F(StepWorkerTest, OneQuietIsEnoughForAllThatWaits) {
  start(100);
  EXPECT_EQ(done_, 0) << "programs change their mind within moments";
  let_quiet_pass();
  EXPECT_TRUE(comes_true([&] { return done_ == 100; })) << done_ << " of 100 done without another quiet";
}

TEST_F(StepWorkerTest, WhatIsHeardWhileNothingIsFoundWaitsForQuiet) {
  start(0);
  let_quiet_pass();
  ASSERT_TRUE(comes_true([&] { return asked_ == 1; }));
  left_ = 1;
  worker_->try_again();
  EXPECT_EQ(done_, 0);
  let_quiet_pass();
  EXPECT_TRUE(comes_true([&] { return done_ == 1; }));
}

}  // namespace
}  // namespace shoebox
