// Objects that were found on a remote as files of Library, and what they mean for keys and twins.
#include "store/outbox.h"
#include "store/wanted_keys.h"
#include "tree_fixture.h"

namespace shoebox {
namespace {

class TreeAdoptTest : public TreeTest {
 protected:
  AdoptedFile object(const std::string& key, const std::string& bytes, bool whole = false) {
    AdoptedFile file;
    file.path = "Library/" + key;
    file.mtime = {1'600'000'000, 0};
    file.remote = "bucket";
    file.copy.key = key;
    file.copy.etag = "etag of " + bytes;
    file.copy.size = bytes.size();
    if (!bytes.empty()) file.content = catalog_->begin()->new_content_no();
    if (whole) file.hashes = hashes(bytes);
    return file;
  }
  std::string adopt(const AdoptedFile& file) {
    const auto paths = tree_->adopt({file}, caller_);
    EXPECT_TRUE(paths) << paths.status().message();
    return paths ? paths->front() : std::string();
  }
  ContentNo content_of(const std::string& path) { return inode(find(path)).content; }
  ContentRecord record_of(const std::string& path) { return **catalog_->content(content_of(path)); }
  Status hashed(const std::string& path, const std::string& bytes) {
    return tree_->content_hashed(content_of(path), hashes(bytes), Residence::kLocal);
  }
  bool stays(const std::string& path, const std::string& key) {
    return *belongs_at(*catalog_, "bucket", content_of(path), key);
  }
};

TEST_F(TreeAdoptTest, AnObjectBecomesAFileWhoseBytesStayWhereTheyAre) {
  EXPECT_EQ(adopt(object("2019/08/IMG_1.jpg", "one")), "Library/2019/08/IMG_1.jpg");
  const InodeRecord file = inode(find("Library/2019/08/IMG_1.jpg"));
  EXPECT_EQ(file.size, 3U);
  EXPECT_EQ(file.mtime.seconds, 1'600'000'000);
  EXPECT_EQ(file.uid, 1000U);
  EXPECT_TRUE(file.photo);
  const ContentRecord content = record_of("Library/2019/08/IMG_1.jpg");
  EXPECT_EQ(content.state, ContentState::kAdopted);
  EXPECT_EQ(content.residence, Residence::kPartial);
  const auto copy = *catalog_->copy(file.content, "bucket");
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->key, "2019/08/IMG_1.jpg");
  EXPECT_EQ(copy->adopted_path, "Library/2019/08/IMG_1.jpg");
  EXPECT_EQ(*catalog_->content_of_remote_key("bucket", "2019/08/IMG_1.jpg"), file.content);
  EXPECT_EQ(jobs_of(file.content), 1U) << "for the other remote, nas";
  EXPECT_EQ(decode_wanted_.back(), file.content);
  check_all();
}

TEST_F(TreeAdoptTest, AFileAndAFolderOfOneNameBothFindAPlace) {
  EXPECT_EQ(adopt(object("a", "file")), "Library/a");
  EXPECT_EQ(adopt(object("a/b.jpg", "below")), "Library/a (2)/b.jpg");
  EXPECT_EQ(adopt(object("a/c.jpg", "too")), "Library/a (2)/c.jpg");
  EXPECT_EQ(adopt(object("x/y.jpg", "first the folder")), "Library/x/y.jpg");
  EXPECT_EQ(adopt(object("x", "then the file")), "Library/x (2)");
  check_all();
}

TEST_F(TreeAdoptTest, AnEmptyObjectIsAnEmptyFile) {
  EXPECT_EQ(adopt(object("empty.txt", "")), "Library/empty.txt");
  EXPECT_FALSE(content_of("Library/empty.txt"));
  check_all();
}

TEST_F(TreeAdoptTest, NothingOutsideOfLibraryIsMade) {
  AdoptedFile file = object("x.jpg", "x");
  file.path = "Albums/x.jpg";
  EXPECT_EQ(tree_->adopt({file}, caller_).code(), Code::kInvalid);
  file.path = "Library/../x.jpg";
  EXPECT_FALSE(tree_->adopt({file}, caller_));
  EXPECT_FALSE(find("Library/x.jpg"));
}

TEST_F(TreeAdoptTest, BytesThatAreKnownMakeATwinAndNeitherObjectIsLetGo) {
  adopt(object("a.jpg", "same"));
  adopt(object("b.jpg", "same"));
  const ContentNo first = content_of("Library/a.jpg");
  ASSERT_TRUE(hashed("Library/a.jpg", "same"));
  EXPECT_EQ(record_of("Library/a.jpg").state, ContentState::kSealed);
  ASSERT_TRUE(hashed("Library/b.jpg", "same"));
  EXPECT_EQ(content_of("Library/b.jpg"), first);
  EXPECT_EQ(inode(find("Library/b.jpg")).photo, inode(find("Library/a.jpg")).photo);
  const auto kept = *catalog_->loose("bucket", "b.jpg");
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->keep);
  EXPECT_EQ((*catalog_->copy(first, "bucket"))->key, "a.jpg");
  check_all();
}

TEST_F(TreeAdoptTest, BytesThatWaitToBeSentAreBackedUpByTheObjectThatHasThem) {
  settings_.remotes.push_back({.name = "bucket", .url = "s3://bucket"});
  const InodeNo own = photo_file("Library/mine.jpg", "same");
  const ContentNo known = inode(own).content;
  ASSERT_TRUE(change([&](Transaction& txn) {
    txn.put_job({known, "bucket", 0, 0, "", ""});
    return Status::ok();
  }));
  adopt(object("theirs.jpg", "same"));
  ASSERT_TRUE(hashed("Library/theirs.jpg", "same"));
  EXPECT_EQ(content_of("Library/theirs.jpg"), known);
  EXPECT_EQ((*catalog_->copy(known, "bucket"))->key, "theirs.jpg");
  const auto jobs = *catalog_->jobs_of_content(known);
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].remote, "nas");
  EXPECT_TRUE(stays("Library/theirs.jpg", "theirs.jpg"));
  check_all();
}

TEST_F(TreeAdoptTest, ASmallOneThatWasReadWholeIsKnownAtOnce) {
  adopt(object("a.jpg", "small", true));
  adopt(object("copy of a.jpg", "small", true));
  EXPECT_EQ(record_of("Library/a.jpg").state, ContentState::kSealed);
  EXPECT_EQ(record_of("Library/a.jpg").residence, Residence::kLocal);
  EXPECT_EQ(content_of("Library/a.jpg"), content_of("Library/copy of a.jpg"));
  check_all();
}

TEST_F(TreeAdoptTest, ItsKeyStaysWhereItLiesUntilTheOwnerRenamesIt) {
  adopt(object("2019/a.jpg", "one"));
  EXPECT_TRUE(stays("Library/2019/a.jpg", "2019/a.jpg"));
  ASSERT_EQ(mv("Library/2019/a.jpg", "Library/2019/b.jpg"), Code::kOk);
  EXPECT_TRUE(stays("Library/2019/b.jpg", "2019/a.jpg")) << "nothing could tell that a copy of it is right";
  ASSERT_TRUE(hashed("Library/2019/b.jpg", "one"));
  EXPECT_FALSE(stays("Library/2019/b.jpg", "2019/a.jpg"));
  ASSERT_EQ(mv("Library/2019/b.jpg", "Library/2019/a.jpg"), Code::kOk);
  EXPECT_TRUE(stays("Library/2019/a.jpg", "2019/a.jpg"));
}

TEST_F(TreeAdoptTest, OneThatWasReplacedOnTheRemoteReplacesTheFileAndItsLostBytesAreNoVersion) {
  adopt(object("a.jpg", "before"));
  const ContentNo before = content_of("Library/a.jpg");
  const PhotoId photo = inode(find("Library/a.jpg")).photo;
  EXPECT_EQ(adopt(object("a.jpg", "after it")), "Library/a.jpg");
  EXPECT_NE(content_of("Library/a.jpg"), before);
  EXPECT_FALSE(content_exists(before));
  EXPECT_EQ(inode(find("Library/a.jpg")).photo, photo);
  EXPECT_EQ(inode(find("Library/a.jpg")).size, 8U);
  EXPECT_TRUE((*catalog_->versions(photo)).empty());
  EXPECT_EQ((*catalog_->copy(content_of("Library/a.jpg"), "bucket"))->etag, "etag of after it");
  check_all();
}

TEST_F(TreeAdoptTest, BytesThatAreStillHereBecomeAVersionWhenTheirObjectIsReplaced) {
  adopt(object("a.jpg", "before"));
  ASSERT_TRUE(hashed("Library/a.jpg", "before"));
  ASSERT_TRUE(tree_->photo_decoded(content_of("Library/a.jpg"), photo_info(day(2023, 7, 14))));
  const ContentNo before = content_of("Library/a.jpg");
  const PhotoId photo = inode(find("Library/a.jpg")).photo;
  adopt(object("a.jpg", "after it"));
  ASSERT_EQ(catalog_->versions(photo)->size(), 1U);
  EXPECT_EQ(catalog_->versions(photo)->front().content, before);
  EXPECT_FALSE(*catalog_->copy(before, "bucket"));
  check_all();
}

TEST_F(TreeAdoptTest, TrashAndBackLeaveItWhereItLies) {
  adopt(object("a.jpg", "one"));
  const ContentNo content = content_of("Library/a.jpg");
  ASSERT_EQ(rm("Library/a.jpg"), Code::kOk);
  EXPECT_TRUE(*belongs_at(*catalog_, "bucket", content, "a.jpg"));
  ASSERT_TRUE(tree_->trash_restore(find("Trash/a.jpg"), caller_));
  EXPECT_EQ(content_of("Library/a.jpg"), content);
  ASSERT_EQ(rm("Library/a.jpg"), Code::kOk);
  ASSERT_TRUE(tree_->trash_empty(0));
  EXPECT_FALSE(content_exists(content));
  const auto loose = *catalog_->loose("bucket", "a.jpg");
  ASSERT_TRUE(loose) << "deleted for good: its object goes as well";
  EXPECT_FALSE(loose->keep);
  EXPECT_EQ(loose->etag, "etag of one");
}

}  // namespace
}  // namespace shoebox
