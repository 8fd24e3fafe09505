#include "sync/remote/s3_file_time.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

TEST(S3FileTime, IsReadAsItWasWritten) {
  for (const Timestamp time : {Timestamp{0, 0},
                               {1689330472, 0},
                               {1689330472, 123456789},
                               {1689330472, 1},
                               {-1, 0},
                               {-1, 500'000'000},
                               {-2, 999'999'999},
                               {253'402'300'799, 999'999'999}}) {
    const std::string text = s3_file_time(time);
    EXPECT_EQ(parse_s3_file_time(text), time) << text;
  }
}

TEST(S3FileTime, IsSpelledAsOtherProgramsDo) {
  EXPECT_EQ(s3_file_time({1689330472, 123456789}), "1689330472.123456789");
  EXPECT_EQ(s3_file_time({1689330472, 0}), "1689330472");
  EXPECT_EQ(s3_file_time({-2, 500'000'000}), "-1.500000000") << "a second and a half before 1970";
  EXPECT_EQ(parse_s3_file_time("1689330472.5"), (Timestamp{1689330472, 500'000'000}));
  EXPECT_EQ(parse_s3_file_time("1689330472.1234567891234"), (Timestamp{1689330472, 123456789}));
}

TEST(S3FileTime, IsNothingElse) {
  for (const char* text : {"", "-", ".", ".5", "abc", "12a", "1.2.3", "1,5", "+1", " 1", "--1", "1e9", "1.-5",
                           "253402300800", "99999999999999999999999"}) {
    EXPECT_EQ(parse_s3_file_time(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace shoebox
