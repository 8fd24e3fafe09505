// Sidecars follow their photo in every view.

#include "view_fixture.h"

namespace shoebox {
namespace {

TEST_F(ViewTest, SidecarsStandBesideTheirPhotoInEveryView) {
  create("Library/x/a.jpg.xmp");
  create("Library/x/a.AAE");
  create("Library/x/other.xmp");
  add("Library/x/a.jpg", photo_info(day(2023, 7, 14), {"Anna"}));
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.AAE", "a.jpg", "a.jpg.xmp"}));
  EXPECT_EQ(ls("People/Anna"), (Names{"a.AAE", "a.jpg", "a.jpg.xmp"}));
  EXPECT_EQ(find("People/Anna/a.AAE"), find("Library/x/a.AAE"));
  EXPECT_EQ(inode("Library/x/a.AAE").nlink, 2u);
  check();
}

TEST_F(ViewTest, ASidecarThatArrivesLaterFollowsToo) {
  add("Library/a.jpg", photo_info(day(2023, 7, 14)));
  create("Library/a.xmp");
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.jpg", "a.xmp"}));
  check();
}

TEST_F(ViewTest, ASidecarIsCalledAsItsPhotoIsCalledThere) {
  add("Library/x/a.jpg", photo_info(day(2023, 7, 14)));
  add("Library/y/a.jpg", photo_info(day(2023, 7, 15)));
  create("Library/y/a.jpg.xmp");
  create("Library/y/a.AAE");
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a (2).AAE", "a (2).jpg", "a (2).jpg.xmp", "a.jpg"}));
  check();
}

TEST_F(ViewTest, SidecarsGoWhereTheirPhotoGoes) {
  const PhotoId id = add("Library/a.jpg", photo_info(day(2023, 7, 14), {"Anna"}));
  create("Library/a.jpg.xmp");
  ASSERT_TRUE(remove("People/Anna/a.jpg"));
  EXPECT_EQ(ls("People/Anna"), Names{});
  decode(id, photo_info(day(2019, 1, 2), {"Anna"}));
  EXPECT_EQ(ls("Dates"), Names{"2019"});
  EXPECT_EQ(ls("Dates/2019/01"), (Names{"a.jpg", "a.jpg.xmp"}));
  ASSERT_TRUE(change([&](Transaction& txn) { return engine_->withdraw(txn, id); }));
  EXPECT_EQ(ls("Dates"), Names{});
}

TEST_F(ViewTest, ATwinSomebodyCopiedHasTheSidecarThatWasCopiedWithIt) {
  const PhotoId id = add("Albums/A/p.jpg", photo_info(day(2023, 7, 14)));
  const InodeNo of_a = create("Albums/A/p.jpg.xmp");
  add_twin("Albums/B/p.jpg", id);
  EXPECT_EQ(ls("Albums/B"), Names{"p.jpg"});
  const InodeNo of_b = create("Albums/B/p.jpg.xmp");
  EXPECT_EQ(find("Albums/A/p.jpg.xmp"), of_a);
  EXPECT_EQ(find("Albums/B/p.jpg.xmp"), of_b);
  EXPECT_EQ(find("Library/2023/07/p.jpg.xmp"), of_a);
  EXPECT_EQ(ls("Library/2023/07").size(), 3u);  // both have a home beside the photo's
  check();
}

TEST_F(ViewTest, ASidecarWrittenIntoAnAlbumIsFiledBesideThePhotosHome) {
  create("Albums/Trip/early.xmp");
  add("Albums/Trip/early.jpg", photo_info(day(2023, 7, 14)));
  add("Albums/Trip/late.jpg", photo_info(day(2023, 7, 14)));
  create("Albums/Trip/late.jpg.xmp");
  EXPECT_EQ(ls("Library/2023/07"), (Names{"early.jpg", "early.xmp", "late.jpg", "late.jpg.xmp"}));
  EXPECT_EQ(ls("Albums/Trip"), (Names{"early.jpg", "early.xmp", "late.jpg", "late.jpg.xmp"}));
  EXPECT_EQ(inode("Library/2023/07/early.xmp").nlink, 2u);
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"early.jpg", "early.xmp", "late.jpg", "late.jpg.xmp"}));
  check();
}

TEST_F(ViewTest, ASidecarOfARawAndItsJpegStandsOnce) {
  add("Library/a.cr2", photo_info(day(2023, 7, 14)));
  add("Library/a.jpg", photo_info(day(2023, 7, 14)));
  create("Library/a.xmp");
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.cr2", "a.jpg", "a.xmp"}));
  ASSERT_TRUE(change([&](Transaction& txn) { return engine_->withdraw(txn, photo_of("Library/a.jpg")); }));
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.cr2", "a.xmp"}));
}

}  // namespace
}  // namespace shoebox
