// S3Remote against a server that goes wrong in the ways real ones do. What it does with servers that
// behave is shown by tests/servers/contract.
#include "sync/remote/s3_remote.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>

#include "fake_s3.h"
#include "store/base/file_io.h"
#include "store/settings.h"
#include "sync/remote/s3_multipart.h"

namespace shoebox {
namespace {

TestReply refusal(int status, const std::string& code) {
  return {status, {}, "<Error><Code>" + code + "</Code><Message>because</Message></Error>"};
}

class S3RemoteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("AWS_ACCESS_KEY_ID", "AK", 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", "SK", 1);
    ::unsetenv("AWS_SESSION_TOKEN");
    RemoteSettings settings;
    settings.name = "s3";
    settings.url = "s3://bucket/p";
    settings.endpoint = s3_.server.url();
    auto client = std::make_unique<S3Client>(*parse_s3_place(settings), "", settings,
                                             std::make_shared<TransferLoop>(TransferLimits{
                                                 std::chrono::seconds(2), std::chrono::milliseconds(200)}));
    // Parts of 1 MiB, so that a test moves little.
    remote_ =
        std::make_unique<S3Remote>("s3", std::move(client), S3Tuning{1 << 20, 1 << 20, 5ULL << 30, 1 << 30});
    context_.hints = &hints_;
  }

  Result<RemoteObject> put(const std::string& key, const std::string& bytes, PutOptions options = {}) {
    const UniqueFd fd(::memfd_create("body", MFD_CLOEXEC));
    EXPECT_TRUE(pwrite_full(fd.get(), bytes.data(), bytes.size(), 0));
    options.size = bytes.size();
    options.sha256 = sha256(bytes);
    return remote_->put(key, fd.get(), options, context_);
  }
  Result<std::string> get(const std::string& key, ByteRange range, const std::string& etag = "") {
    std::string bytes;
    SHOEBOX_TRY(remote_->get(
        key, range, etag,
        [&](std::string_view piece) {
          bytes += piece;
          return Status::ok();
        },
        context_));
    return bytes;
  }
  void answer_everything(const TestReply& reply) {
    s3_.instead = [reply](const TestRequest&) { return std::optional(reply); };
  }

  FakeS3 s3_;
  RequestHints hints_;
  RequestContext context_;
  std::unique_ptr<S3Remote> remote_;
};

std::string large() {
  std::string bytes((3 << 20) + 5, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 11);
  return bytes;
}

TEST_F(S3RemoteTest, RefusalsMeanWhatTheServerSaid) {
  const std::vector<std::pair<TestReply, Code>> cases = {
      {refusal(503, "SlowDown"), Code::kThrottled},
      {refusal(429, "TooManyRequests"), Code::kThrottled},
      {refusal(503, "ServiceUnavailable"), Code::kUnavailable},
      {TestReply{503, {}, "<html>no server is available</html>"}, Code::kUnavailable},
      {TestReply{503, {}, ""}, Code::kUnavailable},
      {refusal(500, "InternalError"), Code::kUnavailable},
      {TestReply{502, {}, "<html>bad gateway</html>"}, Code::kUnavailable},
      {refusal(403, "AccessDenied"), Code::kUnauthorized},
      {refusal(403, "SignatureDoesNotMatch"), Code::kUnauthorized},
      {refusal(403, "QuotaExceeded"), Code::kNoSpace},
      {TestReply{507, {}, ""}, Code::kNoSpace},
      {refusal(400, "BadDigest"), Code::kUnavailable},
      {refusal(404, "NoSuchBucket"), Code::kUnavailable},
      {TestReply{404, {}, "<html>no such page</html>"}, Code::kUnavailable},
      {TestReply{302, {{"Location", "http://login.example/"}}, ""}, Code::kInvalid},
  };
  for (const auto& [reply, code] : cases) {
    answer_everything(reply);
    EXPECT_EQ(get("a", {0, 5}).code(), code) << reply.body;
    EXPECT_EQ(remote_->list("", "", context_).code(), code) << reply.body;
    EXPECT_EQ(put("a", "bytes").code(), code) << reply.body;
  }
}

TEST_F(S3RemoteTest, ARefusedHeadAsksToSlowDownThoughItCannotSaySo) {
  s3_.instead = [](const TestRequest& r) -> std::optional<TestReply> {
    if (r.method == "HEAD") return TestReply{503, {{"Retry-After", "17"}}, ""};
    return std::nullopt;
  };
  EXPECT_EQ(remote_->stat("a", context_).code(), Code::kThrottled);
  EXPECT_EQ(hints_.retry_after_s, 17);
}

TEST_F(S3RemoteTest, TheMessageHasTheServersReasonAndWhatToDo) {
  answer_everything(refusal(403, "SignatureDoesNotMatch"));
  const std::string message = remote_->check(context_).message();
  EXPECT_NE(message.find("SignatureDoesNotMatch (because); check secret_key"), std::string::npos) << message;
  EXPECT_EQ(message.find("SK"), std::string::npos) << "secrets are never told";
}

TEST_F(S3RemoteTest, RetryAfterReachesTheCaller) {
  TestReply reply = refusal(503, "SlowDown");
  reply.headers = {{"Retry-After", "17"}};
  answer_everything(reply);
  EXPECT_EQ(get("a", {0, 5}).code(), Code::kThrottled);
  EXPECT_EQ(hints_.retry_after_s, 17);
  EXPECT_EQ(hints_.requests, 1u) << "repeating is the caller's business";
}

TEST_F(S3RemoteTest, WithoutAHeadReasonNotFoundIsConfirmedByAListing) {
  EXPECT_EQ(remote_->stat("a", context_).code(), Code::kNotFound);
  EXPECT_EQ(hints_.requests, 2u);
  s3_.instead = [](const TestRequest& r) -> std::optional<TestReply> {
    if (r.method == "HEAD") return TestReply{404, {}, ""};
    return std::nullopt;
  };
  s3_.place("p/a", {"bytes", "etag", ""});
  EXPECT_EQ(remote_->stat("a", context_).code(), Code::kUnavailable) << "it is listed";
  answer_everything({404, {}, ""});
  EXPECT_EQ(remote_->stat("a", context_).code(), Code::kUnavailable);
}

TEST_F(S3RemoteTest, AMissingBucketIsToldByCheck) {
  answer_everything(refusal(404, "NoSuchBucket"));
  const Status status = remote_->check(context_);
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_NE(status.message().find("create it"), std::string::npos) << status.message();
}

TEST_F(S3RemoteTest, AnotherRegionIsNamed) {
  TestReply reply = refusal(301, "PermanentRedirect");
  reply.headers = {{"x-amz-bucket-region", "eu-central-1"}};
  answer_everything(reply);
  const Status status = remote_->check(context_);
  EXPECT_EQ(status.code(), Code::kInvalid);
  EXPECT_NE(status.message().find("set region = \"eu-central-1\""), std::string::npos) << status.message();
}

TEST_F(S3RemoteTest, AWrongClockIsCorrectedFromTheServersAndTriedOnce) {
  s3_.instead = [](const TestRequest& r) -> std::optional<TestReply> {
    if (r.header("x-amz-date").starts_with("2009")) return std::nullopt;
    TestReply reply = refusal(403, "RequestTimeTooSkewed");
    reply.headers = {{"Date", "Mon, 12 Oct 2009 17:50:30 GMT"}};
    return reply;
  };
  EXPECT_TRUE(remote_->check(context_));
  EXPECT_EQ(hints_.requests, 2u);
  EXPECT_TRUE(put("a", "bytes"));
  EXPECT_EQ(hints_.requests, 3u) << "known from now on";
  s3_.instead = [](const TestRequest&) {
    TestReply reply = refusal(403, "RequestTimeTooSkewed");
    reply.headers = {{"Date", "Mon, 12 Oct 2009 17:50:30 GMT"}};
    return std::optional(reply);
  };
  EXPECT_EQ(remote_->check(context_).code(), Code::kUnauthorized) << "not for ever";
}

TEST_F(S3RemoteTest, ABodyThatIsCutOrTooLongOrOfOtherBytesIsDataLoss) {
  ASSERT_TRUE(put("a", "0123456789"));
  s3_.spoil = [](const TestRequest&, TestReply& reply) { reply.cut_after = 3; };
  EXPECT_EQ(get("a", {0, 10}).code(), Code::kDataLoss);
  s3_.spoil = [](const TestRequest&, TestReply& reply) { reply.body = reply.body.substr(0, 3); };
  EXPECT_EQ(get("a", {0, 10}).code(), Code::kDataLoss) << "a length that lies";
  s3_.spoil = [](const TestRequest&, TestReply& reply) { reply.body += "more"; };
  EXPECT_EQ(get("a", {0, 10}).code(), Code::kDataLoss);
  s3_.spoil = [](const TestRequest&, TestReply& reply) {
    reply.status = 200;  // the whole, though a range was asked for
    reply.body = "0123456789";
  };
  EXPECT_EQ(get("a", {2, 5}).code(), Code::kDataLoss);
}

TEST_F(S3RemoteTest, AnAnswerWithAnotherEtagIsAConflict) {
  auto stored = put("a", "0123456789");
  ASSERT_TRUE(stored);
  s3_.spoil = [](const TestRequest&, TestReply& reply) { reply.headers[0].second = "\"other\""; };
  EXPECT_EQ(get("a", {0, 10}, stored->etag).code(), Code::kConflict);
}

TEST_F(S3RemoteTest, APutConfirmedWithAnotherEtagIsNotConfirmed) {
  s3_.spoil = [](const TestRequest& r, TestReply& reply) {
    if (r.method == "PUT") reply.headers = {{"ETag", "\"0123456789abcdef0123456789abcdef\""}};
  };
  EXPECT_TRUE(put("a", "bytes")) << "what stands there is asked, and right";
  s3_.spoil = [](const TestRequest&, TestReply& reply) {
    for (auto& [name, value] : reply.headers) {
      if (name == "ETag") value = "\"0123456789abcdef0123456789abcdef\"";
    }
  };
  EXPECT_EQ(put("a", "bytes").code(), Code::kUnavailable);
}

TEST_F(S3RemoteTest, AConditionalPutWhoseAnswerWasLostIsRecognised) {
  bool lose = true;
  s3_.spoil = [&](const TestRequest& r, TestReply& reply) {
    if (r.method == "PUT" && r.target == "/bucket/p/a" && lose) {
      lose = false;
      reply.reset = true;
    }
  };
  PutOptions if_absent;
  if_absent.if_absent = true;
  auto stored = put("a", "bytes", if_absent);
  if (!stored) {  // unless curl repeats by itself, as it does on a kept connection that died
    EXPECT_EQ(stored.code(), Code::kUnavailable);
    stored = put("a", "bytes", if_absent);
  }
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_EQ(put("a", "other", if_absent).code(), Code::kConflict);
  EXPECT_EQ(s3_.object("p/a")->bytes, "bytes");
}

TEST_F(S3RemoteTest, AServerThatIgnoresTheConditionIsAskedFirst) {
  s3_.place("p/a", {"first", hex(md5("first")), ""});
  // Without the header the fake overwrites, as s3rver does.
  s3_.instead = [&](const TestRequest& r) -> std::optional<TestReply> {
    if (r.header("if-none-match").empty()) return std::nullopt;
    const std::lock_guard lock(s3_.mutex);
    s3_.objects[r.target.substr(8)] = {r.body, hex(md5(r.body)), ""};
    return TestReply{200, {{"ETag", "\"" + hex(md5(r.body)) + "\""}}, ""};
  };
  PutOptions if_absent;
  if_absent.if_absent = true;
  EXPECT_EQ(put("a", "other", if_absent).code(), Code::kConflict);
  EXPECT_EQ(s3_.object("p/a")->bytes, "first");
  EXPECT_EQ(s3_.count_objects(), 1u) << "the probe is cleaned up";
}

TEST_F(S3RemoteTest, AProbeWhoseEndWasNotSeenIsRemovedLater) {
  std::atomic<int> fail = 3;  // the removal, or the answer to the first put
  s3_.instead = [&](const TestRequest& r) -> std::optional<TestReply> {
    if (r.method != "DELETE" || --fail < 0) return std::nullopt;
    return TestReply{500, {}, ""};
  };
  PutOptions if_absent;
  if_absent.if_absent = true;
  for (int i = 0; i < 6; ++i) (void)put("a" + std::to_string(i), "bytes", if_absent);
  EXPECT_LT(fail, 0);
  const std::lock_guard lock(s3_.mutex);
  for (const auto& [key, object] : s3_.objects) EXPECT_EQ(key.find("probe"), std::string::npos) << key;
}

TEST_F(S3RemoteTest, ALargeObjectGoesInPartsAndEachIsNotedBeforeTheNext) {
  std::vector<std::string> saved;
  PutOptions options;
  options.save_progress = [&](const std::string& text) {
    saved.push_back(text);
    return Status::ok();
  };
  auto stored = put("big", large(), options);
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_TRUE(s3_.object("p/big")->bytes == large());
  EXPECT_EQ(stored->etag, s3_.object("p/big")->etag);
  ASSERT_EQ(saved.size(), 5u) << "begun, and four parts";
  auto progress = MultipartProgress::parse(saved.back());
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->parts.size(), 4u);
  EXPECT_EQ(progress->upload_id, "upload-1");
}

TEST_F(S3RemoteTest, OnlyWhatIsMissingIsSentAgain) {
  std::string progress;
  PutOptions options;
  options.save_progress = [&](const std::string& text) {
    progress = text;
    return Status::ok();
  };
  s3_.instead = [](const TestRequest& r) -> std::optional<TestReply> {
    if (r.target.find("partNumber=3") != std::string::npos) return refusal(500, "InternalError");
    return std::nullopt;
  };
  EXPECT_EQ(put("big", large(), options).code(), Code::kUnavailable);
  s3_.instead = nullptr;
  {
    const std::lock_guard lock(s3_.mutex);
    s3_.uploads["upload-1"][1].etag = "another";  // what the server lists is checked, too
  }
  options.progress = progress;
  const size_t before = s3_.server.count("PUT");
  auto stored = put("big", large(), options);
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_EQ(s3_.server.count("PUT") - before, 3u) << "parts 1, 3 and 4";
  EXPECT_TRUE(s3_.object("p/big")->bytes == large());
}

TEST_F(S3RemoteTest, UploadsThatWereGivenUpAreEndedAndOthersAreLetBe) {
  int number = 0;
  for (const char* key : {"p/a", "p/b", "p/c", "elsewhere/d", "p/b"})
    s3_.begin_upload("upload-" + std::to_string(++number), key);
  std::vector<std::string> asked;
  const auto removed = remote_->remove_leftovers(
      "", [&](const Leftover& left) { return asked.push_back(left.key + " " + left.id), left.key != "c"; },
      {});
  ASSERT_TRUE(removed) << removed.status().message();
  EXPECT_EQ(*removed, 3U);
  EXPECT_EQ(asked, (std::vector<std::string>{"a upload-1", "b upload-2", "c upload-3", "b upload-5"}));
  EXPECT_EQ(s3_.upload_ids().size(), 2U);
  EXPECT_EQ(*remote_->remove_leftovers("c", [](const Leftover&) { return true; }, {}), 1U) << "of one key";
  EXPECT_EQ(s3_.upload_ids(), (std::vector<std::string>{"upload-4"})) << "not below our prefix";
}

TEST_F(S3RemoteTest, AnUploadThatIsUnderWayIsNoLeftover) {
  std::vector<uint64_t> removed;
  PutOptions options;
  // Between its beginning and its first part, and after each part.
  options.save_progress = [&](const std::string&) -> Status {
    SHOEBOX_ASSIGN(const uint64_t ended,
                   remote_->remove_leftovers("", [](const Leftover&) { return true; }, {}));
    removed.push_back(ended);
    return Status::ok();
  };
  const auto there = put("big", large(), options);
  ASSERT_TRUE(there) << there.status().message();
  EXPECT_EQ(removed, (std::vector<uint64_t>{0, 0, 0, 0, 0}));
}

TEST_F(S3RemoteTest, AListOfUploadsThatFailsIsAnErrorAndAServerWithoutOneHasNone) {
  s3_.instead = [&](const TestRequest& request) -> std::optional<TestReply> {
    if (request.target.find("uploads=") == std::string::npos) return std::nullopt;
    return TestReply{503, {}, "<Error><Code>SlowDown</Code></Error>"};
  };
  const auto all = [](const Leftover&) { return true; };
  EXPECT_EQ(remote_->remove_leftovers("", all, {}).code(), Code::kThrottled);
  s3_.instead = [&](const TestRequest& request) -> std::optional<TestReply> {
    if (request.target.find("uploads=") == std::string::npos) return std::nullopt;
    return TestReply{501, {}, "<Error><Code>NotImplemented</Code></Error>"};
  };
  EXPECT_EQ(*remote_->remove_leftovers("", all, {}), 0U);
  s3_.instead = [&](const TestRequest& request) -> std::optional<TestReply> {
    if (request.target.find("uploads=") == std::string::npos) return std::nullopt;
    return TestReply{200, {}, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"};
  };
  EXPECT_EQ(*remote_->remove_leftovers("", all, {}), 0U);
}

TEST_F(S3RemoteTest, AServerThatCannotListPartsGetsAllAgain) {
  std::string progress;
  PutOptions options;
  options.save_progress = [&](const std::string& text) -> Status {
    progress = text;
    return {Code::kIo, "stop here"};
  };
  EXPECT_EQ(put("big", large(), options).code(), Code::kIo);
  s3_.instead = [](const TestRequest& r) -> std::optional<TestReply> {
    if (r.method != "GET" || r.target.find("uploadId") == std::string::npos) return std::nullopt;
    return refusal(405, "MethodNotAllowed");
  };
  options = {};
  options.progress = progress;
  auto stored = put("big", large(), options);
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_TRUE(s3_.upload_ids().empty()) << "the first upload is ended";
}

TEST_F(S3RemoteTest, ACompletionWhoseAnswerWasLostIsFound) {
  s3_.spoil = [](const TestRequest& r, TestReply& reply) {
    if (r.method == "POST" && r.target.find("uploadId") != std::string::npos) reply.reset = true;
  };
  auto stored = put("big", large());
  ASSERT_TRUE(stored) << stored.status().message();
}

TEST_F(S3RemoteTest, ACompletionThatSaysOkButHoldsAnErrorIsNone) {
  s3_.instead = [](const TestRequest& r) -> std::optional<TestReply> {
    if (r.method != "POST" || r.target.find("uploadId") == std::string::npos) return std::nullopt;
    return TestReply{200, {}, "<Error><Code>InternalError</Code><Message>later</Message></Error>"};
  };
  auto stored = put("big", large());
  EXPECT_EQ(stored.code(), Code::kUnavailable);
  EXPECT_NE(stored.status().message().find("InternalError"), std::string::npos) << stored.status().message();
}

TEST_F(S3RemoteTest, AnUploadThatTheServerForgotBeginsAnew) {
  std::string progress;
  PutOptions options;
  options.save_progress = [&](const std::string& text) -> Status {
    progress = text;
    return {Code::kIo, "stop here"};
  };
  EXPECT_EQ(put("big", large(), options).code(), Code::kIo);
  s3_.forget_uploads();
  options = {};
  options.progress = progress;
  EXPECT_TRUE(put("big", large(), options));
  options.progress = "made by nobody";
  EXPECT_TRUE(put("big2", large(), options));
}

TEST_F(S3RemoteTest, LocalBytesThatRottedAreNotCompleted) {
  const UniqueFd fd(::memfd_create("body", MFD_CLOEXEC));
  ASSERT_TRUE(write_full(fd.get(), large()));
  PutOptions options;
  options.size = large().size();
  options.sha256 = sha256("what was recorded");
  EXPECT_EQ(remote_->put("big", fd.get(), options, context_).code(), Code::kDataLoss);
  EXPECT_FALSE(s3_.object("p/big"));
  EXPECT_TRUE(s3_.upload_ids().empty()) << "the upload is ended";
}

TEST_F(S3RemoteTest, ACopyThatSaysOkButHoldsAnErrorIsNone) {
  ASSERT_TRUE(put("a", "bytes"));
  s3_.instead = [](const TestRequest& r) -> std::optional<TestReply> {
    if (r.header("x-amz-copy-source").empty()) return std::nullopt;
    return TestReply{200, {}, "<Error><Code>SlowDown</Code></Error>"};
  };
  EXPECT_EQ(remote_->copy("a", "b", context_).code(), Code::kThrottled);
}

TEST_F(S3RemoteTest, AListingOfOtherKeysOrWithoutEndIsRefused) {
  answer_everything({200,
                     {},
                     "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>q/a</Key><Size>1</"
                     "Size></Contents></ListBucketResult>"});
  EXPECT_EQ(remote_->list("", "", context_).code(), Code::kUnavailable);
  answer_everything({200,
                     {},
                     "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</"
                     "NextContinuationToken></ListBucketResult>"});
  EXPECT_EQ(remote_->list("", "t", context_).code(), Code::kUnavailable);
  answer_everything(
      {200,
       {},
       "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>p/../../etc</Key><Size>1</Size></"
       "Contents><Contents><Key>p/dir/</Key><Size>0</Size></Contents></ListBucketResult>"});
  auto page = remote_->list("", "", context_);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->objects.empty()) << "keys that are no paths are skipped";
  EXPECT_EQ(page->skipped, 1U) << "and told, but for the markers of folders";
  EXPECT_THAT(page->skipped_keys, ::testing::ElementsAre("../../etc"));
}

TEST_F(S3RemoteTest, KeysThatExpiredOrWereWrongAreReadAnewOnce) {
  for (const auto& [status, code] :
       {std::pair(400, "ExpiredToken"), std::pair(403, "SignatureDoesNotMatch")}) {
    const std::string corrected = std::string("NEW") + code;
    s3_.instead = [&, status = status, code = code](const TestRequest& r) -> std::optional<TestReply> {
      if (r.header("authorization").find("Credential=" + corrected + "/") != std::string::npos)
        return std::nullopt;
      ::setenv("AWS_ACCESS_KEY_ID", corrected.c_str(), 1);
      return refusal(status, code);
    };
    hints_.requests = 0;
    EXPECT_TRUE(remote_->check(context_)) << code;
    EXPECT_EQ(hints_.requests, 2u) << code;
  }
}

TEST_F(S3RemoteTest, SilenceAndResetsAreNeverGone) {
  TestReply reply;
  reply.silent = true;
  answer_everything(reply);
  EXPECT_EQ(remote_->stat("a", context_).code(), Code::kTimeout);
  reply = {};
  reply.reset = true;
  answer_everything(reply);
  EXPECT_EQ(remote_->stat("a", context_).code(), Code::kUnavailable);
}

TEST_F(S3RemoteTest, KeysThatAreNotUtf8AreRefusedBeforeTheyAreSent) {
  EXPECT_EQ(put("\xff.jpg", "bytes").code(), Code::kInvalid);
  EXPECT_TRUE(s3_.server.requests().empty());
}

}  // namespace
}  // namespace shoebox
