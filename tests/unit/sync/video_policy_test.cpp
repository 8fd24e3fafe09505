#include "sync/video_policy.h"

#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

class VideoPolicyTest : public testing::SyncFixture {
 protected:
  void SetUp() override {
    SyncFixture::SetUp();
    catalog_->add_observer([this](const Change& change) {
      if (videos_) videos_->observe(change);
    });
  }
  void start(uint64_t quota) {
    UploadPolicy policy;
    policy.video_quota_bytes = quota;
    videos_ = std::make_unique<VideoPolicy>(*catalog_, "nas", policy);
  }
  ContentNo video(const std::string& name, size_t size) {
    return add(name, std::string(size, name.front()), {"nas"}, MediaKind::kVideo);
  }
  void confirm(ContentNo content, size_t size) {
    ASSERT_TRUE(
        outbox_->confirmed(content, "nas", {"Library/" + std::to_string(content.value), "e", size, 1}));
  }
  bool passes(ContentNo content) { return videos_->kept_back(content).why.empty(); }

  std::unique_ptr<VideoPolicy> videos_;
};

TEST_F(VideoPolicyTest, WhatWasThereBeforeCountsAndSoDoesWhatIsOnItsWay) {
  const ContentNo there = video("a", 40);
  confirm(there, 40);
  start(100);
  const ContentNo first = video("b", 50);
  const ContentNo second = video("c", 50);
  EXPECT_TRUE(passes(first));
  EXPECT_FALSE(passes(second)) << "the first is on its way";
  EXPECT_TRUE(passes(first)) << "it does not stand in its own way";
  confirm(first, 50);
  EXPECT_FALSE(passes(second));
  EXPECT_TRUE(passes(video("d", 10)));
}

TEST_F(VideoPolicyTest, WhatLeftMakesRoom) {
  start(100);
  const ContentNo first = video("a", 80);
  const ContentNo second = video("b", 80);
  EXPECT_TRUE(passes(first));
  confirm(first, 80);
  EXPECT_FALSE(passes(second));
  const auto txn = catalog_->begin();
  txn->erase_copy(first, "nas");
  ASSERT_TRUE(txn->commit());
  EXPECT_TRUE(passes(second));
}

TEST_F(VideoPolicyTest, PhotosAndOtherRemotesDoNotCount) {
  start(100);
  const ContentNo photo = add("p", std::string(500, 'p'), {"nas"}, MediaKind::kPhoto);
  EXPECT_TRUE(passes(photo));
  confirm(photo, 500);
  const ContentNo elsewhere = video("e", 100);
  ASSERT_TRUE(outbox_->confirmed(elsewhere, "attic", {"Library/e", "e", 100, 1}));
  EXPECT_TRUE(passes(video("v", 100)));
}

TEST_F(VideoPolicyTest, WhatNobodyCanDecodeIsAVideoByItsName) {
  const ContentNo there = add("there.MTS", std::string(60, 't'), {"nas"}, MediaKind::kUndecodable);
  confirm(there, 60);
  start(100);
  EXPECT_FALSE(passes(add("film.mp4", std::string(50, 'f'), {"nas"}, MediaKind::kUndecodable)));
  EXPECT_FALSE(passes(add("late.mp4", std::string(50, 'l'), {"nas"}, MediaKind::kOther)));
  EXPECT_TRUE(passes(add("photo.cr2", std::string(50, 'p'), {"nas"}, MediaKind::kUndecodable)));
  EXPECT_TRUE(passes(add("notes.txt", std::string(50, 'n'), {"nas"}, MediaKind::kOther)));
  EXPECT_TRUE(passes(add("still.mov", std::string(50, 's'), {"nas"}, MediaKind::kPhoto))) << "it is a photo";
  const ContentNo sent = add("clip.avi", std::string(40, 'c'), {"nas"}, MediaKind::kUndecodable);
  EXPECT_TRUE(passes(sent));
  confirm(sent, 40);
  EXPECT_FALSE(passes(video("v", 1)));
}

TEST_F(VideoPolicyTest, PhotosOnlySendsNoVideoThatCannotBeDecoded) {
  UploadPolicy policy;
  policy.photos_only = true;
  videos_ = std::make_unique<VideoPolicy>(*catalog_, "nas", policy);
  const ContentNo film = add("film.bin", std::string(50, 'f'), {"nas"}, MediaKind::kUndecodable);
  EXPECT_TRUE(passes(film));
  rename("film.bin", "film.mp4");
  EXPECT_FALSE(passes(film));
}

}  // namespace
}  // namespace shoebox
