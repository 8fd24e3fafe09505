#include "store/base/file_names.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

TEST(FileNames, JunkAndTemporaryNamesAreTold) {
  for (const char* name :
       {".x", "._IMG_1.jpg", ".DS_Store", "Thumbs.db", "thumbs.DB", "a.txt~", "a.jpg.part", "a.crdownload",
        ".goutputstream-ABC123", ".IMG_1.jpg.a8Xk2Q", "a.jpg_exiftool_tmp"})
    EXPECT_TRUE(is_junk(name)) << name;
  for (const char* name : {"a.jpg", "notes.txt", "part", "thumbs", "a.partial.jpg", "~a.jpg"})
    EXPECT_FALSE(is_junk(name)) << name;
  EXPECT_TRUE(is_temporary("a.jpg.part"));
  EXPECT_TRUE(is_temporary(".a.jpg.a8Xk2Q"));
  EXPECT_FALSE(is_temporary(".hidden"));
  EXPECT_FALSE(is_temporary("a.txt~"));
}

TEST(FileNames, MediaAreToldByTheirExtension) {
  for (const char* name :
       {"a.jpg", "a.JPEG", "a.heic", "a.CR2", "a.cr3", "a.nef", "a.dng", "a.mp4", "a.MOV", "a.webp"})
    EXPECT_TRUE(is_media_name(name)) << name;
  for (const char* name : {"a.txt", "jpg", ".jpg", "a.jpg.xmp", "a"})
    EXPECT_FALSE(is_media_name(name)) << name;
  EXPECT_TRUE(is_video_name("a.mov"));
  EXPECT_FALSE(is_video_name("a.jpg"));
}

TEST(FileNames, SidecarsKnowTheirPhoto) {
  EXPECT_TRUE(is_sidecar_of("IMG_1.jpg.xmp", "IMG_1.jpg"));
  EXPECT_FALSE(is_sidecar_of("IMG_1.jpg.xmp", "IMG_1.png"));
  EXPECT_TRUE(is_sidecar_of("IMG_1.xmp", "IMG_1.jpg"));
  EXPECT_TRUE(is_sidecar_of("IMG_1.AAE", "IMG_1.HEIC"));
  EXPECT_TRUE(is_sidecar_of("IMG_1.jpg.json", "IMG_1.jpg"));
  EXPECT_TRUE(is_sidecar_of("IMG_1.jpg.supplemental-metadata.json", "IMG_1.jpg"));
  EXPECT_FALSE(is_sidecar("package.json"));
  EXPECT_FALSE(is_sidecar("._IMG_1.xmp"));
}

TEST(FileNames, NumberedNamesKeepTheExtensionAndTheLimit) {
  EXPECT_EQ(numbered_name("IMG_1.jpg", 2), "IMG_1 (2).jpg");
  EXPECT_EQ(numbered_name("noext", 3), "noext (3)");
  const std::string longest = std::string(251, 'x') + ".jpg";
  EXPECT_EQ(numbered_name(longest, 2).size(), 255u);
  EXPECT_TRUE(numbered_name(longest, 2).ends_with(" (2).jpg"));
}

}  // namespace
}  // namespace shoebox
