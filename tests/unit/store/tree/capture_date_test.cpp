// When a photo was taken, from metadata, name or mtime.

#include "store/tree/capture_date.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace shoebox {
namespace {

constexpr Timestamp kNow{1700000000, 0};  // 2023-11-14 22:13:20 UTC

std::string shown(const std::optional<LocalDate>& date) {
  if (!date) return "none";
  std::string text = fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day);
  if (date->hour >= 0) text += fmt::format("T{:02}:{:02}:{:02}", date->hour, date->minute, date->second);
  return text;
}

std::string in_name(std::string_view name) { return shown(date_in_name(name, kNow)); }

TEST(CaptureDate, NamesOfCamerasPhonesAndMessengers) {
  const std::pair<const char*, const char*> kNames[] = {
      {"IMG_20230714_101112.jpg", "2023-07-14T10:11:12"},
      {"IMG_20230714_101112_1.jpg", "2023-07-14T10:11:12"},
      {"IMG20230714101112.jpg", "2023-07-14T10:11:12"},
      {"PXL_20230714_101112345.jpg", "2023-07-14T10:11:12"},
      {"PXL_20230714_101112345.MP.jpg", "2023-07-14T10:11:12"},
      {"VID_20230714_101112.mp4", "2023-07-14T10:11:12"},
      {"MVIMG_20230714_101112.jpg", "2023-07-14T10:11:12"},
      {"20230714_101112.jpg", "2023-07-14T10:11:12"},
      {"20230714_101112(0).jpg", "2023-07-14T10:11:12"},
      {"20230714-101112_001.jpg", "2023-07-14T10:11:12"},
      {"WIN_20230714_10_11_12_Pro.jpg", "2023-07-14T10:11:12"},
      {"WhatsApp Image 2023-07-14 at 10.11.12.jpeg", "2023-07-14T10:11:12"},
      {"WhatsApp Image 2023-07-14 at 10.11.12 PM (1).jpeg", "2023-07-14T22:11:12"},
      {"IMG-20230714-WA0001.jpg", "2023-07-14"},
      {"Screenshot 2023-07-14 at 10.11.12.png", "2023-07-14T10:11:12"},
      {"Screen Shot 2023-07-14 at 1.11.12 PM.png", "2023-07-14T13:11:12"},
      {"Screenshot 2023-07-14 at 12.11.12\u202FAM.png", "2023-07-14T00:11:12"},
      {"Screenshot_20230714-101112.png", "2023-07-14T10:11:12"},
      {"Screenshot_20230714-101112_Chrome.jpg", "2023-07-14T10:11:12"},
      {"Screenshot_2023-07-14-10-11-12-345_com.app.jpg", "2023-07-14T10:11:12"},
      {"signal-2023-07-14-101112.jpg", "2023-07-14T10:11:12"},
      {"signal-2023-07-14-10-11-12-345.jpg", "2023-07-14T10:11:12"},
      {"photo_2023-07-14_10-11-12.jpg", "2023-07-14T10:11:12"},
      {"photo_2023-07-14 10.11.12.jpeg", "2023-07-14T10:11:12"},
      {"2023-07-14 10.11.12-1.jpg", "2023-07-14T10:11:12"},
      {"2023-07-14T10:11:12.jpg", "2023-07-14T10:11:12"},
      {"C360_2014-05-06-10-11-12-123.jpg", "2014-05-06T10:11:12"},
      {"2023-07-14.jpg", "2023-07-14"},
      {"2023_07_14 Garten.jpg", "2023-07-14"},
      {"Oma 1931-05-02.tif", "1931-05-02"},
      {"20230714.jpg", "2023-07-14"},
      {"20230714 beach.jpg", "2023-07-14"},
      {"2020-02-29.jpg", "2020-02-29"},
  };
  for (const auto& [name, date] : kNames) EXPECT_EQ(in_name(name), date) << name;
}

TEST(CaptureDate, NumbersThatAreNoDates) {
  for (const char* name : {"DSC_0001.jpg",
                           "IMG_1234.jpg",
                           "20231514.jpg",
                           "IMG_20230230_101112.jpg",
                           "2025551234.jpg",
                           "+49 1512 3456789.jpg",
                           "received_1689325872345678.jpeg",
                           "FB_IMG_1689325872345.jpg",
                           "12345678.jpg",
                           "00000000.jpg",
                           "20240714_101112.jpg",
                           "2021-02-29.jpg",
                           "2023-13-01.jpg",
                           "IMG_20230714x.jpg",
                           "20230714-1011-4abc-8def-0123456789ab.jpg",
                           "d41d8c20230714b204e9.jpg",
                           "120230714.jpg",
                           "1823-01-01.jpg",
                           "192.168.10.12.png",
                           "dog_created_1919.jpg",
                           "",
                           ".",
                           "2023",
                           "2023-07",
                           "2023-07-1.jpg",
                           "19700101.jpg"}) {
    EXPECT_EQ(in_name(name), "none") << name;
  }
}

TEST(CaptureDate, AnImpossibleTimeLeavesTheDay) {
  EXPECT_EQ(in_name("IMG_20230714_251112.jpg"), "2023-07-14");
  EXPECT_EQ(in_name("2023-07-14 at 10.99.12.png"), "2023-07-14");
}

MediaInfo taken(int year, int month, int day, MediaKind kind = MediaKind::kPhoto) {
  MediaInfo info;
  info.kind = kind;
  info.date = LocalDate{.year = static_cast<int16_t>(year),
                        .month = static_cast<uint8_t>(month),
                        .day = static_cast<uint8_t>(day)};
  return info;
}

TEST(CaptureDate, MetadataComesFirstThenTheNameThenTheMtime) {
  const Timestamp mtime{1500000000, 0};
  const std::string name = "IMG_20230714_101112.jpg";
  EXPECT_EQ(effective_date(taken(2019, 1, 2), name, mtime, kNow).source, DateSource::kMetadata);
  EXPECT_EQ(effective_date({}, name, mtime, kNow).source, DateSource::kFileName);
  EXPECT_EQ(effective_date({}, "a.jpg", mtime, kNow).source, DateSource::kMtime);
  EXPECT_EQ(effective_date({}, "a.jpg", std::nullopt, kNow).source, DateSource::kNone);
}

TEST(CaptureDate, NamesOfAPixelAreInUtcAndBecomeLocal) {
  const auto of = [](const MediaInfo& info, std::string_view name) {
    return shown(effective_date(info, name, {}, kNow).date);
  };
  constexpr std::string_view kName = "PXL_20230630_231112345.jpg";
  MediaInfo info;
  info.utc_offset_minutes = int16_t{120};
  EXPECT_EQ(of(info, kName), "2023-07-01T01:11:12");
  EXPECT_EQ(of(info, "PXL_20230630_231112345.MP~2.jpg"), "2023-07-01T01:11:12");
  EXPECT_EQ(of(info, "IMG_20230630_231112.jpg"), "2023-06-30T23:11:12");  // other cameras name local time
  info.latitude = 35.7;
  info.longitude = 139.7;  // Tokyo; the offset is surer
  EXPECT_EQ(of(info, kName), "2023-07-01T01:11:12");
  info.utc_offset_minutes.reset();
  EXPECT_EQ(of(info, kName), "2023-07-01T08:11:12");
  info.longitude = -122.4;
  EXPECT_EQ(of(info, kName), "2023-06-30T15:11:12");
  setenv("TZ", "UTC-10", 1);  // ten hours ahead
  tzset();
  EXPECT_EQ(of({}, kName), "2023-07-01T09:11:12");
  unsetenv("TZ");
  tzset();
}

TEST(CaptureDate, ImpossibleDatesDoNotCount) {
  EXPECT_FALSE(effective_date(taken(0, 0, 0), "a.jpg", {}, kNow).date);
  EXPECT_FALSE(effective_date(taken(2023, 2, 30), "a.jpg", {}, kNow).date);
  EXPECT_FALSE(effective_date(taken(2023, 12, 1), "a.jpg", {}, kNow).date);
  EXPECT_FALSE(effective_date(taken(1904, 1, 1, MediaKind::kVideo), "a.mov", {}, kNow).date);
  EXPECT_FALSE(effective_date({}, "a.jpg", Timestamp{1900000000, 0}, kNow).date);
  EXPECT_FALSE(effective_date({}, "a.jpg", Timestamp{0, 0}, kNow).date);
}

TEST(CaptureDate, OldAndPartialDatesCount) {
  EXPECT_TRUE(effective_date(taken(1601, 1, 1), "a.jpg", {}, kNow).date);
  EXPECT_TRUE(effective_date(taken(1931, 5, 2), "a.jpg", {}, kNow).date);
  EXPECT_TRUE(effective_date(taken(2023, 0, 0), "a.jpg", {}, kNow).date);
  EXPECT_TRUE(effective_date(taken(2023, 11, 15), "a.jpg", {}, kNow).date);  // ahead of UTC
}

TEST(CaptureDate, AnMtimeIsReadInTheMachinesTimeZone) {
  setenv("TZ", "UTC-10", 1);  // ten hours ahead
  tzset();
  const auto date = effective_date({}, "a.jpg", Timestamp{1500000000, 0}, kNow).date;
  EXPECT_EQ(shown(date), "2017-07-14T12:40:00");
  unsetenv("TZ");
  tzset();
}

}  // namespace
}  // namespace shoebox
