#include <algorithm>
#include <random>
#include <thread>

#include "tests/unit/sync/owner_world.h"

namespace shoebox::testing {
namespace {

using OwnerTakeoverTest = OwnerWorld;

TEST_F(OwnerTakeoverTest, AfterACrashTheNextOneWritesAfterOneAndAHalfLeases) {
  ASSERT_TRUE(desk_.write());
  each_look_takes(laptop_, 5);
  const int64_t before = time_.passed_s();
  ASSERT_TRUE(laptop_.take_over());
  EXPECT_GE(time_.passed_s() - before, 90);
  EXPECT_FALSE(desk_.may_write());
  EXPECT_TRUE(laptop_.may_write());
  EXPECT_EQ(laptop_.granted, 1);
  laptop_.hooks.before = nullptr;
  EXPECT_TRUE(laptop_.write("Library/b.jpg"));
  const OwnerRecord owner = record(".shoebox/owner/2");
  EXPECT_EQ(owner.host, "laptop");
  EXPECT_EQ(owner.state, OwnerState::kHolds);
}

TEST_F(OwnerTakeoverTest, TheFormerOwnerThatComesBackStopsAndSaysWhoTookOver) {
  ASSERT_TRUE(desk_.write());
  each_look_takes(laptop_, 5);
  ASSERT_TRUE(laptop_.take_over());
  const std::string theirs = *remote_.object(".shoebox/owner/2");
  const Status refused = desk_.write("Library/c.jpg");
  EXPECT_EQ(refused.code(), Code::kReadOnly);
  EXPECT_NE(refused.message().find("anna@laptop took over on 2017-07-14"), std::string::npos)
      << refused.message();
  EXPECT_FALSE(remote_.object("Library/c.jpg"));
  desk_.restart();
  EXPECT_EQ(desk_.write("Library/c.jpg").code(), Code::kReadOnly);
  EXPECT_EQ(*remote_.object(".shoebox/owner/2"), theirs);
  EXPECT_TRUE(laptop_.write("Library/d.jpg"));
}

TEST_F(OwnerTakeoverTest, ABusyOwnerIsAlive) {
  ASSERT_TRUE(desk_.write());
  laptop_.hooks.before = [&](const char* what, const std::string&) {
    if (what != std::string("get")) return Status::ok();
    time_.advance(5);
    (void)desk_.write("Library/b.jpg");
    return Status::ok();
  };
  const Status refused = laptop_.take_over();
  EXPECT_EQ(refused.code(), Code::kBusy);
  EXPECT_NE(refused.message().find("anna@desk is alive"), std::string::npos) << refused.message();
  EXPECT_FALSE(remote_.object(".shoebox/owner/2"));
  EXPECT_TRUE(desk_.write());
}

TEST_F(OwnerTakeoverTest, AnIdleOwnerThatIsAskedAnswers) {
  desk_.lease->start();
  ASSERT_TRUE(desk_.write());
  const uint64_t seen = record().counter;
  time_.advance(30'000);  // nothing was written for long
  laptop_.hooks.before = [&](const char* what, const std::string& key) {
    if (what != std::string("get") || !remote_.object(std::string(kOwnerRequest)) || key != owner_key(1)) {
      return Status::ok();
    }
    time_.advance(20);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (record().counter == seen && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return Status::ok();
  };
  EXPECT_EQ(laptop_.take_over().code(), Code::kBusy);
  EXPECT_EQ(record().answers, record(std::string(kOwnerRequest)).nonce);
}

TEST_F(OwnerTakeoverTest, ALivingOwnerThatIsTakenOverByForceStopsBeforeTheNewOneBegins) {
  ASSERT_TRUE(desk_.write());
  bool both = false;
  bool desk_stopped = false;
  laptop_.hooks.before = [&](const char* what, const std::string&) {
    if (what != std::string("get")) return Status::ok();
    time_.advance(5);
    desk_stopped = desk_.write("Library/b.jpg").code() == Code::kReadOnly;
    return Status::ok();
  };
  std::atomic<bool> done{false};
  std::thread clock([&] {
    while (!done) {
      // In this order: the desk may not renew once the laptop may write.
      both = both || (laptop_.may_write() && desk_.may_write());
      time_.advance(1);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  const Status taken = laptop_.take_over(/*force=*/true);
  done = true;
  clock.join();
  ASSERT_TRUE(taken) << taken.message();
  EXPECT_FALSE(both);
  EXPECT_TRUE(desk_stopped);
  EXPECT_TRUE(laptop_.may_write());
  EXPECT_FALSE(desk_.may_write());
}

TEST_F(OwnerTakeoverTest, AForcedTakeoverThatIsBrokenOffIsNotGoneOnWithAtOnce) {
  ASSERT_TRUE(desk_.write());
  const CancelToken cancel;
  laptop_.hooks.before = [&](const char* what, const std::string& key) {
    if (what != std::string("get")) return Status::ok();
    time_.advance(5);
    (void)desk_.write("Library/b.jpg");
    if (remote_.object(".shoebox/owner/2") && key == owner_key(1)) cancel.cancel();
    return Status::ok();
  };
  EXPECT_EQ(laptop_.take_over(/*force=*/true, cancel).code(), Code::kCancelled);
  laptop_.hooks.before = nullptr;
  laptop_.restart();
  const Status waits = laptop_.write("Library/c.jpg");
  EXPECT_EQ(waits.code(), Code::kReadOnly);
  EXPECT_NE(waits.message().find("waits 90 s"), std::string::npos) << waits.message();
  time_.advance(90);
  EXPECT_TRUE(laptop_.write("Library/c.jpg"));
}

TEST_F(OwnerTakeoverTest, OfTwoThatTakeOverOneSucceeds) {
  ASSERT_TRUE(desk_.write());
  each_look_takes(laptop_, 5);
  bool nested = false;
  Status attic;
  attic_.hooks.before = laptop_.hooks.before;
  // The attic takes over just before the laptop would begin.
  laptop_.hooks.before = [&](const char* what, const std::string& key) {
    if (what == std::string("get")) time_.advance(5);
    if (what == std::string("put") && key == owner_key(2) && !nested) {
      nested = true;
      attic = attic_.take_over();
    }
    return Status::ok();
  };
  const Status laptop = laptop_.take_over();
  EXPECT_TRUE(attic) << attic.message();
  EXPECT_EQ(laptop.code(), Code::kReadOnly) << laptop.message();
  EXPECT_EQ(record(".shoebox/owner/2").host, "attic");
  EXPECT_FALSE(laptop_.may_write());
}

TEST_F(OwnerTakeoverTest, WhatWasReleasedIsTakenOverAlsoWhereATermCountsOnlyAfterAWhile) {
  ASSERT_TRUE(desk_.write());
  desk_.lease->release({});
  laptop_.hooks.looks_first = true;
  TakeoverRequest request;
  request.remote = "nas";
  const auto tick = [&](const std::string&, uint64_t, uint64_t) { time_.advance(1); };
  const Status taken = laptop_.lease->take_over(request, {}, tick);
  EXPECT_TRUE(taken) << taken.message();
  EXPECT_GE(time_.passed_s(), 6);
  EXPECT_TRUE(laptop_.write("Library/b.jpg"));
}

TEST_F(OwnerTakeoverTest, ALibraryThatIsBehindTheBackupMayNotTakeOver) {
  ASSERT_TRUE(desk_.write());
  each_look_takes(laptop_, 5);
  laptop_.fits = [] { return Status(Code::kReadOnly, "the backup there is newer"); };
  EXPECT_EQ(laptop_.take_over(/*force=*/true).code(), Code::kReadOnly);
  EXPECT_FALSE(remote_.object(".shoebox/owner/2"));
  TakeoverRequest request;
  request.replace_backup = true;
  EXPECT_TRUE(laptop_.lease->take_over(request, {}, nullptr));
}

TEST_F(OwnerTakeoverTest, ABackupThatTheFormerOwnerMadeMeanwhileIsNotUndone) {
  ASSERT_TRUE(desk_.write());
  each_look_takes(laptop_, 5);
  // The last one came between the first look at it and the takeover.
  laptop_.fits = [&] {
    return remote_.object(".shoebox/owner/2") ? Status(Code::kReadOnly, "the backup there is newer")
                                              : Status::ok();
  };
  EXPECT_EQ(laptop_.take_over().code(), Code::kReadOnly);
  EXPECT_FALSE(laptop_.may_write());
  EXPECT_EQ(record(".shoebox/owner/2").state, OwnerState::kReleased);
  desk_.restart();
  EXPECT_TRUE(desk_.write("Library/b.jpg"));  // it may go on
}

TEST_F(OwnerTakeoverTest, AWatchThatSawNothingAtItsEndTakesNothing) {
  ASSERT_TRUE(desk_.write());
  const int64_t begin = time_.passed_s();
  laptop_.hooks.before = [&](const char* what, const std::string&) {
    if (what != std::string("get")) return Status::ok();
    time_.advance(5);
    return time_.passed_s() - begin > 50 ? Status(Code::kUnavailable, "gone") : Status::ok();
  };
  EXPECT_EQ(laptop_.take_over().code(), Code::kUnavailable);
  EXPECT_FALSE(remote_.object(".shoebox/owner/2"));
}

// Machines that write, sleep, crash, take over and lose answers, in any order: never may two of them
// write at one moment, and a record once written by a greater term stays the greatest.
TEST_F(OwnerTakeoverTest, NeverMayTwoWriteAtOnce) {
  std::mt19937 random(20'261'126);
  const auto chance = [&random](double p) { return std::uniform_real_distribution<>(0, 1)(random) < p; };
  Machine* const machines[] = {&desk_, &laptop_, &attic_};
  std::set<const Machine*> busy;  // in a call
  uint64_t taken = 0, written = 0;
  std::atomic<uint64_t> steps{0};
  const auto check = [&] {
    int may = 0;
    for (const Machine* machine : machines) may += machine->may_write() ? 1 : 0;
    ASSERT_LE(may, 1);
  };
  // While one machine talks to the remote, time passes and the others go on.
  const auto meanwhile = [&] {
    ++steps;
    time_.advance(std::uniform_int_distribution<>(0, 8)(random));
    check();
    Machine& other = *machines[std::uniform_int_distribution<>(0, 2)(random)];
    if (busy.insert(&other).second) {
      if (chance(0.3)) (void)other.write();
      busy.erase(&other);
    }
    check();
  };
  for (Machine* machine : machines) {
    machine->hooks.before = [&](const char* what, const std::string&) {
      if (what != std::string("list")) meanwhile();
      return chance(0.05) ? Status(Code::kUnavailable, "no answer") : Status::ok();
    };
    machine->hooks.after = [&](const char*, const std::string&) {
      return chance(0.05) ? Status(Code::kTimeout, "the answer was lost") : Status::ok();
    };
  }
  // Who only waits, waits for the clock: it goes while nothing else happens.
  std::atomic<bool> done{false};
  std::thread clock([&] {
    uint64_t seen = 0;
    for (int idle = 0; !done; idle = seen == steps ? idle + 1 : 0) {
      seen = steps;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      if (idle > 2) time_.advance(10);
    }
  });
  for (int step = 0; step < 2000 && !HasFatalFailure(); ++step) {
    ++steps;
    Machine& machine = *machines[std::uniform_int_distribution<>(0, 2)(random)];
    time_.advance(std::uniform_int_distribution<>(0, 40)(random));
    check();
    busy.insert(&machine);
    if (chance(0.02)) {
      machine.restart();
    } else if (chance(0.05)) {
      taken += machine.take_over(chance(0.5)) ? 1 : 0;
    } else {
      written += machine.write() ? 1 : 0;
    }
    busy.erase(&machine);
    check();
  }
  done = true;
  clock.join();
  EXPECT_GT(taken, 5U);
  EXPECT_GT(written, 100U);
}

}  // namespace
}  // namespace shoebox::testing
