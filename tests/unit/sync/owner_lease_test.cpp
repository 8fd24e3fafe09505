#include "sync/owner_lease.h"

#include <thread>

#include "tests/unit/sync/owner_world.h"

namespace shoebox::testing {
namespace {

using OwnerLeaseTest = OwnerWorld;

TEST_F(OwnerLeaseTest, TheFirstWriterBeginsTermOne) {
  ASSERT_TRUE(desk_.write());
  const OwnerRecord owner = record();
  EXPECT_EQ(owner.writer, owner_id_of('a'));
  EXPECT_EQ(owner.library, owner_id_of('1'));
  EXPECT_EQ(owner.state, OwnerState::kHolds);
  EXPECT_EQ(owner.since_s, 1'700'000'000);
  EXPECT_TRUE(remote_.object("Library/a.jpg"));
  const RemoteOwner told = desk_.lease->report();
  EXPECT_TRUE(told.known && told.this_library);
  EXPECT_EQ(told.host, "desk");
  EXPECT_EQ(told.problem, "");
}

TEST_F(OwnerLeaseTest, ASecondWriterIsRefusedWithWhoAndSinceWhen) {
  ASSERT_TRUE(desk_.write());
  const std::vector<std::string> before = remote_.keys();
  const Status refused = laptop_.write("Library/b.jpg");
  EXPECT_EQ(refused.code(), Code::kReadOnly);
  EXPECT_NE(refused.message().find("anna@desk writes there, since 2023-11-1"), std::string::npos)
      << refused.message();
  EXPECT_NE(refused.message().find("shoebox remote takeover nas"), std::string::npos);
  EXPECT_EQ(laptop_.leased->remove("Library/a.jpg", {}).code(), Code::kReadOnly);
  EXPECT_EQ(laptop_.leased->copy("Library/a.jpg", "Library/c.jpg", {}).code(), Code::kReadOnly);
  EXPECT_EQ(remote_.keys(), before);
  const RemoteOwner told = laptop_.lease->report();
  EXPECT_TRUE(told.known);
  EXPECT_FALSE(told.this_library);
  EXPECT_EQ(told.host, "desk");
  // Reads always work.
  EXPECT_TRUE(laptop_.leased->stat("Library/a.jpg", {}));
  EXPECT_TRUE(laptop_.leased->list("", "", {}));
}

TEST_F(OwnerLeaseTest, TheSameWriterGoesOnAfterACrash) {
  ASSERT_TRUE(desk_.write());
  desk_.restart();
  EXPECT_TRUE(desk_.write("Library/b.jpg"));
  EXPECT_EQ(record().counter, 3U);
  EXPECT_FALSE(remote_.object(".shoebox/owner/2"));
}

TEST_F(OwnerLeaseTest, AnIdleOwnerMakesSureAgainBeforeItWrites) {
  ASSERT_TRUE(desk_.write());
  time_.advance(60);
  EXPECT_FALSE(desk_.may_write());
  ASSERT_TRUE(desk_.write("Library/b.jpg"));
  EXPECT_TRUE(desk_.may_write());
  EXPECT_EQ(record().counter, 3U);
}

TEST_F(OwnerLeaseTest, ValidityCountsFromBeforeTheRenewal) {
  each_look_takes(desk_, 20);  // two looks before the first write counts, one after it
  ASSERT_TRUE(desk_.write());
  time_.advance(60 - 40 - 1);
  EXPECT_TRUE(desk_.may_write());
  time_.advance(1);
  EXPECT_FALSE(desk_.may_write());
}

TEST_F(OwnerLeaseTest, AnUnreachableRemoteIsNotOneWithoutAnOwner) {
  remote_.set_down(true);
  EXPECT_EQ(desk_.write().code(), Code::kUnavailable);
  EXPECT_FALSE(desk_.lease->report().known);
  remote_.set_down(false);
  for (const char* what : {"list", "get"}) {
    desk_.hooks.before = [&](const char* call, const std::string&) {
      return call == std::string(what) ? Status(Code::kTimeout, "slow") : Status::ok();
    };
    EXPECT_EQ(desk_.write().code(), Code::kTimeout);
    EXPECT_TRUE(remote_.keys().empty()) << what;
  }
}

TEST_F(OwnerLeaseTest, ALostAnswerToTheBeginIsFoundAgain) {
  desk_.hooks.after = [](const char*, const std::string&) { return Status(Code::kUnavailable, "lost"); };
  EXPECT_EQ(desk_.write().code(), Code::kUnavailable);
  EXPECT_FALSE(desk_.may_write());
  desk_.hooks.after = nullptr;
  ASSERT_TRUE(desk_.write());
  EXPECT_FALSE(remote_.object(".shoebox/owner/2"));
  EXPECT_EQ(laptop_.write().code(), Code::kReadOnly);
}

TEST_F(OwnerLeaseTest, ALostAnswerToARenewalIsNoOtherWriter) {
  ASSERT_TRUE(desk_.write());
  time_.advance(55);
  for (int i = 0; i < 3; ++i) {
    desk_.hooks.after = [](const char*, const std::string& key) {
      return key.starts_with(kOwnerFolder) ? Status(Code::kTimeout, "lost") : Status::ok();
    };
    EXPECT_EQ(desk_.write().code(), Code::kTimeout);
    time_.advance(5);
  }
  EXPECT_FALSE(desk_.may_write());
  desk_.hooks.after = nullptr;
  EXPECT_TRUE(desk_.write());
}

TEST_F(OwnerLeaseTest, AWriteUnderWayIsBrokenOffWhenTheLeaseIsOver) {
  ASSERT_TRUE(desk_.write());
  remote_.hold();
  Status written;
  std::thread writer([&] { written = desk_.write("Library/long.mov"); });
  while (remote_.puts() < 4) std::this_thread::yield();
  time_.advance(61);
  writer.join();
  EXPECT_EQ(written.code(), Code::kUnavailable) << written.message();
  remote_.release();
  EXPECT_FALSE(remote_.object("Library/long.mov"));
}

TEST_F(OwnerLeaseTest, TheKeeperRenewsWhileSomethingIsWritten) {
  desk_.lease->start();
  ASSERT_TRUE(desk_.write());
  const uint64_t before = record().counter;
  for (int i = 0; i < 12; ++i) {
    const uint64_t seen = record().counter;
    time_.advance(10);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    ASSERT_TRUE(desk_.write());
    while (i % 2 == 1 && record().counter == seen && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    EXPECT_TRUE(desk_.may_write());
  }
  EXPECT_GE(record().counter, before + 5);
}

TEST_F(OwnerLeaseTest, OfTwoThatBeginAtOnceOneIsTheOwner) {
  for (int round = 0; round < 50; ++round) {
    FakeRemote remote("nas");
    Machine one(remote, time_, 'a', "one", 0, 20'000'000);
    Machine other(remote, time_, 'b', "other", 0, 20'000'000);
    Status first, second;
    std::thread racer([&] { first = one.write(); });
    second = other.write();
    racer.join();
    EXPECT_NE(first.is_ok(), second.is_ok()) << first.message() << second.message();
    EXPECT_NE(one.may_write(), other.may_write());
  }
}

TEST_F(OwnerLeaseTest, WhereARemoteLooksFirstTheLoserNoticesBeforeEitherWrites) {
  desk_.hooks.looks_first = laptop_.hooks.looks_first = true;
  // The laptop begins between the look and the write of the desk: the desk replaces it.
  Status laptop;
  std::thread other;
  bool begun = false;
  desk_.hooks.between = [&] {
    if (std::exchange(begun, true)) return;
    other = std::thread([&] { laptop = laptop_.write("Library/laptop.jpg"); });
    while (!remote_.object(".shoebox/owner/1")) std::this_thread::yield();
  };
  Status desk;
  std::thread one([&] { desk = desk_.write("Library/desk.jpg"); });
  while (!remote_.object(".shoebox/owner/1") || record().writer != owner_id_of('a')) {
    std::this_thread::yield();
  }
  EXPECT_FALSE(desk_.may_write());
  EXPECT_FALSE(laptop_.may_write());
  while (!desk_.may_write()) {
    EXPECT_FALSE(laptop_.may_write());
    time_.advance(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  one.join();
  other.join();
  EXPECT_TRUE(desk) << desk.message();
  EXPECT_EQ(laptop.code(), Code::kReadOnly);
  EXPECT_FALSE(remote_.object("Library/laptop.jpg"));
}

TEST_F(OwnerLeaseTest, AReleasedRemoteIsWrittenToByTheNextOne) {
  desk_.lease->start();
  ASSERT_TRUE(desk_.write());
  EXPECT_EQ(laptop_.write().code(), Code::kReadOnly);
  desk_.lease->stop();
  desk_.lease->release({});
  EXPECT_EQ(record().state, OwnerState::kReleased);
  time_.advance(60);  // it looks again after a lease
  ASSERT_TRUE(laptop_.write());
  EXPECT_EQ(laptop_.granted, 1);
  EXPECT_EQ(record(".shoebox/owner/2").writer, owner_id_of('b'));
  desk_.restart();
  EXPECT_EQ(desk_.write().code(), Code::kReadOnly);
}

TEST_F(OwnerLeaseTest, RecordsOfOldTermsGo) {
  for (int i = 0; i < 6; ++i) {
    Machine& machine = i % 2 == 0 ? desk_ : laptop_;
    machine.restart();
    machine.lease->start();
    ASSERT_TRUE(machine.write());
    time_.advance(61);
    ASSERT_TRUE(machine.write());
    machine.lease->stop();
    machine.lease->release({});
  }
  EXPECT_FALSE(remote_.object(".shoebox/owner/4"));
  EXPECT_TRUE(remote_.object(".shoebox/owner/5"));
  EXPECT_EQ(record(".shoebox/owner/6").state, OwnerState::kReleased);
}

TEST_F(OwnerLeaseTest, ADamagedRecordIsNoInvitation) {
  remote_.place(".shoebox/owner/1", std::string(kOwnerRecordBytes, '\n'));
  EXPECT_EQ(desk_.write().code(), Code::kReadOnly);
  EXPECT_EQ(desk_.take_over().code(), Code::kDataLoss);
  EXPECT_FALSE(remote_.object("Library/a.jpg"));
  each_look_takes(desk_, 30);
  // Nobody can tell whether its writer lives: all it takes is time.
  std::atomic<bool> done{false};
  std::thread clock([&] {
    while (!done) {
      time_.advance(1);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  const int64_t before = time_.passed_s();
  EXPECT_TRUE(desk_.take_over(/*force=*/true));
  done = true;
  clock.join();
  EXPECT_GE(time_.passed_s() - before, 90);
  desk_.hooks.before = nullptr;
  EXPECT_TRUE(desk_.write());
}

// Servers that check no signature keep what a line made of it.
TEST_F(OwnerLeaseTest, AnOwnRecordThatCameToHarmIsWrittenAgain) {
  ASSERT_TRUE(desk_.write());
  for (const int64_t idle_s : {55, 600}) {  // within the lease, and after it
    std::string harmed = *remote_.object(".shoebox/owner/1");
    harmed[20] ^= 1;
    remote_.place(".shoebox/owner/1", harmed);
    time_.advance(idle_s);
    EXPECT_TRUE(desk_.write("Library/b.jpg"));
    EXPECT_EQ(record().writer, owner_id_of('a'));
    EXPECT_EQ(desk_.lease->report().problem, "");
  }
}

TEST_F(OwnerLeaseTest, AnAnswerThatWasCutOffIsNoDamage) {
  ASSERT_TRUE(desk_.write());
  desk_.restart();
  desk_.hooks.before = [](const char* what, const std::string&) {
    return std::string(what) == "get" ? Status(Code::kDataLoss, "the answer ended early") : Status::ok();
  };
  EXPECT_EQ(desk_.write("Library/b.jpg").code(), Code::kUnavailable);
  desk_.hooks.before = nullptr;
  EXPECT_TRUE(desk_.write("Library/b.jpg"));  // at once: nothing was refused for a while
  EXPECT_EQ(desk_.lease->report().problem, "");
}

TEST_F(OwnerLeaseTest, ARecordOfANewerVersionIsLeftAlone) {
  ASSERT_TRUE(desk_.write());
  std::string text = *remote_.object(".shoebox/owner/1");
  text.replace(0, 15, "shoebox-owner 2");
  remote_.place(".shoebox/owner/1", text);
  EXPECT_EQ(laptop_.write().code(), Code::kReadOnly);
  EXPECT_EQ(laptop_.take_over(/*force=*/true).code(), Code::kIncompatible);
  EXPECT_EQ(*remote_.object(".shoebox/owner/1"), text);
}

TEST_F(OwnerLeaseTest, AnotherLibraryIsRefusedEvenWhereNobodyWritesAnyMore) {
  desk_.lease->start();
  ASSERT_TRUE(desk_.write());
  desk_.lease->stop();
  desk_.lease->release({});
  laptop_.library = owner_id_of('2');
  const Status refused = laptop_.write();
  EXPECT_EQ(refused.code(), Code::kReadOnly);
  EXPECT_NE(refused.message().find("another library (11111111, of anna@desk)"), std::string::npos)
      << refused.message();
  EXPECT_EQ(laptop_.take_over(/*force=*/true).code(), Code::kReadOnly);
  EXPECT_FALSE(remote_.object(".shoebox/owner/2"));
}

TEST_F(OwnerLeaseTest, ALibraryThatIsBehindTheBackupTakesNothing) {
  desk_.lease->start();
  ASSERT_TRUE(desk_.write());
  desk_.lease->stop();
  desk_.lease->release({});
  laptop_.fits = [] { return Status(Code::kReadOnly, "the backup there is newer"); };
  EXPECT_EQ(laptop_.write().code(), Code::kReadOnly);
  EXPECT_NE(laptop_.lease->report().problem.find("the backup there is newer"), std::string::npos);
  EXPECT_FALSE(remote_.object(".shoebox/owner/2"));
  // A failed look at the backup is not one that found nothing.
  time_.advance(61);
  laptop_.fits = [] { return Status(Code::kTimeout, "slow"); };
  EXPECT_EQ(laptop_.write().code(), Code::kTimeout);
  EXPECT_FALSE(remote_.object(".shoebox/owner/2"));
}

TEST_F(OwnerLeaseTest, TwoProcessesOfOneWriterNoticeEachOther) {
  ASSERT_TRUE(desk_.write());
  Machine copy(remote_, time_, 'a', "clone", 0, 70'000'000);
  ASSERT_TRUE(copy.write("Library/b.jpg"));  // it cannot be told from a restart
  time_.advance(55);
  const Status noticed = desk_.write("Library/c.jpg");
  EXPECT_EQ(noticed.code(), Code::kReadOnly);
  EXPECT_NE(noticed.message().find("a copy of this library, anna@clone"), std::string::npos)
      << noticed.message();
  time_.advance(1000);
  EXPECT_EQ(desk_.write("Library/c.jpg").code(), Code::kReadOnly);
}

TEST_F(OwnerLeaseTest, ARecordThatSomebodyRemovedIsWrittenAgain) {
  ASSERT_TRUE(desk_.write());
  ASSERT_TRUE(remote_.remove(".shoebox/owner/1", {}));
  time_.advance(55);
  EXPECT_TRUE(desk_.write("Library/b.jpg"));
  EXPECT_EQ(record().writer, owner_id_of('a'));
}

}  // namespace
}  // namespace shoebox::testing
