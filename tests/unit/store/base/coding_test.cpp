#include "store/base/coding.h"

#include <gtest/gtest.h>

#include <limits>

namespace shoebox {
namespace {

TEST(Coding, NumbersComeBackAsTheyWere) {
  for (const uint64_t v : {uint64_t{0}, uint64_t{127}, uint64_t{128}, std::numeric_limits<uint64_t>::max()}) {
    std::string bytes;
    put_varint(bytes, v);
    put_be64(bytes, v);
    Decoder in(bytes);
    EXPECT_EQ(in.varint(), v);
    EXPECT_EQ(in.be64(), v);
    EXPECT_TRUE(in.done());
  }
  for (const int64_t v :
       {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    std::string bytes;
    put_svarint(bytes, v);
    Decoder in(bytes);
    EXPECT_EQ(in.svarint(), v);
    EXPECT_TRUE(in.done());
  }
}

TEST(Coding, BigEndianOrderIsNumericOrder) {
  std::string a, b;
  put_be64(a, 255);
  put_be64(b, 256);
  EXPECT_LT(a, b);
}

TEST(Coding, ADecoderThatRanOutStaysFailed) {
  Decoder in(
      "\x05"
      "abc");
  EXPECT_EQ(in.string(), "");
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_FALSE(in.done());
}

TEST(Coding, ALengthBeyondTheInputIsNoString) {
  std::string bytes;
  put_varint(bytes, std::numeric_limits<uint64_t>::max());
  Decoder in(bytes);
  EXPECT_EQ(in.string(), "");
  EXPECT_FALSE(in.ok());
}

TEST(Coding, AVarintOfElevenBytesIsRefused) {
  Decoder in(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));
  in.varint();
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace shoebox
