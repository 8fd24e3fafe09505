#include "sync/adopt_path.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

TEST(AdoptPath, AKeyIsThePathBelowTheFolder) {
  const AdoptedPath filed = adopted_path("2019/08/IMG_1.jpg", "Library");
  EXPECT_EQ(filed.path, "Library/2019/08/IMG_1.jpg");
  EXPECT_FALSE(filed.not_adopted);
  EXPECT_FALSE(filed.respelled);
  EXPECT_EQ(adopted_path("Library/2019/a.jpg", "Library").path, "Library/2019/a.jpg");
  EXPECT_EQ(adopted_path("Library/2019/a.jpg", "Library/nas").path, "Library/nas/2019/a.jpg");
  EXPECT_EQ(adopted_path("Grüße/🐱.jpg", "Library").path, "Library/Grüße/🐱.jpg");
}

TEST(AdoptPath, OwnObjectsAndJunkAreNoFiles) {
  EXPECT_EQ(adopted_path(".shoebox/catalog/x", "Library").not_adopted, NotAdopted::kOurs);
  for (const char* key : {".DS_Store", "a/Thumbs.db", "a/b.jpg.part", "x/.hidden", "a/.."}) {
    EXPECT_EQ(adopted_path(key, "Library").not_adopted, NotAdopted::kJunk) << key;
  }
  EXPECT_FALSE(adopted_path(".hidden folder/a.jpg", "Library").not_adopted);
}

TEST(AdoptPath, NothingLeadsOutOfTheFolder) {
  for (const char* key : {"../a.jpg", "a/../../b.jpg", "/etc/a.jpg", "./a.jpg", "a/./b.jpg", "//a.jpg",
                          "Library/../../a.jpg"}) {
    const AdoptedPath filed = adopted_path(key, "Library/in");
    EXPECT_TRUE(filed.path.starts_with("Library/in/")) << key;
    EXPECT_EQ(filed.path.find("/../"), std::string::npos) << key;
    EXPECT_EQ(filed.path.find("/./"), std::string::npos) << key;
    EXPECT_EQ(filed.path.find("//"), std::string::npos) << key;
    EXPECT_TRUE(filed.respelled) << key;
  }
}

TEST(AdoptPath, NamesThatAreTooLongStayTwoAndKeepTheirExtension) {
  const std::string one(300, 'a');
  const std::string other = std::string(299, 'a') + "b";
  const std::string first = adopted_path(one + ".jpg", "Library").path;
  const std::string second = adopted_path(other + ".jpg", "Library").path;
  EXPECT_NE(first, second);
  EXPECT_TRUE(first.ends_with(".jpg"));
  EXPECT_LE(first.size(), 255U + 8);
  std::string wide;
  for (int i = 0; i < 200; ++i) wide += "ü";
  const std::string cut = adopted_path(wide + "/x.jpg", "Library").path;
  EXPECT_NE(cut.find("ü~"), std::string::npos) << "cut between letters";
}

TEST(AdoptPath, ControlCharactersAreSpelledReadably) {
  EXPECT_EQ(adopted_path("a\nb/c\x7f.jpg", "Library").path, "Library/a␊b/c␡.jpg");
}

}  // namespace
}  // namespace shoebox
