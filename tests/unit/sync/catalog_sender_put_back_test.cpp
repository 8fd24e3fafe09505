// A remote that was put back to an older state of itself: who is told of it, how often, and what is sent.

#include "sync/backup_fit.h"
#include "tests/unit/sync/catalog_sender_fixture.h"

namespace shoebox {
namespace {

using testing::BreakingRemote;

class PutBackTest : public testing::CatalogSenderFixture {
 protected:
  void SetUp() override {
    CatalogSenderFixture::SetUp();
    options_.on_gone_back = [this](const CancelToken&) {
      ++told_;
      return answer_;
    };
    make_sender();
  }
  // Two backups are sent; what stood there between them.
  std::map<std::string, std::string> older_state() {
    fill(100);
    EXPECT_TRUE(send());
    auto before = objects();
    change("a");
    EXPECT_TRUE(send());
    return before;
  }

  int told_ = 0;
  Status answer_;
};

// A journal over what was put back would name segments that are not there.
TEST_F(PutBackTest, ARemotePutBackToAnOlderStateGetsAllOfItAndIsToldOf) {
  const auto before = older_state();
  EXPECT_EQ(told_, 0);
  put_back(before);
  change("b");
  const uint64_t puts = remote_.puts();
  answer_ = Status(Code::kUnavailable, "not now");
  EXPECT_EQ(send().code(), Code::kUnavailable);
  EXPECT_EQ(remote_.puts(), puts) << "nothing before who is told is done with it";
  answer_ = Status::ok();
  ASSERT_TRUE(send());
  EXPECT_EQ(told_, 2);
  EXPECT_EQ(head().snapshot, catalog_->last_change());
  EXPECT_EQ(restored(), rows());
  change("c");
  ASSERT_TRUE(send());
  EXPECT_EQ(told_, 2);
  EXPECT_EQ(restored(), rows());
}

TEST_F(PutBackTest, AServerThatSaysOnceThatItIsNotThereIsAskedAgain) {
  older_state();
  const uint64_t sent = sender_->sent();
  fake_.fail_next(Status(Code::kNotFound, "gone, it says"), 3);  // to the look, and of each head
  ASSERT_TRUE(sender_->look({}));
  EXPECT_EQ(told_, 0);
  EXPECT_EQ(sender_->sent(), sent) << "nothing is to be sent for it";
}

TEST_F(PutBackTest, ALookNoticesItWhileNothingIsToBeSent) {
  const auto before = older_state();
  ASSERT_TRUE(sender_->look({}));
  EXPECT_EQ(told_, 0);
  put_back(before);
  for (const bool restarted : {false, true}) {
    if (restarted) make_sender();
    ASSERT_TRUE(sender_->look({}));
    EXPECT_EQ(told_, restarted ? 2 : 1) << "as long as no other one was sent";
    EXPECT_EQ(sender_->sent(), 0U) << "it is to be sent";
  }
  ASSERT_TRUE(send());
  EXPECT_EQ(restored(), rows());
  put_back({});
  ASSERT_TRUE(sender_->look({}));
  EXPECT_EQ(told_, 3) << "emptied";
}

// As a power cut before the head, or a failed one and an unmount: nobody may take the older one, which stands
// there, for another machine's.
TEST_F(PutBackTest, AnOlderStateStaysKnownUntilTheHeadAfterItStands) {
  const auto before = older_state();
  put_back(before);
  change("b");
  const uint64_t puts = remote_.puts();
  ASSERT_TRUE(send());
  const uint64_t all = remote_.puts() - puts;
  put_back(before);
  change("c");
  remote_.break_at(all - 1, BreakingRemote::How::kBefore);  // the head
  EXPECT_FALSE(send());
  remote_.heal();
  EXPECT_TRUE(backup_fits(*catalog_, fake_, clock_, id(), {}));
  make_sender();
  ASSERT_TRUE(send());
  EXPECT_EQ(restored(), rows());
}

TEST_F(PutBackTest, ATellingThatFailedDuringALookIsDueAndMadeAgain) {
  answer_ = Status(Code::kUnavailable, "not now");
  const auto before = older_state();
  put_back(before);
  EXPECT_EQ(sender_->look({}).code(), Code::kUnavailable);
  EXPECT_EQ(sender_->sent(), 0U) << "a send is due, which tells it";
  EXPECT_EQ(sender_->look({}).code(), Code::kUnavailable) << "also where nothing is sent now";
  EXPECT_EQ(told_, 2);
  answer_ = Status::ok();
  ASSERT_TRUE(sender_->look({}));
  EXPECT_EQ(told_, 3);
}

TEST_F(PutBackTest, OneStateIsToldOfOnceHoweverOftenASendFails) {
  const auto before = older_state();
  const auto after = objects();
  put_back(before);
  for (int i = 0; i < 3; ++i) {
    remote_.break_at(0, BreakingRemote::How::kBefore);
    EXPECT_FALSE(send());
  }
  EXPECT_EQ(told_, 1);
  put_back({});
  EXPECT_FALSE(send());
  EXPECT_EQ(told_, 2) << "another state";
  put_back(after);
  remote_.heal();
  ASSERT_TRUE(send());
  put_back({});
  ASSERT_TRUE(sender_->look({}));
  EXPECT_EQ(told_, 3) << "what was sent meanwhile is gone";
}

TEST_F(PutBackTest, AHeadThatCameToHarmOrASegmentThatIsGoneMakesNothingElseDoubtful) {
  fill(300);
  ASSERT_TRUE(send());
  change("a");
  ASSERT_TRUE(send());
  const std::string key = backup::head_key(id(), head().counter);
  // One wrong answer costs not even a snapshot.
  const uint64_t snapshot = head().snapshot;
  int asked = 0;
  fake_.before_get_of = [&](const std::string& of) { fake_.flip_bytes(of == key && ++asked == 1); };
  make_sender();
  change("b");
  ASSERT_TRUE(send());
  EXPECT_GT(asked, 1);
  fake_.before_get_of = nullptr;
  EXPECT_EQ(head().snapshot, snapshot);
  // Damaged where it stands.
  fake_.place(backup::head_key(id(), head().counter), "nothing of a head");
  make_sender();
  change("c");
  ASSERT_TRUE(send());
  EXPECT_EQ(head().snapshot, catalog_->last_change());
  ASSERT_TRUE(fake_.remove(backup::segment_key(id(), head().segments.front()), {}));
  make_sender();
  change("d");
  ASSERT_TRUE(send());
  EXPECT_EQ(restored(), rows());
  EXPECT_EQ(told_, 0);
  ASSERT_TRUE(fake_.remove(backup::head_key(id(), head().counter), {}));
  make_sender();
  ASSERT_TRUE(sender_->look({}));
  EXPECT_EQ(told_, 1) << "gone altogether";
}

}  // namespace
}  // namespace shoebox
