// Files of which only the head and the tail are here: what their metadata says is found all the same.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "photos.h"
#include "store/base/file_io.h"
#include "store/decode/decoder_pool.h"

namespace shoebox {
namespace {

constexpr uint64_t kHead = 128 << 10, kTail = 64 << 10, kWhole = 256 << 10;

// The same file with a hole in its middle.
UniqueFd with_hole(const std::string& path, uint64_t size, ByteRange hole) {
  Result<UniqueFd> from = open_file(path, O_RDONLY);
  std::string pattern = testing::TempDir() + "/part.XXXXXX";
  UniqueFd to(mkstemp(pattern.data()));
  unlink(pattern.c_str());
  EXPECT_TRUE(from.is_ok() && to);
  EXPECT_EQ(ftruncate(to.get(), static_cast<off_t>(size)), 0);
  for (const ByteRange& range : {ByteRange{0, hole.begin}, ByteRange{hole.end, size}}) {
    std::string bytes(range.size(), '\0');
    EXPECT_TRUE(pread_full(from->get(), bytes.data(), bytes.size(), range.begin).is_ok());
    EXPECT_TRUE(pwrite_full(to.get(), bytes.data(), bytes.size(), range.begin).is_ok());
  }
  return to;
}

std::string day_of(const LocalDate& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

TEST(PartTest, DatesAndSmallThumbnailsComeFromTheEndsOfAFile) {
  SHOEBOX_NEED_PHOTOS(folder);
  DecoderPool pool({.program = SHOEBOX_DECODER, .processes = 1});
  size_t looked = 0, dated = 0, right = 0, thumbnails = 0;
  for (const nlohmann::json& row : read_manifest(folder)) {
    const uint64_t size = row.at("bytes").get<uint64_t>();
    const std::string type = row.at("type").is_string() ? row.at("type").get<std::string>() : "";
    const bool video = type == "MP4" || type == "MOV";
    if (size <= kWhole || row.value("broken", false) || (type != "JPEG" && type != "HEIC" && !video))
      continue;
    const std::string path = folder + row.at("path").get<std::string>();
    const ByteRange hole{kHead, (size - kTail) / 4096 * 4096};
    const UniqueFd fd = with_hole(path, size, hole);
    const auto part = pool.decode_part(fd.get(), path.substr(path.rfind('/') + 1), hole);
    ASSERT_TRUE(part.is_ok()) << path << ": " << part.status().message();
    ++looked;
    EXPECT_EQ(part->info.kind, video ? MediaKind::kVideo : MediaKind::kPhoto) << path;
    for (const Thumbnail& thumbnail : part->thumbnails) EXPECT_EQ(thumbnail.size_px, 256u) << path;
    thumbnails += part->thumbnails.empty() ? 0 : 1;
    const std::string wanted = row.contains("date") ? row["date"].value("local", "") : "";
    if (wanted.size() < 10) continue;
    ++dated;
    if (part->info.date && day_of(*part->info.date) == wanted.substr(0, 10)) ++right;
  }
  ASSERT_GT(looked, 20u);
  EXPECT_GT(thumbnails, 5u);
  // Some have their metadata in the middle, behind what a camera maker put first.
  EXPECT_GE(right * 10, dated * 8) << right << " of " << dated;
}

TEST(PartTest, AFileThatIsNotAllThereIsNotCalledUndecodable) {
  DecoderPool pool({.program = SHOEBOX_DECODER, .processes = 1});
  std::string pattern = testing::TempDir() + "/part.XXXXXX";
  const UniqueFd fd(mkstemp(pattern.data()));
  unlink(pattern.c_str());
  ASSERT_TRUE(pwrite_full(fd.get(), "\xff\xd8\xff\xe0", 4, 0).is_ok());
  ASSERT_EQ(ftruncate(fd.get(), 1 << 20), 0);
  const auto part = pool.decode_part(fd.get(), "a.jpg", {kHead, (1 << 20) - kTail});
  ASSERT_TRUE(part.is_ok());
  EXPECT_EQ(part->info.kind, MediaKind::kPhoto);
  EXPECT_TRUE(part->thumbnails.empty());
}

}  // namespace
}  // namespace shoebox
