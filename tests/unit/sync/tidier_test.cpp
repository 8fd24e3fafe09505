// When the tidier works: pause, policy and what is asked for. What it does, tidy_model_test.cpp tells.
#include "sync/tidier.h"

#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using testing::FakeRemote;

class TidierTest : public testing::SyncFixture {
 protected:
  void start(UploadPolicy policy) {
    Tidier::Options options;
    options.policy = std::move(policy);
    options.quiet_s = 0;
    options.backoff.random = [] { return 0.0; };
    tidier_ = std::make_unique<Tidier>(*outbox_, remote_, clock_, std::move(options));
    outbox_->on_tidy([this] {
      if (tidier_) tidier_->wake();
    });
    tidier_->start(false);
  }
  void TearDown() override {
    if (tidier_) tidier_->stop();
  }
  // A file whose copy stands under its former name.
  void rename_one(const std::string& from, const std::string& to, const std::string& etag = "etag") {
    const ContentNo content = add(from, "bytes", {});
    remote_.place("Library/" + from, "bytes");
    const auto txn = catalog_->begin();
    txn->put_copy(content, "nas", {"Library/" + from, etag, 5, 1});
    ASSERT_TRUE(txn->commit());
    rename(from, to);
  }
  void wait_until(const std::function<bool()>& condition) {
    Mutex mutex;
    ConditionVariable never;
    while (!condition()) {
      MutexLock lock(mutex);
      never.wait_for(mutex, std::chrono::milliseconds(2));
    }
  }
  bool tidied() { return outbox_->tidy_totals("nas")->pending == 0; }

  FakeRemote remote_{"nas"};
  std::unique_ptr<Tidier> tidier_;
};

TEST_F(TidierTest, ByHandNothingMovesUntilItIsAskedFor) {
  UploadPolicy policy;
  policy.manual = true;
  start(policy);
  rename_one("a.jpg", "b.jpg");
  wait_until([&] { return !tidier_->report().held.empty(); });
  EXPECT_EQ(tidier_->report().waiting_for, "manual: run shoebox backup now");
  EXPECT_FALSE(tidied());
  tidier_->run_now();
  wait_until([&] { return tidied(); });
  EXPECT_TRUE(remote_.object("Library/b.jpg"));
  EXPECT_FALSE(remote_.object("Library/a.jpg"));
  wait_until([&] { return !tidier_->report().asked_for && !tidier_->report().held.empty(); });
}

TEST_F(TidierTest, OnBatteryItWaitsForMains) {
  UploadPolicy policy;
  policy.on_battery = false;
  start(policy);
  tidier_->set_surroundings({.on_battery = true});
  rename_one("a.jpg", "b.jpg");
  EXPECT_EQ(tidier_->report().waiting_for, "on battery");
  EXPECT_TRUE(remote_.object("Library/a.jpg"));
  tidier_->set_surroundings({});
  wait_until([&] { return tidied(); });
  EXPECT_TRUE(remote_.object("Library/b.jpg"));
}

// A line that flips a bit of a header, a server that tells another etag once.
TEST_F(TidierTest, WhatWasConfirmedUnderAWrongEtagIsKnownByItsBytes) {
  start({});
  rename_one("a.jpg", "b.jpg", "told wrong");
  wait_until([&] { return tidied(); });
  EXPECT_EQ(remote_.object("Library/b.jpg"), "bytes");
  EXPECT_FALSE(remote_.object("Library/a.jpg"));
  EXPECT_EQ(pending("nas"), 0U) << "it is not sent again";
}

TEST_F(TidierTest, WhatHasOtherBytesIsLeftWhereItIs) {
  rename_one("a.jpg", "b.jpg", "told wrong");
  remote_.place("Library/a.jpg", "BYTES");
  start({});
  wait_until([&] { return tidied(); });
  EXPECT_EQ(remote_.object("Library/a.jpg"), "BYTES");
}

}  // namespace
}  // namespace shoebox
