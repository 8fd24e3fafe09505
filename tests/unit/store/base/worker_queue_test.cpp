#include "store/base/worker_queue.h"

#include <gtest/gtest.h>

#include <atomic>

namespace shoebox {
namespace {

TEST(WorkerQueue, DrainReturnsWhenAllJobsHaveRun) {
  WorkerQueue queue("test", 3);
  std::atomic<int> ran{0};
  for (int i = 0; i < 100; ++i) queue.post([&] { ++ran; });
  queue.drain();
  EXPECT_EQ(ran, 100);
  EXPECT_EQ(queue.pending(), 0U);
}

TEST(WorkerQueue, AJobMayPostAnother) {
  WorkerQueue queue("test", 1);
  std::atomic<bool> second{false};
  queue.post([&] { queue.post([&] { second = true; }); });
  queue.drain();
  EXPECT_TRUE(second);
}

TEST(WorkerQueue, AfterStopJobsAreDropped) {
  WorkerQueue queue("test", 1);
  queue.stop();
  queue.post([] { FAIL(); });
  queue.stop();
  EXPECT_EQ(queue.pending(), 0U);
}

}  // namespace
}  // namespace shoebox
