// The wire of the decoder: what is sent arrives, and nothing that is malformed gets through.
#include "store/decode/wire.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "store/base/coding.h"

namespace shoebox {
namespace {

DecodedMedia full_media() {
  DecodedMedia media;
  MediaInfo& info = media.info;
  info.kind = MediaKind::kPhoto;
  info.mime = "image/jpeg";
  info.date = LocalDate{2023, 7, 14, 10, 11, 12};
  info.utc_offset_minutes = int16_t{-330};
  info.people = {"Anna", "Zoë/Ann"};
  info.tags = {"Places/Rome"};
  info.latitude = -12.5;
  info.longitude = 170.25;
  info.make = "Canon";
  info.model = "EOS R5";
  info.width = 8192;
  info.height = 5464;
  info.orientation = 6;
  info.duration_s = 1.5;
  info.rating = 4;
  info.caption = "At the sea";
  info.place = {"Italy", "Toscana", "Arezzo", ""};
  info.date_is_original = true;
  media.thumbnails = {{256, "\xff\xd8\xff small"}, {1024, "\xff\xd8\xff large"}};
  return media;
}

wire::Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(5); }

struct Sockets {
  Sockets() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    here.reset(ends[0]);
    there.reset(ends[1]);
  }
  UniqueFd here, there;
};

TEST(WireTest, ReplyArrivesAsItWasSent) {
  const DecodedMedia sent = full_media();
  const auto got = wire::parse_reply(wire::encode(sent));
  ASSERT_TRUE(got.is_ok()) << got.status().message();
  const MediaInfo& info = got->info;
  EXPECT_EQ(info.kind, MediaKind::kPhoto);
  EXPECT_EQ(info.mime, "image/jpeg");
  EXPECT_EQ(info.date, sent.info.date);
  EXPECT_EQ(info.utc_offset_minutes, sent.info.utc_offset_minutes);
  EXPECT_EQ(info.people, sent.info.people);
  EXPECT_EQ(info.tags, sent.info.tags);
  EXPECT_EQ(info.latitude, sent.info.latitude);
  EXPECT_EQ(info.longitude, sent.info.longitude);
  EXPECT_EQ(info.make, "Canon");
  EXPECT_EQ(info.model, "EOS R5");
  EXPECT_EQ(info.width, 8192u);
  EXPECT_EQ(info.height, 5464u);
  EXPECT_EQ(info.orientation, 6);
  EXPECT_EQ(info.duration_s, 1.5);
  EXPECT_EQ(info.rating, 4);
  EXPECT_EQ(info.caption, "At the sea");
  EXPECT_EQ(info.place, sent.info.place);
  EXPECT_TRUE(info.date_is_original);
  ASSERT_EQ(got->thumbnails.size(), 2u);
  EXPECT_EQ(got->thumbnails[1].size_px, 1024u);
  EXPECT_EQ(got->thumbnails[1].jpeg, sent.thumbnails[1].jpeg);
}

TEST(WireTest, ReplyWithValuesOutOfRangeIsRefused) {
  const auto refused = [](const std::function<void(DecodedMedia&)>& spoil) {
    DecodedMedia media = full_media();
    spoil(media);
    const auto got = wire::parse_reply(wire::encode(media));
    return !got.is_ok() && got.code() == Code::kDataLoss;
  };
  EXPECT_FALSE(refused([](DecodedMedia&) {}));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.kind = MediaKind::kUnknown; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.kind = static_cast<MediaKind>(9); }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.orientation = 0; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.orientation = 9; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.latitude = 91; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.longitude = std::numeric_limits<double>::quiet_NaN(); }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.duration_s = -1; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.rating = 6; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.date->month = 13; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.date->year = 0; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.utc_offset_minutes = int16_t{3000}; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.people = {"\xff\xfe"}; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.people = {""}; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.info.place.city = "\xff\xfe"; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.thumbnails[0].size_px = 5000; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.thumbnails[0].jpeg = "<html>"; }));
  EXPECT_TRUE(refused([](DecodedMedia& m) { m.thumbnails.resize(5, m.thumbnails[0]); }));
}

TEST(WireTest, LongNamesAreCutBetweenCharactersBeforeTheyAreSent) {
  DecodedMedia media = full_media();
  std::string name;
  for (int i = 0; i < 1000; ++i) name += "é";
  media.info.people = {name};
  const auto got = wire::parse_reply(wire::encode(media));
  ASSERT_TRUE(got.is_ok()) << got.status().message();
  EXPECT_EQ(got->info.people[0].size(), wire::kMaxNameBytes);
  EXPECT_TRUE(wire::is_utf8(got->info.people[0]));
}

TEST(WireTest, NoCutAndNoFlippedByteHurtsTheParser) {
  const std::string good = wire::encode(full_media());
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(wire::parse_reply(std::string_view(good).substr(0, length)).is_ok()) << length;
  }
  EXPECT_FALSE(wire::parse_reply(good + "x").is_ok());
  std::mt19937 random(20231114);
  for (int round = 0; round < 50'000; ++round) {
    std::string bad = good;
    for (unsigned i = 0; i < 1 + random() % 4; ++i) bad[random() % bad.size()] = static_cast<char>(random());
    const auto got = wire::parse_reply(bad);
    if (!got.is_ok()) continue;
    EXPECT_LE(got->info.people.size(), wire::kMaxNames);
    EXPECT_GE(got->info.orientation, 1);
    EXPECT_LE(got->info.orientation, 8);
    for (const std::string& name : got->info.people) EXPECT_TRUE(wire::is_utf8(name));
  }
}

TEST(WireTest, HugeCountsAllocateNothing) {
  std::string bad;
  put_u8(bad, wire::kVersion);
  put_u8(bad, 1);
  put_string(bad, "image/jpeg");
  put_u8(bad, 0);
  put_varint(bad, UINT64_MAX);  // people
  EXPECT_FALSE(wire::parse_reply(bad).is_ok());
}

TEST(WireTest, FrameCarriesADescriptor) {
  Sockets sockets;
  Result<UniqueFd> file = open_file("/dev/null", O_RDONLY);
  ASSERT_TRUE(file.is_ok());
  ASSERT_TRUE(
      wire::send_frame(sockets.here.get(), wire::encode(wire::Request{"a.jpg"}), file->get()).is_ok());
  UniqueFd got;
  const auto frame = wire::receive_frame(sockets.there.get(), wire::kMaxRequestBytes, soon(), &got);
  ASSERT_TRUE(frame.is_ok()) << frame.status().message();
  EXPECT_TRUE(static_cast<bool>(got));
  EXPECT_EQ(wire::parse_request(frame.value())->name, "a.jpg");
  EXPECT_TRUE(wire::parse_request(frame.value())->hole.empty());
}

TEST(WireTest, ARequestTellsWhatIsNotThere) {
  const auto request = wire::parse_request(wire::encode(wire::Request{"a.jpg", {131072, 4'000'000}}));
  ASSERT_TRUE(request.is_ok());
  EXPECT_EQ(request->hole, (ByteRange{131072, 4'000'000}));
}

TEST(WireTest, FrameLongerThanAllowedIsRefusedUnread) {
  Sockets sockets;
  ASSERT_TRUE(write_full(sockets.here.get(), std::string("\xff\xff\xff\xff", 4)).is_ok());
  EXPECT_EQ(wire::receive_frame(sockets.there.get(), 1024, soon()).code(), Code::kDataLoss);
}

TEST(WireTest, SilenceEndsAtTheDeadlineAndAClosedSocketAtOnce) {
  Sockets sockets;
  ASSERT_TRUE(write_full(sockets.here.get(), std::string("\0\0\0\x08half", 8)).is_ok());
  const auto late = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
  EXPECT_EQ(wire::receive_frame(sockets.there.get(), 1024, late).code(), Code::kTimeout);
  sockets.here.reset();
  EXPECT_EQ(wire::receive_frame(sockets.there.get(), 1024, soon()).code(), Code::kUnavailable);
}

TEST(WireTest, GreetingOfAnotherVersionIsRefused) {
  EXPECT_TRUE(wire::parse_ready(wire::encode_ready()).is_ok());
  EXPECT_EQ(wire::parse_ready(std::string("R\x01", 2)).code(), Code::kIncompatible);
  EXPECT_EQ(wire::parse_ready("hello").code(), Code::kDataLoss);
}

TEST(WireTest, TellsUtf8FromOtherBytes) {
  for (const char* good : {"", "abc", "é", "山田", "😀"}) EXPECT_TRUE(wire::is_utf8(good)) << good;
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc3", "a\xe2\x82"}) {
    EXPECT_FALSE(wire::is_utf8(bad));
  }
}

}  // namespace
}  // namespace shoebox
