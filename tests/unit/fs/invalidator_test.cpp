#include "fs/invalidator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <future>

namespace shoebox {
namespace {

using testing::InSequence;
using testing::Return;

class FakeNotifier : public Notifier {
 public:
  MOCK_METHOD(int, invalidate_name, (InodeNo, const std::string&), (override));
  MOCK_METHOD(int, invalidate_attributes, (InodeNo), (override));
  MOCK_METHOD(int, invalidate_data, (InodeNo), (override));
};

constexpr InodeNo kFolder{2000};
constexpr InodeNo kPhoto{3000};

Change name_change(const std::string& name, bool kernel_knows = false) {
  Change change;
  change.names.push_back(
      {.directory = kFolder, .name = name, .inode = kPhoto, .removed = false, .kernel_knows = kernel_knows});
  return change;
}

TEST(Invalidator, ANewNameIsToldWithTheListingOfItsFolder) {
  testing::StrictMock<FakeNotifier> notifier;
  {
    const InSequence in_order;
    EXPECT_CALL(notifier, invalidate_name(kFolder, "a.jpg")).WillOnce(Return(0));
    EXPECT_CALL(notifier, invalidate_data(kFolder)).WillOnce(Return(0));
  }
  Invalidator invalidator(notifier);
  invalidator.post(name_change("a.jpg"));
  invalidator.drain();
}

TEST(Invalidator, WhatTheKernelAskedForItselfIsNotToldBack) {
  testing::StrictMock<FakeNotifier> notifier;
  Invalidator invalidator(notifier);
  invalidator.post(name_change("a.jpg", /*kernel_knows=*/true));
  invalidator.drain();
}

TEST(Invalidator, APhotosChangedAttributesLeaveItsCachedPagesAlone) {
  testing::StrictMock<FakeNotifier> notifier;
  EXPECT_CALL(notifier, invalidate_attributes(kPhoto)).WillOnce(Return(0));
  Invalidator invalidator(notifier);
  Change change;
  change.attributes = {kPhoto, kPhoto};
  invalidator.post(change);
  invalidator.drain();
}

TEST(Invalidator, NamesTheKernelDoesNotHaveAreNoError) {
  testing::NiceMock<FakeNotifier> notifier;
  ON_CALL(notifier, invalidate_name).WillByDefault(Return(-ENOENT));
  ON_CALL(notifier, invalidate_data).WillByDefault(Return(-ENOENT));
  EXPECT_CALL(notifier, invalidate_name(kFolder, "a.jpg"));
  EXPECT_CALL(notifier, invalidate_name(kFolder, "b.jpg"));
  Invalidator invalidator(notifier);
  invalidator.post(name_change("a.jpg"));
  invalidator.post(name_change("b.jpg"));
  invalidator.drain();
}

TEST(Invalidator, NamesAreToldWhileDataWaitsBehindAParkedRead) {
  testing::NiceMock<FakeNotifier> notifier;
  std::promise<void> read_answered;
  std::promise<void> name_told;
  EXPECT_CALL(notifier, invalidate_data(kFolder)).WillRepeatedly(Return(0));
  EXPECT_CALL(notifier, invalidate_data(kPhoto)).WillOnce([&](InodeNo) {
    read_answered.get_future().wait();
    return 0;
  });
  EXPECT_CALL(notifier, invalidate_name(kFolder, "a.jpg")).WillOnce([&](InodeNo, const std::string&) {
    name_told.set_value();
    return 0;
  });
  Invalidator invalidator(notifier);
  Change change;
  change.data = {kPhoto};
  invalidator.post(change);
  invalidator.post(name_change("a.jpg"));
  name_told.get_future().wait();
  read_answered.set_value();
  invalidator.drain();
}

TEST(Invalidator, DrainDoesNotWaitForWhatIsPostedLater) {
  testing::NiceMock<FakeNotifier> notifier;
  std::promise<void> drained;
  std::future<void> was_drained = drained.get_future();
  // Telling one name posts the next, until somebody was not kept waiting by that.
  std::atomic<int> told{0};
  Invalidator* posts = nullptr;
  ON_CALL(notifier, invalidate_name).WillByDefault([&](InodeNo, const std::string&) {
    ++told;
    if (was_drained.wait_for(std::chrono::seconds(0)) != std::future_status::ready && told < 1'000'000) {
      posts->post(name_change("again.jpg"));
    }
    return 0;
  });
  Invalidator invalidator(notifier);
  posts = &invalidator;
  invalidator.post(name_change("a.jpg"));
  invalidator.drain();
  drained.set_value();
  EXPECT_GE(told.load(), 1);
  EXPECT_LT(told.load(), 1'000'000);
}

TEST(Invalidator, NothingIsSentAfterItStopped) {
  testing::StrictMock<FakeNotifier> notifier;
  Invalidator invalidator(notifier);
  invalidator.stop();
  invalidator.post(name_change("a.jpg"));
  invalidator.drain();
}

}  // namespace
}  // namespace shoebox
