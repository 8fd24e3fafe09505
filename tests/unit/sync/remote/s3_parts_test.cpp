// Several parts of one object under way at once, against a server that answers when the test wants.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <set>

#include "fake_s3.h"
#include "store/base/file_io.h"
#include "store/settings.h"
#include "sync/remote/s3_multipart.h"
#include "sync/remote/s3_remote.h"

namespace shoebox {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);  // of a handler; the test fails when it ends

// The number of the part that a request sends; 0: it sends none.
int part_of(const TestRequest& request) {
  const size_t at = request.target.find("partNumber=");
  return request.method == "PUT" && at != std::string::npos ? std::stoi(request.target.substr(at + 11)) : 0;
}

// Bytes that this process has read from files; nullopt: the kernel does not tell.
std::optional<uint64_t> bytes_read() {
  std::ifstream file("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "rchar:") return value;
  }
  return std::nullopt;
}

class S3PartsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("AWS_ACCESS_KEY_ID", "AK", 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", "SK", 1);
    ::unsetenv("AWS_SESSION_TOKEN");
    RemoteSettings settings;
    settings.name = "s3";
    settings.url = "s3://bucket/p";
    settings.endpoint = s3_.server.url();
    auto client = std::make_unique<S3Client>(
        *parse_s3_place(settings), "", settings,
        std::make_shared<TransferLoop>(TransferLimits{std::chrono::seconds(10), 2 * kPatience}));
    remote_ =
        std::make_unique<S3Remote>("s3", std::move(client), S3Tuning{1 << 20, 1 << 20, 5ULL << 30, 1 << 30});
    context_.hints = &hints_;
    bytes_.resize((3 << 20) + 5);  // four parts
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<char>(i * 2654435761u >> 11);
    file_.reset(::memfd_create("body", MFD_CLOEXEC));
    ASSERT_TRUE(pwrite_full(file_.get(), bytes_.data(), bytes_.size(), 0));
    options_.size = bytes_.size();
    options_.sha256 = sha256(bytes_);
    options_.save_progress = [this](const std::string& text) {
      const std::lock_guard lock(mutex_);
      progress_ = text;
      changed_.notify_all();
      return Status::ok();
    };
  }
  Result<RemoteObject> put() { return remote_->put("big", file_.get(), options_, context_); }

  // Blocks a handler until `so`, which sees what mutex_ guards.
  bool wait(const std::function<bool()>& so) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, so);
  }
  // The numbers of the parts that the progress names. Called under mutex_.
  std::set<uint32_t> noted() {
    const auto progress = MultipartProgress::parse(progress_);
    std::set<uint32_t> numbers;
    if (progress) {
      for (const S3Part& part : progress->parts) numbers.insert(part.number);
    }
    return numbers;
  }

  FakeS3 s3_;
  std::string bytes_;
  UniqueFd file_;
  PutOptions options_;
  RequestHints hints_;
  RequestContext context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string progress_;
  int arrived_ = 0, at_once_ = 0, most_at_once_ = 0;
  std::unique_ptr<S3Remote> remote_;
};

TEST_F(S3PartsTest, AsManyPartsAreUnderWayAsTheCallerLets) {
  context_.at_once = [] { return 3; };
  s3_.instead = [&](const TestRequest& request) -> std::optional<TestReply> {
    if (part_of(request) == 0) return std::nullopt;
    {
      const std::lock_guard lock(mutex_);
      ++arrived_;
      most_at_once_ = std::max(most_at_once_, ++at_once_);
      changed_.notify_all();
    }
    EXPECT_TRUE(wait([&] { return arrived_ >= 3; })) << "the others wait for this one's end";
    const std::lock_guard lock(mutex_);
    --at_once_;
    return std::nullopt;
  };
  const auto stored = put();
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_EQ(most_at_once_, 3);
  EXPECT_EQ(s3_.object("p/big")->bytes, bytes_);
  EXPECT_EQ(hints_.requests, 7U) << "begin, four parts, complete, look";
}

TEST_F(S3PartsTest, PartsThatEndedBeforeAnEarlierOneAreNotedAndNotSentAgain) {
  context_.at_once = [] { return 4; };
  std::vector<int> sent;
  bool fail = true;
  s3_.instead = [&](const TestRequest& request) -> std::optional<TestReply> {
    if (part_of(request) == 0) return std::nullopt;
    {
      const std::lock_guard lock(mutex_);
      sent.push_back(part_of(request));
      if (part_of(request) != 1 || !fail) return std::nullopt;
    }
    EXPECT_TRUE(wait([&] { return noted() == std::set<uint32_t>{2, 3, 4}; }));
    return TestReply{500, {}, "<Error><Code>InternalError</Code></Error>"};
  };
  EXPECT_EQ(put().code(), Code::kUnavailable);
  EXPECT_EQ(noted(), (std::set<uint32_t>{2, 3, 4}));
  {
    const std::lock_guard lock(mutex_);
    sent.clear();
    fail = false;
  }
  options_.progress = progress_;
  const auto stored = put();
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_EQ(sent, std::vector<int>{1});
  EXPECT_EQ(s3_.object("p/big")->bytes, bytes_);
  EXPECT_EQ(stored->etag, s3_.object("p/big")->etag);
  EXPECT_EQ(noted(), (std::set<uint32_t>{1, 2, 3, 4}));
}

TEST_F(S3PartsTest, WhatIsUnderWayWhenAPartFailsIsNotedWhenItEnds) {
  context_.at_once = [] { return 4; };
  s3_.instead = [&](const TestRequest& request) -> std::optional<TestReply> {
    if (part_of(request) == 0) return std::nullopt;
    {
      const std::lock_guard lock(mutex_);
      ++arrived_;
      changed_.notify_all();
    }
    EXPECT_TRUE(wait([&] { return arrived_ == 4; }));
    if (part_of(request) != 2) return std::nullopt;
    return TestReply{503, {{"Retry-After", "17"}}, "<Error><Code>SlowDown</Code></Error>"};
  };
  EXPECT_EQ(put().code(), Code::kThrottled);
  EXPECT_EQ(noted(), (std::set<uint32_t>{1, 3, 4}));
  EXPECT_EQ(hints_.retry_after_s, 17);
}

TEST_F(S3PartsTest, AnUploadThatSomebodyEndsUnderWayBeginsAnewAtOnce) {
  bool ended = false;
  uint64_t told = 0;
  options_.on_bytes = [&](uint64_t bytes) { told = bytes; };
  s3_.instead = [&](const TestRequest& request) -> std::optional<TestReply> {
    if (part_of(request) != 3 || std::exchange(ended, true)) return std::nullopt;
    return TestReply{404, {}, "<Error><Code>NoSuchUpload</Code></Error>"};
  };
  const auto stored = put();
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_EQ(s3_.object("p/big")->bytes, bytes_);
  EXPECT_EQ(told, bytes_.size());
}

TEST_F(S3PartsTest, CancelEndsAllOfThem) {
  context_.at_once = [] { return 4; };
  s3_.instead = [&](const TestRequest& request) -> std::optional<TestReply> {
    if (part_of(request) == 0) return std::nullopt;
    const std::lock_guard lock(mutex_);
    if (++arrived_ == 4) context_.cancel.cancel();
    TestReply reply;
    reply.silent = true;
    return reply;
  };
  EXPECT_EQ(put().code(), Code::kCancelled);
  EXPECT_TRUE(noted().empty());
}

TEST_F(S3PartsTest, BytesAreToldInOneSumThatNeverShrinks) {
  context_.at_once = [] { return 4; };
  std::vector<uint64_t> told;
  options_.on_bytes = [&](uint64_t sent) { told.push_back(sent); };
  ASSERT_TRUE(put());
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back(), bytes_.size());
}

TEST_F(S3PartsTest, BytesAreReadOnceForAllTheirHashesAndOnceToBeSent) {
  const auto before = bytes_read();
  if (!before) GTEST_SKIP() << "/proc/self/io is not there";
  ASSERT_TRUE(put());
  EXPECT_LT(*bytes_read() - *before, bytes_.size() * 5 / 2);
}

TEST_F(S3PartsTest, SoAreTheBytesOfAnObjectThatGoesInOneRequest) {
  options_.size = 1 << 20;
  options_.sha256 = sha256(bytes_.substr(0, options_.size));
  const auto before = bytes_read();
  if (!before) GTEST_SKIP() << "/proc/self/io is not there";
  ASSERT_TRUE(put());
  EXPECT_LT(*bytes_read() - *before, options_.size * 5 / 2);
  EXPECT_EQ(s3_.server.count("POST"), 0U) << "not in parts";
}

TEST_F(S3PartsTest, AServerWhoseEtagIsTheHashOfTheWholeIsComparedWithThat) {
  const auto answer_with = [&](const std::string& etag) {
    s3_.spoil = [etag](const TestRequest& request, TestReply& reply) {
      if (request.method != "HEAD") return;
      for (auto& [name, value] : reply.headers) {
        if (name == "ETag") value = '"' + etag + '"';
      }
    };
  };
  const std::string etag = hex(md5(bytes_));
  answer_with(etag);
  const auto stored = put();
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_EQ(stored->etag, etag);
  answer_with(hex(md5("other bytes")));
  EXPECT_EQ(put().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace shoebox
