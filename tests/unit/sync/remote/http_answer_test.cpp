#include "sync/remote/http_answer.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

HttpResponse answer(int status, NameValues headers) { return {status, std::move(headers), ""}; }

TEST(HttpAnswer, NoStatusAloneMeansThatAnObjectIsGone) {
  for (int status = 100; status < 600; ++status) {
    EXPECT_NE(code_of_http_status(status), Code::kNotFound) << status;
  }
  EXPECT_EQ(code_of_http_status(404), Code::kUnavailable);
  EXPECT_EQ(code_of_http_status(503), Code::kUnavailable);
  EXPECT_EQ(code_of_http_status(429), Code::kThrottled);
  EXPECT_EQ(code_of_http_status(507), Code::kNoSpace);
  EXPECT_EQ(code_of_http_status(401), Code::kUnauthorized);
}

TEST(HttpAnswer, RetryAfterIsANumberOrADateAndBounded) {
  EXPECT_EQ(retry_after_s(answer(503, {{"retry-after", "17"}}), 0), 17);
  EXPECT_EQ(retry_after_s(answer(503, {{"retry-after", "Mon, 12 Oct 2009 17:50:30 GMT"}}), 1255369800), 30);
  EXPECT_EQ(retry_after_s(answer(503, {{"retry-after", "99999999"}}), 0), 3600);
  EXPECT_EQ(retry_after_s(answer(503, {{"retry-after", "soon"}}), 0), 0);
  EXPECT_EQ(retry_after_s(answer(503, {}), 0), 0);
}

class RangeAnswerTest : public ::testing::Test {
 protected:
  std::string got_;
  const RangeAnswer::Sink sink_ = [this](std::string_view bytes) {
    got_ += bytes;
    return Status::ok();
  };
};

TEST_F(RangeAnswerTest, AsksForTheRangeOfTheVeryObject) {
  EXPECT_EQ(RangeAnswer({5, 10}, "abc", sink_).headers(),
            (NameValues{{"Range", "bytes=5-9"}, {"If-Match", "\"abc\""}}));
  EXPECT_EQ(RangeAnswer({0, 1}, "", sink_).headers(), (NameValues{{"Range", "bytes=0-0"}}));
  EXPECT_EQ(RangeAnswer({0, 1}, "W/abc", sink_).headers(), (NameValues{{"Range", "bytes=0-0"}}))
      << "a weak etag never matches";
}

TEST_F(RangeAnswerTest, TakesNothingButWhatWasAskedFor) {
  const RangeAnswer range({5, 10}, "abc", sink_);
  EXPECT_TRUE(range.accept(answer(206, {{"content-range", "bytes 5-9/100"}, {"etag", "\"abc\""}})));
  EXPECT_TRUE(range.accept(answer(206, {{"content-range", "bytes 5-9/*"}, {"etag", "W/\"abc\""}})));
  EXPECT_EQ(range.accept(answer(206, {{"content-range", "bytes 5-9/100"}, {"etag", "\"abd\""}})).code(),
            Code::kConflict);
  for (const char* other :
       {"bytes 0-4/100", "bytes 5-10/100", "bytes 5/100", "items 5-9/100", "bytes x-9/1", ""}) {
    EXPECT_EQ(range.accept(answer(206, {{"content-range", other}})).code(), Code::kDataLoss) << other;
  }
  EXPECT_EQ(range.accept(answer(200, {{"content-length", "100"}})).code(), Code::kDataLoss);
  EXPECT_TRUE(RangeAnswer({0, 9}, "", sink_).accept(answer(200, {{"content-length", "9"}})));
}

TEST_F(RangeAnswerTest, LongerAndShorterBodiesAreRefused) {
  RangeAnswer range({0, 4}, "", sink_);
  EXPECT_TRUE(range.take("abc"));
  EXPECT_EQ(range.complete().code(), Code::kDataLoss);
  EXPECT_EQ(range.take("de").code(), Code::kDataLoss);
  EXPECT_TRUE(range.take("d"));
  EXPECT_TRUE(range.complete());
  EXPECT_EQ(got_, "abcd");
}

}  // namespace
}  // namespace shoebox
