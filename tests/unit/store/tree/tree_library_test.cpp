// Library as a POSIX tree: create, folders, links, attributes, rename.

#include "tree_fixture.h"

namespace shoebox {
namespace {

TEST_F(TreeTest, ANewFileHasTheCallersOwnerAndOneName) {
  const auto made = touch("Library/a.txt", 0640);
  ASSERT_TRUE(made.is_ok());
  EXPECT_EQ(made->inode.mode, S_IFREG | 0640u);
  EXPECT_EQ(made->inode.uid, 1000u);
  EXPECT_EQ(made->inode.nlink, 1u);
  EXPECT_EQ(made->inode.btime, clock_.time);
  EXPECT_EQ(touch("Library/a.txt").status().code(), Code::kExists);
  EXPECT_EQ(tree_->lookup(kLibraryInode, "a.txt")->number, made->number);
  EXPECT_EQ(tree_->lookup(kLibraryInode, "b.txt").status().code(), Code::kNotFound);
  check_all();
}

TEST_F(TreeTest, NamesHaveAtMost255Bytes) {
  EXPECT_TRUE(touch("Library/" + std::string(255, 'x')).is_ok());
  EXPECT_EQ(touch("Library/" + std::string(256, 'x')).status().code(), Code::kNameTooLong);
  EXPECT_EQ(mkdir("Library/" + std::string(256, 'x')), Code::kNameTooLong);
  EXPECT_EQ(tree_->lookup(kLibraryInode, std::string(256, 'x')).status().code(), Code::kNameTooLong);
  EXPECT_EQ(rm("Library/" + std::string(256, 'x')), Code::kNameTooLong);
}

TEST_F(TreeTest, FoldersCountTheirSubfolders) {
  ASSERT_EQ(mkdir("Library/d"), Code::kOk);
  ASSERT_EQ(mkdir("Library/d/e"), Code::kOk);
  EXPECT_EQ(inode("Library/d").nlink, 3u);
  EXPECT_EQ(rmdir("Library/d"), Code::kNotEmpty);
  EXPECT_EQ(*tree_->parent_of(find("Library/d/e")), find("Library/d"));
  EXPECT_EQ(*tree_->path_of(find("Library/d/e")), "Library/d/e");
  EXPECT_EQ(rmdir("Library/d/e"), Code::kOk);
  EXPECT_EQ(inode("Library/d").nlink, 2u);
  EXPECT_EQ(rmdir("Library/d"), Code::kOk);
  EXPECT_EQ(rmdir("Library/d"), Code::kNotFound);
}

TEST_F(TreeTest, ParentsGetTheTimeOfAChange) {
  ASSERT_EQ(mkdir("Library/d"), Code::kOk);
  clock_.time.seconds += 10;
  ASSERT_TRUE(touch("Library/d/f").is_ok());
  EXPECT_EQ(inode("Library/d").mtime, clock_.time);
  clock_.time.seconds += 10;
  rm("Library/d/f");
  EXPECT_EQ(inode("Library/d").ctime, clock_.time);
}

TEST_F(TreeTest, UnlinkAndRmdirKnowWhatTheyAreFor) {
  mkdir("Library/d");
  ASSERT_TRUE(touch("Library/f").is_ok());
  EXPECT_EQ(rm("Library/d"), Code::kIsDirectory);
  EXPECT_EQ(rmdir("Library/f"), Code::kNotDirectory);
  EXPECT_EQ(tree_->lookup(find("Library/f"), "x").status().code(), Code::kNotDirectory);
}

TEST_F(TreeTest, TheTopLevelIsFixed) {
  EXPECT_EQ(tree_->create(kRootInode, "a", 0644, caller_).status().code(), Code::kNotPermitted);
  EXPECT_EQ(mkdir("New"), Code::kNotPermitted);
  EXPECT_EQ(rmdir("Library"), Code::kNotPermitted);
  EXPECT_EQ(tree_->rename(kRootInode, "Library", kRootInode, "L", RenameMode::kReplace, caller_).code(),
            Code::kNotPermitted);
  EXPECT_EQ(mkdir(".Trash-x"), Code::kNotPermitted);
}

TEST_F(TreeTest, ASetgidFolderGivesItsGroup) {
  mkdir("Library/d");
  AttributeChange change;
  change.mode = 02775;
  change.gid = 77;
  ASSERT_TRUE(tree_->setattr(find("Library/d"), change, caller_).is_ok());
  EXPECT_EQ(touch("Library/d/f")->inode.gid, 77u);
  mkdir("Library/d/e");
  EXPECT_EQ(inode("Library/d/e").gid, 77u);
  EXPECT_TRUE(inode("Library/d/e").mode & S_ISGID);
}

TEST_F(TreeTest, ChownTakesSetuidAway) {
  const InodeNo f = touch("Library/f", 06755)->number;
  AttributeChange change;
  change.uid = 5;
  EXPECT_EQ(tree_->setattr(f, change, caller_)->mode, S_IFREG | 0755u);
  change = {};
  change.mode = 06755;
  EXPECT_EQ(tree_->setattr(f, change, caller_)->mode, S_IFREG | 06755u);
}

TEST_F(TreeTest, TimesAreKeptToTheNanosecondAndRememberWhoSetThem) {
  const InodeNo f = touch("Library/f")->number;
  AttributeChange change;
  change.mtime = Timestamp{1000, 123456789};
  const auto set = tree_->setattr(f, change, caller_);
  EXPECT_EQ(set->mtime, (Timestamp{1000, 123456789}));
  EXPECT_EQ(set->ctime, clock_.time);
  EXPECT_TRUE(set->mtime_was_set);
  change = {};
  change.mtime_now = true;
  EXPECT_FALSE(tree_->setattr(f, change, caller_)->mtime_was_set);
}

TEST_F(TreeTest, AGuessedDateFollowsMtime) {
  photo_file("Library/scan.jpg", "bytes", photo_info());
  EXPECT_EQ(ls("Dates"), Names{"Unknown"});
  AttributeChange change;
  change.mtime = Timestamp{1560000000, 0};  // June 2019
  ASSERT_TRUE(tree_->setattr(find("Library/scan.jpg"), change, caller_).is_ok());
  EXPECT_EQ(ls("Dates"), Names{"2019"});
  check_all();
}

TEST_F(TreeTest, SymlinksAndNodesStandInLibraryOnly) {
  const auto link = tree_->symlink(kLibraryInode, "l", "../x", caller_);
  ASSERT_TRUE(link.is_ok());
  EXPECT_EQ(link->inode.mode, S_IFLNK | 0777u);
  EXPECT_EQ(link->inode.size, 4u);
  EXPECT_EQ(tree_->symlink(kLibraryInode, "m", std::string(4096, 'x'), caller_).status().code(),
            Code::kNameTooLong);
  EXPECT_TRUE(tree_->symlink(kLibraryInode, "m", std::string(4095, 'x'), caller_).is_ok());
  EXPECT_TRUE(tree_->mknod(kLibraryInode, "p", S_IFIFO | 0600, 0, caller_).is_ok());
  EXPECT_EQ(tree_->mknod(kLibraryInode, "c", S_IFCHR | 0600, 259, caller_)->inode.rdev, 259u);
  ViewTest::mkdir("Albums/Trip");
  EXPECT_EQ(tree_->symlink(find("Albums/Trip"), "l", "x", caller_).status().code(), Code::kNotPermitted);
  EXPECT_EQ(rm("Library/l"), Code::kOk);
  EXPECT_EQ(rm("Library/p"), Code::kOk);
  check_all();
}

TEST_F(TreeTest, HardLinksAreOneFile) {
  const InodeNo f = other_file("Library/f", "hello");
  ASSERT_EQ(ln("Library/f", "Library/g"), Code::kOk);
  EXPECT_EQ(find("Library/g"), f);
  EXPECT_EQ(inode(f).nlink, 2u);
  EXPECT_EQ(ln("Library/f", "Library/g"), Code::kExists);
  EXPECT_EQ(rm("Library/f"), Code::kOk);
  EXPECT_EQ(inode(f).nlink, 1u);
  mkdir("Library/d");
  EXPECT_EQ(ln("Library/d", "Library/e"), Code::kNotPermitted);
  EXPECT_EQ(rm("Library/g"), Code::kOk);
  EXPECT_FALSE(catalog_->inode(f)->has_value());
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();
}

TEST_F(TreeTest, AnUnlinkedOpenFileLivesUntilItsLastClose) {
  const InodeNo f = other_file("Library/f", "hello");
  const ContentNo content = inode(f).content;
  open_.insert(f);
  ASSERT_EQ(rm("Library/f"), Code::kOk);
  EXPECT_EQ(tree_->getattr(f)->nlink, 0u);
  EXPECT_TRUE(content_exists(content));
  EXPECT_EQ(tree_->link(f, kLibraryInode, "back", caller_).status().code(), Code::kNotFound);
  open_.clear();
  ASSERT_TRUE(tree_->drop_unlinked(f));
  EXPECT_FALSE(tree_->getattr(f).is_ok());
  EXPECT_FALSE(content_exists(content));
  check_all();
}

TEST_F(TreeTest, OrphansOfACrashAreForgottenAtMount) {
  const InodeNo f = other_file("Library/f", "hello");
  open_.insert(f);
  rm("Library/f");
  open_.clear();
  ASSERT_TRUE(tree_->forget_orphans());
  EXPECT_FALSE(tree_->getattr(f).is_ok());
  check_all();
}

TEST_F(TreeTest, RenameIsAsPosixSays) {
  const InodeNo f = other_file("Library/f", "f");
  const InodeNo g = other_file("Library/g", "g");
  mkdir("Library/d");
  mkdir("Library/e");
  ASSERT_TRUE(touch("Library/e/x").is_ok());
  EXPECT_EQ(mv("Library/f", "Library/g", RenameMode::kNoReplace), Code::kExists);
  EXPECT_EQ(mv("Library/f", "Library/d"), Code::kIsDirectory);
  EXPECT_EQ(mv("Library/d", "Library/f"), Code::kNotDirectory);
  EXPECT_EQ(mv("Library/d", "Library/e"), Code::kNotEmpty);
  EXPECT_EQ(mv("Library/e/x", "Library/e"), Code::kNotEmpty);
  EXPECT_EQ(mv("Library/none", "Library/h"), Code::kNotFound);
  EXPECT_EQ(mv("Library/f", "Library/g"), Code::kOk);
  EXPECT_EQ(find("Library/g"), f);
  EXPECT_FALSE(catalog_->inode(g)->has_value());
  EXPECT_EQ(mv("Library/e", "Library/d"), Code::kOk);  // onto an empty folder
  EXPECT_EQ(ls("Library/d"), Names{"x"});
  check_all();
}

TEST_F(TreeTest, AFolderDoesNotGoIntoItself) {
  ViewTest::mkdir("Library/a/b/c");
  EXPECT_EQ(mv("Library/a", "Library/a/b/d"), Code::kInvalid);
  EXPECT_EQ(mv("Library/a", "Library/a/b/c", RenameMode::kExchange), Code::kInvalid);
  EXPECT_EQ(mv("Library/a/b", "Library/b"), Code::kOk);
  EXPECT_EQ(*tree_->parent_of(find("Library/b")), kLibraryInode);
  EXPECT_EQ(inode("Library/a").nlink, 2u);
  check_all();
}

TEST_F(TreeTest, ExchangeSwapsNames) {
  const InodeNo f = other_file("Library/a/f", "f");
  ViewTest::mkdir("Library/b/d");
  const InodeNo d = find("Library/b/d");
  ASSERT_EQ(mv("Library/a/f", "Library/b/d", RenameMode::kExchange), Code::kOk);
  EXPECT_EQ(find("Library/b/d"), f);
  EXPECT_EQ(find("Library/a/f"), d);
  EXPECT_EQ(*tree_->parent_of(d), find("Library/a"));
  EXPECT_EQ(inode("Library/a").nlink, 3u);
  EXPECT_EQ(inode("Library/b").nlink, 2u);
  EXPECT_EQ(mv("Library/a/f", "Library/b/none", RenameMode::kExchange), Code::kNotFound);
  check_all();
}

TEST_F(TreeTest, PathsResolveAndListingsGoOnAfterAName) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(touch(std::string("Library/d/") + name).is_ok());
  EXPECT_EQ(tree_->resolve("/Library//d/b/")->number, find("Library/d/b"));
  EXPECT_EQ(tree_->resolve("Library/d/../d/b")->number, find("Library/d/b"));
  EXPECT_EQ(tree_->resolve("Library/x/b").status().code(), Code::kNotFound);
  std::vector<std::string> names;
  ASSERT_TRUE(tree_->readdir(find("Library/d"), "a", [&](const DirEntry& entry) {
    names.push_back(entry.name);
    return true;
  }));
  EXPECT_EQ(names, (Names{"b", "c"}));
}

TEST_F(TreeTest, TheKernelIsToldOfAllNamesButTheOneItAskedFor) {
  std::vector<Change::Name> told;
  catalog_->add_observer([&](const Change& change) {
    for (const Change::Name& name : change.names)
      if (!name.kernel_knows) told.push_back(name);
  });
  photo_file("Library/a.jpg", "bytes");
  told.clear();
  ASSERT_EQ(mv("Library/a.jpg", "Library/b.jpg"), Code::kOk);
  EXPECT_TRUE(told.empty());
  ASSERT_EQ(rm("Library/b.jpg"), Code::kOk);
  for (const Change::Name& name : told) EXPECT_NE(name.directory, kLibraryInode);
  EXPECT_FALSE(told.empty());  // Dates and Trash
}

}  // namespace
}  // namespace shoebox
