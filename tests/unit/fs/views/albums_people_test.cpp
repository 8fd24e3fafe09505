// Albums and People as pure functions: what is stated, what the file says, and which stands.

#include <gtest/gtest.h>

#include "fs/views/albums.h"
#include "fs/views/all_views.h"
#include "fs/views/people.h"
#include "store/settings.h"

namespace shoebox {
namespace {

using Places = std::vector<ViewPath>;

PhotoRecord photo_with(std::vector<std::string> people) {
  PhotoRecord photo;
  photo.info.kind = MediaKind::kPhoto;
  photo.info.people = std::move(people);
  return photo;
}

TEST(Albums, NestByTheirPath) {
  const AlbumsView view;
  PhotoRecord photo = photo_with({});
  view.state_added(photo, {"Trip", "Day 1"});
  view.state_added(photo, {"Best"});
  EXPECT_EQ(view.places(photo), (Places{{"Best"}, {"Trip", "Day 1"}}));
  view.state_removed(photo, {"Best"});
  EXPECT_EQ(view.places(photo), (Places{{"Trip", "Day 1"}}));
  view.state_renamed(photo, {"Trip", "Day 1"}, {"Rome"});
  EXPECT_EQ(view.places(photo), (Places{{"Rome"}}));
}

TEST(Albums, OtherFilesShowNowhereByThemselves) {
  const AlbumsView view;
  PhotoRecord file = photo_with({});
  file.info.kind = MediaKind::kOther;
  view.state_added(file, {"Trip"});
  EXPECT_TRUE(view.places(file).empty());
}

TEST(People, StatementsStandOverTheFile) {
  const PeopleView view;
  PhotoRecord photo = photo_with({"Anna", "Bob"});
  view.state_removed(photo, {"Anna"});
  view.state_added(photo, {"Carl"});
  EXPECT_EQ(view.places(photo), (Places{{"Bob"}, {"Carl"}}));
  photo.info.people = {"Anna", "Dora"};  // decoded again
  EXPECT_EQ(view.places(photo), (Places{{"Carl"}, {"Dora"}}));
}

TEST(People, ARenamedPersonStaysRenamedWhateverTheFileSays) {
  const PeopleView view;
  PhotoRecord photo = photo_with({"Anna"});
  view.state_renamed(photo, {"Anna"}, {"Annie"});
  EXPECT_EQ(view.places(photo), (Places{{"Annie"}}));
  view.state_renamed(photo, {"Annie"}, {"Anna"});  // and back
  EXPECT_EQ(view.places(photo), (Places{{"Anna"}}));
}

TEST(People, DoNotNest) {
  const PeopleView view;
  EXPECT_TRUE(view.may_mkdir({"Anna"}).is_ok());
  EXPECT_EQ(view.may_mkdir({"Anna", "Bob"}).code(), Code::kNotPermitted);
  EXPECT_TRUE(view.may_rename_folder({"Anna"}, {"Bob", "Anna"}).is_ok());  // merges
  EXPECT_FALSE(view.holds_photos({}));
}

TEST(AllViews, HaveRootsAndNamesOfTheirOwn) {
  const auto views = make_views(Settings{});
  ASSERT_EQ(views.size(), 3u);
  EXPECT_EQ(views[0]->name(), "Dates");
  EXPECT_EQ(views[1]->root(), kAlbumsInode);
  EXPECT_TRUE(views[2]->stating());
}

}  // namespace
}  // namespace shoebox
