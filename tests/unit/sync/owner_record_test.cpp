#include "sync/owner_record.h"

#include <gtest/gtest.h>

#include "store/base/hash.h"

namespace shoebox {
namespace {

OwnerRecord example() {
  OwnerRecord record;
  record.library = std::string(32, 'a');
  record.writer = std::string(32, 'b');
  record.term = 7;
  record.state = OwnerState::kHolds;
  record.counter = 42;
  record.nonce = std::string(32, 'c');
  record.since_s = 1'700'000'000;
  record.lease_s = 60;
  record.answers = std::string(32, 'd');
  record.host = "desk";
  record.user = "anna";
  return record;
}

TEST(OwnerRecordTest, IsReadAsItWasWritten) {
  for (const OwnerState state : {OwnerState::kHolds, OwnerState::kReleased, OwnerState::kTakes,
                                 OwnerState::kAsks, OwnerState::kTook}) {
    OwnerRecord record = example();
    record.state = state;
    const std::string text = encode(record);
    EXPECT_EQ(text.size(), kOwnerRecordBytes);
    const auto read = parse_owner_record(text);
    ASSERT_TRUE(read) << read.status().message();
    EXPECT_EQ(*read, record);
  }
}

TEST(OwnerRecordTest, IsReadableByPeople) {
  const std::string text = encode(example());
  EXPECT_NE(text.find("\nhost desk\nuser anna\n"), std::string::npos) << text;
  EXPECT_EQ(example().who(), "anna@desk");
}

TEST(OwnerRecordTest, AnyDamageIsNoticed) {
  const std::string whole = encode(example());
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string text = whole;
    text[at] = static_cast<char>(text[at] ^ 1);
    const auto read = parse_owner_record(text);
    // The number of the version alone may say something else than damage.
    EXPECT_FALSE(read) << at;
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_owner_record(whole.substr(0, size)).code(), Code::kDataLoss) << size;
  }
}

TEST(OwnerRecordTest, ANewerFormatIsToldFromDamage) {
  std::string text = encode(example());
  text.replace(0, 15, "shoebox-owner 2");
  EXPECT_EQ(parse_owner_record(text).code(), Code::kIncompatible);
}

TEST(OwnerRecordTest, NamesOfOthersDoNotReachTheTerminalRaw) {
  OwnerRecord record = example();
  record.host = "de\nsk\x1b[2J";
  record.user = "";
  const auto read = parse_owner_record(encode(record));
  ASSERT_TRUE(read) << read.status().message();
  EXPECT_EQ(read->host, "de?sk?[2J");
  EXPECT_EQ(read->user, "?");
  record.host = std::string(5000, 'x');
  EXPECT_TRUE(parse_owner_record(encode(record)));
}

TEST(OwnerRecordTest, NumbersThatNobodyMeansAreRefused) {
  for (const int64_t lease_s : {int64_t{0}, int64_t{-5}, int64_t{3601}, INT64_MAX}) {
    OwnerRecord record = example();
    record.lease_s = lease_s;
    EXPECT_EQ(parse_owner_record(encode(record)).code(), Code::kDataLoss) << lease_s;
  }
}

TEST(OwnerRecordTest, KeysNameTheirTerm) {
  EXPECT_EQ(owner_key(12), ".shoebox/owner/12");
  EXPECT_EQ(term_of_key(".shoebox/owner/12"), 12U);
  for (const char* key :
       {".shoebox/owner/request", ".shoebox/owner/", ".shoebox/owner/012", ".shoebox/owner/1/2",
        ".shoebox/owner/-1", "Library/1", ".shoebox/owner/99999999999999999999"}) {
    EXPECT_EQ(term_of_key(key), 0U) << key;
  }
}

}  // namespace
}  // namespace shoebox
