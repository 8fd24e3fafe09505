// The contract of remote.h that every kind of remote keeps: objects sent in parts, and going on after
// an attempt that broke off.
#include "contract.h"

namespace shoebox {
namespace {

using Large = ContractTest;

constexpr size_t kLarge = (17 << 20) + 12'345;  // two parts on S3 and Nextcloud

TEST_F(Large, ObjectsAreReadBackAsSent) {
  const std::string bytes = noise(kLarge, 10);
  uint64_t told = 0;
  PutOptions options;
  options.on_bytes = [&](uint64_t sent) { told = sent; };
  auto stored = put("large", bytes, options);
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_EQ(stored->size, kLarge);
  EXPECT_EQ(told, kLarge);
  auto there = remote_->stat(key("large"), {});
  ASSERT_TRUE(there);
  EXPECT_EQ(there->etag, stored->etag);
  auto read = get("large", {0, kLarge}, stored->etag);
  ASSERT_TRUE(read) << read.status().message();
  EXPECT_TRUE(*read == bytes);
  auto middle = get("large", {(16 << 20) - 5, (16 << 20) + 5});
  ASSERT_TRUE(middle);
  EXPECT_EQ(*middle, bytes.substr((16 << 20) - 5, 10));
}

TEST_F(Large, AnAttemptThatBrokeOffIsTakenUp) {
  const std::string bytes = noise(kLarge, 11);
  std::string progress;
  int saves = 0;
  PutOptions broken;
  broken.save_progress = [&](const std::string& text) -> Status {
    progress = text;
    return ++saves == 2 ? Status(Code::kCancelled, "power cut") : Status::ok();  // begun, part 1
  };
  auto first = put("resumed", bytes, broken);
  PutOptions resumed;
  resumed.progress = progress;
  if (!sends_in_parts()) {
    EXPECT_TRUE(first) << "sent in one go, nothing to take up";
  } else {
    EXPECT_EQ(first.code(), Code::kCancelled);
    EXPECT_EQ(remote_->stat(key("resumed"), {}).code(), Code::kNotFound);
    ASSERT_FALSE(progress.empty());
  }
  RequestHints hints;
  RequestContext context;
  context.hints = &hints;
  const UniqueFd fd = file_with(bytes);
  PutOptions options = options_for(bytes);
  options.progress = progress;
  std::vector<uint64_t> told;
  options.on_bytes = [&](uint64_t sent) { told.push_back(sent); };
  auto second = remote_->put(key("resumed"), fd.get(), options, context);
  ASSERT_TRUE(second) << second.status().message();
  ASSERT_FALSE(told.empty());
  // Told are bytes of the original, of which an encrypted part holds a few less.
  if (sends_in_parts()) EXPECT_NEAR(told.front(), 16u << 20, 8192) << "the first part is there already";
  if (is_s3()) EXPECT_EQ(hints.requests, 4u) << "list parts, one part, complete, head";
  if (is_directory()) EXPECT_EQ(hints.requests, 1u);
  auto read = get("resumed", {0, kLarge});
  ASSERT_TRUE(read) << read.status().message();
  EXPECT_TRUE(*read == bytes);

  // After completion the same progress is stale: the object that stands there counts.
  auto third = remote_->put(key("resumed"), fd.get(), options, {});
  ASSERT_TRUE(third) << third.status().message();
  EXPECT_EQ(is_s3() ? third->etag : second->etag, second->etag);
}

TEST_F(Large, ProgressOfOtherBytesIsNotTakenUp) {
  const std::string bytes = noise(kLarge, 12);
  std::string progress;
  PutOptions broken;
  broken.save_progress = [&](const std::string& text) -> Status {
    progress = text;
    return {Code::kCancelled, "power cut"};
  };
  (void)put("changed", bytes, broken).status();
  const std::string other = noise(kLarge, 13);
  PutOptions resumed;
  resumed.progress = progress;
  auto stored = put("changed", other, resumed);
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_TRUE(*get("changed", {0, kLarge}) == other);
}

TEST_F(Large, PutIfAbsentKeepsWhatStandsThere) {
  ASSERT_TRUE(put("once", "first"));
  PutOptions if_absent;
  if_absent.if_absent = true;
  const std::string bytes = noise(kLarge, 14);
  EXPECT_EQ(put("once", bytes, if_absent).code(), Code::kConflict);
  EXPECT_EQ(*get("once", {0, 5}), "first");
  auto fresh = put("fresh", bytes, if_absent);
  ASSERT_TRUE(fresh) << fresh.status().message();
  auto again = put("fresh", bytes, if_absent);
  ASSERT_TRUE(again) << again.status().message();
  EXPECT_EQ(again->etag, fresh->etag);
}

}  // namespace
}  // namespace shoebox
