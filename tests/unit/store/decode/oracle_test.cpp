// Every photo and video of the photo set through real decoder processes, compared with what ExifTool
// reads from it (MANIFEST.jsonl).
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "photos.h"
#include "store/base/file_io.h"
#include "store/decode/decoder_pool.h"

namespace shoebox {
namespace {

using nlohmann::json;

// Where Shoebox does not say what ExifTool says, and why.
const std::map<std::string, std::string> kOtherDate = {
    {"exif-samples/jpg/Reconyx_HC500_Hyperfire.jpg", "only in the maker note of a trail camera"},
    {"exiftool/CasioQVCI.jpg", "only in a Casio segment of 1998"},
    {"exiftool/KyoceraRaw.raw", "Kyocera's RAW, which no library here reads"},
    {"exiftool/Sigma.x3f", "only in Sigma's property list; the file's preview is cut off"},
    {"exiftool/M2TS.mts", "only inside the H.264 stream"},
    {"exiftool/Matroska.mkv", "507 bytes: libav does not open it"},
    {"exiftool/Pentax.avi", "the manifest lost the seconds: the file says 12:14:34"},
    {"exiftool/PostScript.eps", "a page, not a photo"},
    {"exiv2/issue_3455_sigma_print0x0008_empty.jpg",
     "its EXIF breaks off; Exiv2 reads further than ExifTool"},
};
const std::map<std::string, std::string> kOtherPosition = {
    {"photoprism/meta/buggy_panorama.jpg", "latitude 213: no place on earth"},
};
const std::map<std::string, std::string> kOtherOrientation = {
    {"pigallery2/assets/orientation/broken_orientation_exif2.jpg", "only the embedded thumbnail has one"},
};
// Types by content that are no photos or videos here: they show in Library only.
const std::set<std::string> kNoMedia = {"XMP", "JSON", "AAE", "TXT", "EXV", "EPS", "DICOM", "PGF"};
// Photos and videos by name of which nothing can be read: cut off after a few hundred bytes, or of a
// kind that no library here knows.
const std::set<std::string> kUndecodable = {
    "exiftool/ASF.wmv",        "exiftool/JXL.jxl",      "exiftool/JXL2.jxl",
    "exiftool/KyoceraRaw.raw", "exiftool/Matroska.mkv", "exiftool/QuickTime.heic",
    "exiftool/Sigma.x3f",      "exiv2/h02.psd",         "libheif/avc32.heif",
    "libheif/jpeg32.heif",     "libheif/unci32.heif",   "perkeep/internal/magic/testdata/park.heic",
};

struct Decoded {
  json row;
  Result<DecodedMedia> media{Code::kUnavailable, "not decoded"};
  [[nodiscard]] std::string path() const { return row["path"]; }
  // Empty: ExifTool does not know it.
  [[nodiscard]] std::string type() const {
    const auto found = row.find("type");
    return found != row.end() && found->is_string() ? found->get<std::string>() : std::string();
  }
};

// Decodes all rows, two at a time, once for all tests.
std::vector<Decoded> decode_all(const std::string& folder, bool broken) {
  std::vector<Decoded> all;
  for (const json& row : read_manifest(folder)) {
    if (row["path"].get<std::string>().starts_with("broken/") == broken) all.push_back({.row = row});
  }
  DecoderPool pool({.program = SHOEBOX_DECODER});
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < all.size(); i = next++) {
      const Result<UniqueFd> fd = open_file(folder + all[i].path(), O_RDONLY);
      if (fd.is_ok()) all[i].media = pool.decode(fd.value().get(), all[i].path());
    }
  };
  std::thread second(work);
  work();
  second.join();
  return all;
}

std::string text_of(const std::optional<LocalDate>& date) {
  if (!date) return "";
  std::string text = fmt::format("{:04}", date->year);
  if (date->month > 0) text += fmt::format("-{:02}", date->month);
  if (date->day > 0) text += fmt::format("-{:02}", date->day);
  if (date->hour >= 0) text += fmt::format("T{:02}:{:02}", date->hour, date->minute);
  if (date->second >= 0) text += fmt::format(":{:02}", date->second);
  return text;
}

std::optional<int> offset_of(const json& date) {
  if (!date.contains("offset")) return {};
  const std::string text = date["offset"];
  if (text == "Z") return 0;
  const int minutes = std::stoi(text.substr(1, 2)) * 60 + std::stoi(text.substr(4, 2));
  return text[0] == '-' ? -minutes : minutes;
}

class OracleTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = photos_folder();
    if (folder_.empty()) GTEST_SKIP() << "no photo set: set SHOEBOX_PHOTOS";
    static const std::vector<Decoded> decoded = decode_all(folder_, false);
    all_ = &decoded;
  }
  // fn(row, info) for each photo and video.
  template <typename Fn>
  void each_media(const Fn& fn) const {
    for (const Decoded& one : *all_) {
      if (one.type().empty() || kNoMedia.contains(one.type()) || !one.media.is_ok()) continue;
      fn(one, one.media.value().info);
    }
  }
  std::string folder_;
  const std::vector<Decoded>* all_ = nullptr;
};

TEST_F(OracleTest, EveryFileIsDecodedAndTellsItsKind) {
  for (const Decoded& one : *all_) {
    ASSERT_TRUE(one.media.is_ok()) << one.path() << ": " << one.media.status().message();
    const MediaKind kind = one.media.value().info.kind;
    if (kNoMedia.contains(one.type())) {
      EXPECT_EQ(kind, MediaKind::kOther) << one.path();
    } else if (kUndecodable.contains(one.path())) {
      EXPECT_EQ(kind, MediaKind::kUndecodable) << one.path();
    } else if (!one.type().empty()) {
      const bool video = one.row["mime"].get<std::string>().starts_with("video/");
      EXPECT_EQ(kind, video ? MediaKind::kVideo : MediaKind::kPhoto) << one.path();
    }
  }
}

TEST_F(OracleTest, DatesAreThoseOfTheOracle) {
  int all = 0, right = 0;
  each_media([&](const Decoded& one, const MediaInfo& info) {
    const std::string got = text_of(info.date);
    const json date = one.row.value("date", json::object());
    const std::string want = date.value("local", "");
    all += !want.empty();
    right += !want.empty() && got == want;
    if (kOtherDate.contains(one.path())) {
      EXPECT_NE(got, want) << one.path() << " is right now: take it off the list";
      return;
    }
    EXPECT_EQ(got, want) << one.path();
    if (const auto offset = offset_of(date)) {
      EXPECT_EQ(info.utc_offset_minutes, *offset) << one.path();
    }
  });
  EXPECT_GE(right, all * 97 / 100) << right << " of " << all;
}

TEST_F(OracleTest, PeopleAreThoseOfTheOracle) {
  int with_people = 0;
  each_media([&](const Decoded& one, const MediaInfo& info) {
    std::set<std::string> want;
    for (const json& person : one.row.value("people", json::array())) want.insert(person["name"]);
    EXPECT_EQ(std::set<std::string>(info.people.begin(), info.people.end()), want) << one.path();
    with_people += !want.empty();
  });
  EXPECT_GE(with_people, 30);
}

TEST_F(OracleTest, PositionsAreThoseOfTheOracle) {
  each_media([&](const Decoded& one, const MediaInfo& info) {
    if (kOtherPosition.contains(one.path())) return;
    const bool want = one.row.contains("gps");
    ASSERT_EQ(info.latitude.has_value(), want) << one.path();
    if (!want) return;
    EXPECT_NEAR(*info.latitude, one.row["gps"]["lat"].get<double>(), 1e-4) << one.path();
    EXPECT_NEAR(*info.longitude, one.row["gps"]["lon"].get<double>(), 1e-4) << one.path();
  });
}

TEST_F(OracleTest, NamesOfPlacesAreThoseOfTheOracle) {
  int with_names = 0;
  each_media([&](const Decoded& one, const MediaInfo& info) {
    const auto want = [&](const char* key) {
      std::string text = one.row.value(key, std::string());
      return text.erase(text.find_last_not_of(' ') + 1);
    };
    EXPECT_EQ(info.place.country, want("country")) << one.path();
    EXPECT_EQ(info.place.state, want("state")) << one.path();
    EXPECT_EQ(info.place.city, want("city")) << one.path();
    EXPECT_EQ(info.place.location, want("sublocation")) << one.path();
    with_names += !info.place.empty();
  });
  EXPECT_GE(with_names, 20);
}

TEST_F(OracleTest, OrientationsAreThoseOfTheOracle) {
  each_media([&](const Decoded& one, const MediaInfo& info) {
    if (kOtherOrientation.contains(one.path()) || !one.row.contains("orientation")) return;
    const int want = one.row["orientation"];
    EXPECT_EQ(info.orientation, want == 0 ? 1 : want) << one.path();  // 0: not known
  });
}

// Width and height in the frame header of a JPEG.
std::pair<int, int> size_of_jpeg(const std::string& jpeg) {
  const auto byte = [&jpeg](size_t at) { return static_cast<uint8_t>(jpeg[at]); };
  for (size_t at = 2; at + 9 < jpeg.size(); at += 2 + byte(at + 2) * 256 + byte(at + 3)) {
    if (byte(at + 1) >= 0xc0 && byte(at + 1) <= 0xc2)
      return {byte(at + 7) * 256 + byte(at + 8), byte(at + 5) * 256 + byte(at + 6)};
  }
  return {0, 0};
}

TEST_F(OracleTest, ThumbnailsAreUprightAndOfTheirSize) {
  int turned = 0;
  each_media([&](const Decoded& one, const MediaInfo& info) {
    for (const Thumbnail& thumbnail : one.media.value().thumbnails) {
      const auto [width, height] = size_of_jpeg(thumbnail.jpeg);
      EXPECT_GT(width, 0) << one.path();
      EXPECT_LE(std::max(width, height), static_cast<int>(thumbnail.size_px)) << one.path();
      const bool raw = info.mime.starts_with("image/x-") || info.mime == "image/tiff";
      if (raw || info.width == info.height || info.kind != MediaKind::kPhoto || thumbnail.size_px != 1024)
        continue;
      // Compared as stored: a picture that lies on its side stands up.
      const bool on_side = info.orientation >= 5;
      if (std::abs(static_cast<int>(info.width) - static_cast<int>(info.height)) * 50 <
          static_cast<int>(info.width))
        continue;
      EXPECT_EQ((info.width > info.height) != on_side, width > height) << one.path();
      turned += on_side;
    }
  });
  EXPECT_GE(turned, 10);
}

TEST_F(OracleTest, NearlyEveryPictureThatVipsReadsGetsThumbnails) {
  std::vector<std::string> without;
  int all = 0;
  each_media([&](const Decoded& one, const MediaInfo&) {
    const json tool = one.row.value("tools", json::object()).value("vipsthumbnail", json::object());
    if (tool.value("rc", -1) != 0) return;
    ++all;
    if (one.media.value().thumbnails.size() != 2) without.push_back(one.path());
  });
  EXPECT_GE(all, 300);
  EXPECT_TRUE(without.empty()) << testing::PrintToString(without);
}

TEST(BrokenPhotosTest, NoneHurtsTheParentAndTheNextPhotoIsDecoded) {
  SHOEBOX_NEED_PHOTOS(folder);
  int stubs = 0, dated_stubs = 0;
  for (const Decoded& one : decode_all(folder, true)) {
    if (!one.media.is_ok()) {
      EXPECT_EQ(one.media.code(), Code::kDataLoss) << one.path() << ": " << one.media.status().message();
      continue;
    }
    if (!one.path().starts_with("broken/goexif-stubs/") || !one.row.contains("date")) continue;
    ++stubs;  // cut off after the EXIF: the date is still there
    dated_stubs += text_of(one.media.value().info.date) == one.row["date"]["local"];
  }
  EXPECT_EQ(dated_stubs, stubs);
  DecoderPool pool({.program = SHOEBOX_DECODER, .processes = 1});
  for (const char* name : {"broken/twelvemonkeys/escenic-liquid-logo.psd", "broken/exiv2/issue_2383_poc.mp4",
                           "broken/exiv2/issue_2393_poc.mp4", "pigallery2/demo/IMG_1252.jpg"}) {
    const Result<UniqueFd> fd = open_file(folder + name, O_RDONLY);
    ASSERT_TRUE(fd.is_ok()) << fd.status().message();
    const Result<DecodedMedia> media = pool.decode(fd.value().get(), name);
    if (std::string(name).ends_with(".jpg")) {
      ASSERT_TRUE(media.is_ok()) << media.status().message();
      EXPECT_EQ(media.value().thumbnails.size(), 2u);
    }
  }
}

}  // namespace
}  // namespace shoebox
