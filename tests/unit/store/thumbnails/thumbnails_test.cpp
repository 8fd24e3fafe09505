// Thumbnails are kept by content and size, survive a restart, and a damaged database starts anew.
#include "store/thumbnails/thumbnails.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "store/base/file_io.h"
#include "store/base/hash.h"

namespace shoebox {
namespace {

namespace fs = std::filesystem;

class ThumbnailsTest : public testing::Test {
 protected:
  ThumbnailsTest() {
    std::string pattern = testing::TempDir() + "/thumbnails.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/thumbnails";
  }
  ~ThumbnailsTest() override { fs::remove_all(folder_); }

  std::unique_ptr<Thumbnails> open(bool read_only = false) {
    auto opened = Thumbnails::open(path_, read_only);
    EXPECT_TRUE(opened.is_ok()) << opened.status().message();
    return opened.is_ok() ? std::move(opened).value() : nullptr;
  }
  void overwrite_files_named(const std::string& part) const {
    for (const auto& entry : fs::directory_iterator(path_)) {
      if (entry.path().filename().string().find(part) == std::string::npos) continue;
      ASSERT_TRUE(write_file_atomically(entry.path().string(), std::string(4096, 'x')).is_ok());
    }
  }

  const ContentHash photo_ = sha256("photo");
  const ContentHash other_ = sha256("other");
  std::string folder_;
  std::string path_;
};

TEST_F(ThumbnailsTest, EachSizeIsKeptByContent) {
  const auto thumbnails = open();
  const std::string large(20'000, 'l');
  ASSERT_TRUE(thumbnails->put(photo_, 256, "small").is_ok());
  ASSERT_TRUE(thumbnails->put(photo_, 1024, large).is_ok());
  EXPECT_EQ(thumbnails->get(photo_, 256).value(), "small");
  EXPECT_EQ(thumbnails->get(photo_, 1024).value(), large);
  EXPECT_EQ(thumbnails->get(other_, 256).value(), std::nullopt);
  EXPECT_EQ(thumbnails->get(photo_, 512).value(), std::nullopt);
  EXPECT_FALSE(thumbnails->rebuilt());
}

TEST_F(ThumbnailsTest, RemovingAContentTakesBothSizes) {
  const auto thumbnails = open();
  ASSERT_TRUE(thumbnails->put(photo_, 256, "a").is_ok());
  ASSERT_TRUE(thumbnails->put(photo_, 1024, "b").is_ok());
  ASSERT_TRUE(thumbnails->put(other_, 256, "c").is_ok());
  ASSERT_TRUE(thumbnails->remove(photo_).is_ok());
  EXPECT_EQ(thumbnails->get(photo_, 256).value(), std::nullopt);
  EXPECT_EQ(thumbnails->get(photo_, 1024).value(), std::nullopt);
  EXPECT_EQ(thumbnails->get(other_, 256).value(), "c");
}

TEST_F(ThumbnailsTest, ARestartKeepsThemAndReadOnlyReadsThem) {
  ASSERT_TRUE(open()->put(photo_, 256, "small").is_ok());
  EXPECT_EQ(open()->get(photo_, 256).value(), "small");
  const auto looking = open(true);
  EXPECT_EQ(looking->get(photo_, 256).value(), "small");
  EXPECT_EQ(looking->put(photo_, 256, "x").code(), Code::kReadOnly);
}

TEST_F(ThumbnailsTest, ReadOnlyWithoutADatabaseHasNoThumbnails) {
  EXPECT_EQ(open(true)->get(photo_, 256).value(), std::nullopt);
}

TEST_F(ThumbnailsTest, ADamagedDatabaseIsSetAsideAndStartedAnew) {
  {
    const auto thumbnails = open();
    ASSERT_TRUE(thumbnails->put(photo_, 256, "small").is_ok());
    ASSERT_TRUE(thumbnails->flush().is_ok());
  }
  overwrite_files_named("MANIFEST");
  const auto thumbnails = open();
  ASSERT_NE(thumbnails, nullptr);
  EXPECT_TRUE(thumbnails->rebuilt());
  EXPECT_TRUE(fs::exists(path_ + ".damaged-1"));
  EXPECT_EQ(thumbnails->get(photo_, 256).value(), std::nullopt);
  EXPECT_TRUE(thumbnails->put(photo_, 256, "again").is_ok());
}

TEST_F(ThumbnailsTest, MissingFilesAreDamageAsWell) {
  {
    const auto thumbnails = open();
    ASSERT_TRUE(thumbnails->put(photo_, 1024, std::string(50'000, 'l')).is_ok());
    ASSERT_TRUE(thumbnails->flush().is_ok());
  }
  for (const auto& entry : fs::directory_iterator(path_)) {
    if (entry.path().extension() == ".sst") fs::remove(entry.path());
  }
  const auto thumbnails = open();
  ASSERT_NE(thumbnails, nullptr);
  EXPECT_TRUE(thumbnails->rebuilt());
}

TEST_F(ThumbnailsTest, ARottenPictureCountsAsMissingAndIsPutAgain) {
  {
    const auto thumbnails = open();
    ASSERT_TRUE(thumbnails->put(photo_, 1024, std::string(50'000, 'l')).is_ok());
    ASSERT_TRUE(thumbnails->flush().is_ok());
  }
  for (const auto& entry : fs::directory_iterator(path_)) {
    if (entry.path().extension() != ".blob") continue;
    Result<UniqueFd> file = open_file(entry.path().string(), O_WRONLY);
    ASSERT_TRUE(file.is_ok());
    ASSERT_TRUE(pwrite_full(file->get(), "rot", 3, 25'000).is_ok());
  }
  const auto thumbnails = open();
  ASSERT_NE(thumbnails, nullptr);
  EXPECT_EQ(thumbnails->get(photo_, 1024).value(), std::nullopt);
  ASSERT_TRUE(thumbnails->put(photo_, 1024, "again").is_ok());
  EXPECT_EQ(thumbnails->get(photo_, 1024).value(), "again");
}

TEST_F(ThumbnailsTest, ADatabaseInUseIsBusyNotDamaged) {
  const auto first = open();
  const auto second = Thumbnails::open(path_, false);
  EXPECT_EQ(second.code(), Code::kBusy) << second.status().message();
  EXPECT_FALSE(fs::exists(path_ + ".damaged-1"));
}

}  // namespace
}  // namespace shoebox
