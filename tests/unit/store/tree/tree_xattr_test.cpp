// Extended attributes: stored, shared by a photo's names, computed; ACLs and the mode.

#include "store/tree/computed_xattr.h"
#include "store/tree/posix_acl.h"
#include "tree_fixture.h"

namespace shoebox {
namespace {

using Mode = Tree::XattrMode;

std::string acl(std::initializer_list<std::array<uint32_t, 3>> entries) {
  std::string out("\x02\0\0\0", 4);
  for (const auto& [tag, perm, id] : entries) {
    for (const auto& [value, bytes] : {std::pair{tag, 2}, {perm, 2}, {id, 4}})
      for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  }
  return out;
}
constexpr uint32_t kNone = 0xFFFFFFFF;

TEST_F(TreeTest, XattrsAreStoredAndCreateAndReplaceAreKept) {
  const InodeNo f = touch("Library/f")->number;
  EXPECT_EQ(tree_->setxattr(f, "user.a", "1", Mode::kReplace).code(), Code::kNoAttribute);
  EXPECT_TRUE(tree_->setxattr(f, "user.a", "1", Mode::kCreate));
  EXPECT_EQ(tree_->setxattr(f, "user.a", "2", Mode::kCreate).code(), Code::kExists);
  EXPECT_TRUE(tree_->setxattr(f, "user.a", std::string("\0x", 2), Mode::kAny));
  EXPECT_EQ(*tree_->getxattr(f, "user.a"), std::string("\0x", 2));
  EXPECT_EQ(*tree_->listxattr(f), Names{"user.a"});
  EXPECT_TRUE(tree_->removexattr(f, "user.a"));
  EXPECT_EQ(tree_->removexattr(f, "user.a").code(), Code::kNoAttribute);
  EXPECT_EQ(tree_->getxattr(f, "user.a").status().code(), Code::kNoAttribute);
}

TEST_F(TreeTest, XattrsHaveTheKernelsLimits) {
  const InodeNo f = touch("Library/f")->number;
  EXPECT_EQ(tree_->setxattr(f, "user." + std::string(251, 'x'), "", Mode::kAny).code(), Code::kOutOfRange);
  EXPECT_EQ(tree_->setxattr(f, "user.x", std::string(65537, 'x'), Mode::kAny).code(), Code::kTooBig);
  EXPECT_TRUE(tree_->setxattr(f, "user.x", std::string(65536, 'x'), Mode::kAny));
  EXPECT_EQ(tree_->setxattr(f, "other.x", "", Mode::kAny).code(), Code::kNotSupported);
  EXPECT_TRUE(tree_->setxattr(f, "security.x", "1", Mode::kAny));
  EXPECT_TRUE(tree_->setxattr(f, "trusted.x", "1", Mode::kAny));
}

TEST_F(TreeTest, WhatBelongsToThePhotoStandsOnAllItsNames) {
  const InodeNo a = photo_file("Library/a.jpg", "same");
  ASSERT_TRUE(tree_->setxattr(a, "user.xdg.tags", "beach", Mode::kAny));
  ASSERT_TRUE(tree_->setxattr(a, "user.own", "mine", Mode::kAny));
  const InodeNo b = write("Library/b.jpg", "same");  // a twin that comes later
  EXPECT_EQ(*tree_->getxattr(b, "user.xdg.tags"), "beach");
  EXPECT_EQ(tree_->getxattr(b, "user.own").status().code(), Code::kNoAttribute);
  ASSERT_TRUE(tree_->setxattr(b, "user.baloo.rating", "8", Mode::kAny));
  EXPECT_EQ(*tree_->getxattr(a, "user.baloo.rating"), "8");
  ASSERT_TRUE(tree_->removexattr(a, "user.xdg.tags"));
  EXPECT_FALSE(tree_->getxattr(b, "user.xdg.tags").is_ok());
}

TEST_F(TreeTest, ComputedAttributesAnswerAndAreNotListed) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes", photo_info(day(2023, 7, 14), {"Bob", "Anna"}));
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.sha256"), sha256("bytes").hex());
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.state"), "pending");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.copies"), "0");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.pin"), "0");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.date"), "2023-07-14");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.people"), "Anna\nBob");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.albums"), "Trip");
  EXPECT_EQ(tree_->getxattr(a, "user.shoebox.nothing").status().code(), Code::kNoAttribute);
  EXPECT_TRUE(tree_->listxattr(a)->empty());
  ASSERT_TRUE(change([&](Transaction& txn) {
    txn.put_copy(inode(a).content, "nas", RemoteCopy{});
    txn.erase_job(inode(a).content, "nas");
    return Status::ok();
  }));
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.state"), "local");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.copies"), "1");
}

TEST_F(TreeTest, WhatLeftThisDiskIsRemoteOrPartial) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ASSERT_TRUE(change([&](Transaction& txn) -> Status {
    txn.erase_job(inode(a).content, "nas");
    txn.put_copy(inode(a).content, "nas", RemoteCopy{});
    SHOEBOX_ASSIGN(auto content, txn.content(inode(a).content));
    content->residence = Residence::kPartial;
    content->size = 10 << 20;
    txn.put_content(inode(a).content, *content);
    return Status::ok();
  }));
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.state"), "remote");
  uint64_t local = 192 * 1024;
  tree_->set_local_bytes([&](ContentNo) { return Result<uint64_t>(local); });
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.state"), "remote");
  local = 5 << 20;
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.state"), "partial");
}

TEST_F(TreeTest, PinAndDateCanBeSet) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.pin", "1", Mode::kAny));
  EXPECT_TRUE(catalog_->content(inode(a).content)->value().pinned);
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.date", "1999-12-31", Mode::kAny));
  EXPECT_EQ(ls("Dates"), Names{"1999"});
  EXPECT_EQ(tree_->setxattr(a, "user.shoebox.date", "1999-02-29", Mode::kAny).code(), Code::kInvalid);
  ASSERT_TRUE(tree_->removexattr(a, "user.shoebox.date"));
  EXPECT_EQ(ls("Dates"), Names{"2023"});
  EXPECT_EQ(tree_->setxattr(a, "user.shoebox.sha256", "x", Mode::kAny).code(), Code::kNotPermitted);
  EXPECT_TRUE(tree_->setxattr(a, "user.shoebox.sha256", sha256("bytes").hex(), Mode::kAny));
  check_all();
}

TEST_F(TreeTest, WhatIsPinnedStaysPinnedWhenItIsEdited) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  const ContentNo first = inode(a).content;
  const auto pinned = [&](ContentNo content) { return catalog_->content(content)->value().pinned; };
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.pin", "1", Mode::kAny));
  seal(commit(a, "written in place"), "written in place");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.pin"), "1");
  EXPECT_FALSE(pinned(first)) << "a version need not stay here";
  write("Library/.a.jpg.q7Zp0L", "by an editor");
  ASSERT_EQ(mv("Library/.a.jpg.q7Zp0L", "Library/a.jpg"), Code::kOk);
  EXPECT_EQ(*tree_->getxattr(find("Library/a.jpg"), "user.shoebox.pin"), "1");
  const InodeNo twin = photo_file("Library/twin.jpg", "by an editor");
  seal(commit(twin, "edited"), "edited");
  EXPECT_EQ(*tree_->getxattr(twin, "user.shoebox.pin"), "1");
  EXPECT_EQ(*tree_->getxattr(find("Library/a.jpg"), "user.shoebox.pin"), "1")
      << "the other one keeps its bytes";
  check_all();
}

// `prog > pinned.jpg`, and truncate(1): a close comes while it is empty.
TEST_F(TreeTest, WhatIsPinnedStaysPinnedWhenItWasEmptyForAMoment) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  const ContentNo first = inode(a).content;
  const auto pinned = [&](ContentNo content) { return catalog_->content(content)->value().pinned; };
  const auto empty = [&] {
    ASSERT_TRUE(change([&](Transaction& txn) -> Status {
      InodeRecord record = inode(a);
      record.size = 0;
      return tree_->replace_content(txn, a, record, ContentNo());
    }));
  };
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.pin", "1", Mode::kAny));
  empty();
  seal(commit(a, "written after"), "written after");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.pin"), "1");
  EXPECT_FALSE(pinned(first)) << "a version need not stay here";
  check_all();

  // Bytes that another file has as well stay pinned with it.
  const InodeNo twin = photo_file("Library/twin.jpg", "written after");
  const ContentNo shared = inode(twin).content;
  empty();
  seal(commit(a, "third"), "third");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.pin"), "1");
  EXPECT_EQ(*tree_->getxattr(twin, "user.shoebox.pin"), "1");
  EXPECT_EQ(inode(twin).content, shared);

  // What nobody pinned any more when it became empty is not pinned by an older version.
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.pin", "0", Mode::kAny));
  clock_.time.seconds += 1;
  empty();
  seal(commit(a, "fourth"), "fourth");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.pin"), "0");
  check_references();
}

// Its folder is that of the date in the file: it was dropped as saying nothing new by whatever came next.
TEST_F(TreeTest, ADayThatWasStatedStaysWhateverHappensToThePhoto) {
  const MediaInfo info = photo_info(LocalDate{2023, 7, 14, 10, 11, 12});
  photo_file("Library/a.jpg", "bytes", info);
  const std::string said = "2023-07-20T08:00:00";
  const auto date = [&] { return *tree_->getxattr(find("Library/a.jpg"), "user.shoebox.date"); };
  ASSERT_TRUE(tree_->setxattr(find("Library/a.jpg"), "user.shoebox.date", said, Mode::kAny));
  ViewTest::mkdir("Albums/Trip");
  ASSERT_EQ(ln("Library/a.jpg", "Albums/Trip/a.jpg"), Code::kOk);
  EXPECT_EQ(date(), said);
  photo_file("Library/twin.jpg", "bytes", info);
  EXPECT_EQ(date(), said) << "after a copy";
  ASSERT_EQ(mv("Dates/2023/07/a.jpg", "Dates/2023/07/b.jpg"), Code::kOk);
  EXPECT_EQ(date(), said) << "after a new name in Dates";
  write("Library/.a.jpg.q7Zp0L", "edited");
  ASSERT_EQ(mv("Library/.a.jpg.q7Zp0L", "Library/a.jpg"), Code::kOk);
  ASSERT_TRUE(tree_->photo_decoded(inode("Library/a.jpg").content, info));
  EXPECT_EQ(date(), said) << "after an edit";
  ASSERT_EQ(rm("Library/a.jpg"), Code::kOk);
  ASSERT_TRUE(tree_->trash_restore(find("Trash/a.jpg"), caller_));
  EXPECT_EQ(date(), said) << "after Trash";
  check_all();
}

TEST_F(TreeTest, WhatIsReadAsTheDateCanBeSetAsTheDate) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes", photo_info(LocalDate{2023, 7, 14, 10, 11, 12}));
  const std::string date = *tree_->getxattr(a, "user.shoebox.date");
  EXPECT_EQ(date, "2023-07-14T10:11:12");
  EXPECT_TRUE(tree_->setxattr(a, "user.shoebox.date", date, Mode::kAny));
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.date"), date);
  EXPECT_EQ(ls("Dates/2023"), Names{"07"});
}

TEST_F(TreeTest, PeopleAndAlbumsCanBeSetAsAWhole) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes", photo_info(day(2023, 7, 14), {"Anna", "Bob"}));
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/mine.jpg");
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.people", "Carl\n Anna \n\n", Mode::kAny));
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.people"), "Anna\nCarl");
  EXPECT_EQ(ls("People/Carl"), Names{"a.jpg"});
  EXPECT_EQ(ls("People/Bob"), Names{});  // denied: the file goes on naming him
  ASSERT_TRUE(tree_->photo_decoded(inode(a).content, photo_info(day(2023, 7, 14), {"Anna", "Bob"})));
  EXPECT_EQ(ls("People/Bob"), Names{});

  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.albums", "Home/Day 1\nBest", Mode::kAny));
  EXPECT_EQ(ls("Albums/Home/Day 1"), Names{"a.jpg"});
  EXPECT_EQ(ls("Albums/Best"), Names{"a.jpg"});
  EXPECT_EQ(ls("Albums/Trip"), Names{});  // a name that somebody gave goes too
  EXPECT_EQ(ls("Library"), Names{"a.jpg"});
  ASSERT_TRUE(tree_->removexattr(a, "user.shoebox.albums"));
  EXPECT_EQ(ls("Albums/Best"), Names{});
  EXPECT_EQ(tree_->getxattr(a, "user.shoebox.albums").status().code(), Code::kNoAttribute);
  EXPECT_EQ(tree_->setxattr(a, "user.shoebox.albums", "/", Mode::kAny).code(), Code::kInvalid);
  EXPECT_EQ(tree_->setxattr(a, "user.shoebox.people", std::string("a\0b", 3), Mode::kAny).code(),
            Code::kInvalid);
  EXPECT_EQ(tree_->setxattr(a, "user.shoebox.people", std::string(2000, 'x'), Mode::kAny).code(),
            Code::kInvalid);
  const InodeNo junk = write("Library/.x", "junk");
  EXPECT_EQ(tree_->setxattr(junk, "user.shoebox.people", "Anna", Mode::kAny).code(), Code::kNotPermitted);
  check_all();
}

TEST_F(TreeTest, ANameThatIsNoFileNameCanBeAPerson) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.people", "AC/DC\n..", Mode::kAny));
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.people"), "..\nAC/DC");
  EXPECT_EQ(ls("People").size(), 2u);
  check_all();
}

TEST_F(TreeTest, AFavoriteStaysOneThroughEditsAndTwins) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.favorite"), "0");
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.favorite", "1", Mode::kAny));
  const InodeNo twin = write("Library/twin.jpg", "bytes");
  EXPECT_EQ(*tree_->getxattr(twin, "user.shoebox.favorite"), "1");
  seal(commit(a, "edited"), "edited");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.favorite"), "1");
  EXPECT_EQ(*tree_->getxattr(twin, "user.shoebox.favorite"), "1");
  ASSERT_TRUE(tree_->removexattr(a, "user.shoebox.favorite"));
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.favorite"), "0");
  EXPECT_EQ(tree_->setxattr(a, "user.shoebox.favorite", "yes", Mode::kAny).code(), Code::kInvalid);
}

TEST_F(TreeTest, APlaceIsWhatWasSaidElseTheNamesElseThePosition) {
  MediaInfo info = photo_info(day(2023, 7, 14));
  info.latitude = 43.4674483;
  info.longitude = 11.8851264;
  const InodeNo a = photo_file("Library/a.jpg", "bytes", info);
  const auto place = [&] { return tree_->getxattr(a, "user.shoebox.place"); };
  EXPECT_EQ(*place(), "43.467448, 11.885126");
  info.place = {.country = "Italy", .state = "Toscana", .city = "Arezzo"};
  ASSERT_TRUE(tree_->photo_decoded(inode(a).content, info));
  EXPECT_EQ(*place(), "Italy/Toscana/Arezzo");
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.place", "Italy / Rome\n", Mode::kAny));
  EXPECT_EQ(*place(), "Italy/Rome");
  ASSERT_TRUE(tree_->photo_decoded(inode(a).content, info));
  EXPECT_EQ(*place(), "Italy/Rome");
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.place", "", Mode::kAny));
  EXPECT_EQ(place().code(), Code::kNoAttribute);  // denied: the file goes on naming one
  ASSERT_TRUE(tree_->photo_decoded(inode(a).content, info));
  EXPECT_EQ(place().code(), Code::kNoAttribute);
  ASSERT_TRUE(tree_->removexattr(a, "user.shoebox.place"));
  EXPECT_EQ(*place(), "Italy/Toscana/Arezzo");
  EXPECT_EQ(tree_->setxattr(a, "user.shoebox.place", "a/b/c/d/e", Mode::kAny).code(), Code::kInvalid);
  EXPECT_EQ(*place(), "Italy/Toscana/Arezzo");
  EXPECT_TRUE(tree_->listxattr(a)->empty());
  const InodeNo junk = write("Library/.x", "junk");
  EXPECT_EQ(tree_->setxattr(junk, "user.shoebox.place", "Italy", Mode::kAny).code(), Code::kNotPermitted);
  const InodeNo plain = photo_file("Library/b.jpg", "other bytes");
  EXPECT_EQ(tree_->getxattr(plain, "user.shoebox.place").code(), Code::kNoAttribute);
}

TEST_F(TreeTest, AStatedPlaceStaysThroughEditsTwinsAndTrash) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.place", "Italy/Rome", Mode::kAny));
  const InodeNo twin = write("Library/twin.jpg", "bytes");
  EXPECT_EQ(*tree_->getxattr(twin, "user.shoebox.place"), "Italy/Rome");
  seal(commit(a, "edited"), "edited");
  EXPECT_EQ(*tree_->getxattr(a, "user.shoebox.place"), "Italy/Rome");
  EXPECT_EQ(*tree_->getxattr(twin, "user.shoebox.place"), "Italy/Rome");
  write("Library/.a.jpg.a8Xk2Q", "edited again");
  ASSERT_EQ(mv("Library/.a.jpg.a8Xk2Q", "Library/a.jpg"), Code::kOk);
  EXPECT_EQ(*tree_->getxattr(find("Library/a.jpg"), "user.shoebox.place"), "Italy/Rome");
  ASSERT_EQ(rm("Library/a.jpg"), Code::kOk);
  ASSERT_EQ(mv("Trash/a.jpg", "Library/back.jpg"), Code::kOk);
  EXPECT_EQ(*tree_->getxattr(find("Library/back.jpg"), "user.shoebox.place"), "Italy/Rome");
  // Said of bytes that are known already: the later word counts.
  const InodeNo other = photo_file("Library/c.jpg", "third");
  ASSERT_TRUE(tree_->setxattr(other, "user.shoebox.place", "Spain", Mode::kAny));
  seal(commit(other, "bytes"), "bytes");
  EXPECT_EQ(*tree_->getxattr(twin, "user.shoebox.place"), "Spain");
  check_all();
}

TEST_F(TreeTest, ARatingIsANumberOfHalfStars) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  for (const char* bad : {"", "abc", "11", "-1", "07", "3.5", "8 "})
    EXPECT_EQ(tree_->setxattr(a, "user.baloo.rating", bad, Mode::kAny).code(), Code::kInvalid) << bad;
  EXPECT_EQ(tree_->getxattr(a, "user.baloo.rating").code(), Code::kNoAttribute);
  for (const char* good : {"0", "7", "10"})
    EXPECT_TRUE(tree_->setxattr(a, "user.baloo.rating", good, Mode::kAny)) << good;
}

TEST_F(TreeTest, TagsCommentAndRatingOfTheFileAnswerUntilSomebodySetsThem) {
  MediaInfo info = photo_info(day(2023, 7, 14));
  info.tags = {"beach", "Places/Rome"};
  info.caption = "At the sea";
  info.rating = 4;
  const InodeNo a = photo_file("Library/a.jpg", "bytes", info);
  EXPECT_EQ(*tree_->getxattr(a, "user.xdg.tags"), "beach,Places/Rome");
  EXPECT_EQ(*tree_->getxattr(a, "user.xdg.comment"), "At the sea");
  EXPECT_EQ(*tree_->getxattr(a, "user.baloo.rating"), "8");
  EXPECT_TRUE(tree_->listxattr(a)->empty());  // a copy with attributes finds nothing to take away
  ASSERT_TRUE(tree_->setxattr(a, "user.baloo.rating", "10", Mode::kCreate));
  EXPECT_EQ(*tree_->getxattr(a, "user.baloo.rating"), "10");
  EXPECT_EQ(*tree_->listxattr(a), std::vector<std::string>{"user.baloo.rating"});
  ASSERT_TRUE(tree_->removexattr(a, "user.baloo.rating"));
  EXPECT_EQ(*tree_->getxattr(a, "user.baloo.rating"), "8");
  const InodeNo plain = photo_file("Library/b.jpg", "other bytes");
  EXPECT_EQ(tree_->getxattr(plain, "user.xdg.tags").status().code(), Code::kNoAttribute);
}

TEST(StatedDate, TakesTimes) {
  EXPECT_EQ(*parse_stated_date("2023-07-14T10:11:12"), (LocalDate{2023, 7, 14, 10, 11, 12}));
  EXPECT_EQ(*parse_stated_date("2023-07-14 10:11"), (LocalDate{2023, 7, 14, 10, 11, 0}));
  for (const char* bad : {"2023-07-14T24:00:00", "2023-07-14T10:60", "2023-07-14T10-11", "2023-07-14x10:11",
                          "2023-07T10:11:12xxx", "2023-07-14T10:11:1"})
    EXPECT_EQ(parse_stated_date(bad).status().code(), Code::kInvalid) << bad;
}

TEST(StatedDate, TakesYearsMonthsAndDaysThatExist) {
  EXPECT_EQ(parse_stated_date("2023")->month, 0);
  EXPECT_EQ(parse_stated_date("2023-07")->day, 0);
  EXPECT_EQ(*parse_stated_date("2024-02-29"), day(2024, 2, 29));
  for (const char* bad :
       {"", "23", "2023-13", "2023-00", "2023-07-00", "2023-02-29", "2023/07", "abcd", "2023-7-1"})
    EXPECT_EQ(parse_stated_date(bad).status().code(), Code::kInvalid) << bad;
}

TEST_F(TreeTest, AnAccessAclAndTheModeFollowEachOther) {
  const InodeNo f = touch("Library/f", 0644)->number;
  const std::string named =
      acl({{0x01, 7, kNone}, {0x02, 6, 5}, {0x04, 4, kNone}, {0x10, 6, kNone}, {0x20, 0, kNone}});
  ASSERT_TRUE(tree_->setxattr(f, kAclAccess, named, Mode::kAny));
  EXPECT_EQ(tree_->getattr(f)->mode, S_IFREG | 0760u);
  AttributeChange change;
  change.mode = 0644;
  ASSERT_TRUE(tree_->setattr(f, change, caller_).is_ok());
  EXPECT_EQ(*tree_->getxattr(f, kAclAccess),
            acl({{0x01, 6, kNone}, {0x02, 6, 5}, {0x04, 4, kNone}, {0x10, 4, kNone}, {0x20, 4, kNone}}));
  // Nothing but the mode: not stored.
  ASSERT_TRUE(tree_->setxattr(f, kAclAccess, acl({{0x01, 6, kNone}, {0x04, 0, kNone}, {0x20, 0, kNone}}),
                              Mode::kAny));
  EXPECT_EQ(tree_->getattr(f)->mode, S_IFREG | 0600u);
  EXPECT_EQ(tree_->getxattr(f, kAclAccess).status().code(), Code::kNoAttribute);
  EXPECT_EQ(tree_->setxattr(f, kAclAccess, "x", Mode::kAny).code(), Code::kInvalid);
  EXPECT_EQ(tree_->setxattr(f, kAclDefault, named, Mode::kAny).code(), Code::kAccess);
}

TEST_F(TreeTest, ADefaultAclIsInheritedInPlaceOfTheUmask) {
  mkdir("Library/d");
  const std::string fallback =
      acl({{0x01, 7, kNone}, {0x02, 7, 5}, {0x04, 5, kNone}, {0x10, 7, kNone}, {0x20, 0, kNone}});
  ASSERT_TRUE(tree_->setxattr(find("Library/d"), kAclDefault, fallback, Mode::kAny));
  caller_.umask = 077;
  const auto f = touch("Library/d/f", 0664);
  EXPECT_EQ(f->inode.mode, S_IFREG | 0660u);
  EXPECT_EQ(*tree_->getxattr(f->number, kAclAccess),
            acl({{0x01, 6, kNone}, {0x02, 7, 5}, {0x04, 5, kNone}, {0x10, 6, kNone}, {0x20, 0, kNone}}));
  mkdir("Library/d/e", 0777);
  EXPECT_EQ(*tree_->getxattr(find("Library/d/e"), kAclDefault), fallback);
  EXPECT_EQ(touch("Library/f", 0666)->inode.mode, S_IFREG | 0600u);  // no default: the umask counts
}

TEST(PosixAclBytes, RefusesWhatIsNoAcl) {
  EXPECT_EQ(PosixAcl::parse("").status().code(), Code::kInvalid);
  EXPECT_TRUE(PosixAcl::parse(acl({}))->empty());
  EXPECT_FALSE(PosixAcl::parse(acl({{0x01, 7, kNone}, {0x20, 0, kNone}})).is_ok());  // no group
  EXPECT_FALSE(
      PosixAcl::parse(acl({{0x01, 7, kNone}, {0x02, 7, 5}, {0x04, 0, kNone}, {0x20, 0, kNone}})).is_ok());
  EXPECT_FALSE(PosixAcl::parse(acl({{0x20, 7, kNone}, {0x04, 0, kNone}, {0x01, 0, kNone}})).is_ok());
  EXPECT_FALSE(PosixAcl::parse(acl({{0x01, 8, kNone}, {0x04, 0, kNone}, {0x20, 0, kNone}})).is_ok());
}

}  // namespace
}  // namespace shoebox
