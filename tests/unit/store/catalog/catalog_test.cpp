#include "store/catalog/catalog.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "store/base/hash.h"
#include "store/catalog/keys.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

Catalog::Options on_disk() { return {.reserve_bytes = 0}; }

std::unique_ptr<Catalog> scratch() {
  auto catalog = Catalog::open("scratch", Catalog::Options::scratch());
  EXPECT_TRUE(catalog) << catalog.status().message();
  return std::move(*catalog);
}

InodeNo add_file(Transaction& txn, InodeNo directory, const std::string& name, ContentNo content = {}) {
  const InodeNo number = txn.new_inode_no();
  InodeRecord inode;
  inode.mode = S_IFREG | 0644;
  inode.nlink = 1;
  inode.content = content;
  txn.put_inode(number, inode);
  EXPECT_TRUE(txn.put_dentry(directory, name, {number, S_IFREG, NameKind::kGiven}));
  return number;
}

ContentNo add_content(Transaction& txn, const std::string& bytes) {
  const ContentNo number = txn.new_content_no();
  ContentRecord record;
  record.state = ContentState::kSealed;
  record.size = bytes.size();
  record.sha256 = sha256(bytes);
  txn.put_content(number, record);
  txn.put_block_hashes(number, {sha256(bytes)});
  return number;
}

TEST(Catalog, AFreshOneHasTheFixedFolders) {
  const auto catalog = scratch();
  std::vector<std::string> names;
  ASSERT_TRUE(catalog->for_each_entry(kRootInode, "", [&](const DirEntry& entry) {
    names.push_back(entry.name);
    return true;
  }));
  EXPECT_EQ(names, (std::vector<std::string>{"Albums", "Dates", "Library", "People", "Trash"}));
  EXPECT_EQ((*catalog->inode(kRootInode))->nlink, 7U);
  EXPECT_EQ((*catalog->inode(kAlbumsInode))->view, ViewId::kAlbums);
  EXPECT_EQ((*catalog->inode(kAlbumsInode))->parent, kRootInode);
}

TEST(Catalog, WhatWasCommittedIsThereAfterReopeningAndNumbersAreNotReused) {
  const testing::TempDir dir;
  InodeNo first;
  {
    auto catalog = Catalog::open(dir.path("catalog"), on_disk());
    ASSERT_TRUE(catalog) << catalog.status().message();
    auto txn = (*catalog)->begin();
    first = add_file(*txn, kLibraryInode, "a.jpg");
    ASSERT_TRUE(txn->commit());
    txn = (*catalog)->begin();
    ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "a.jpg"));
    ASSERT_TRUE(txn->erase_inode(first));
    ASSERT_TRUE(txn->commit());
    ASSERT_TRUE((*catalog)->sync());
  }
  auto catalog = Catalog::open(dir.path("catalog"), on_disk());
  ASSERT_TRUE(catalog) << catalog.status().message();
  EXPECT_FALSE(*(*catalog)->inode(first));
  const auto txn = (*catalog)->begin();
  EXPECT_GT(txn->new_inode_no(), first);
}

TEST(Catalog, ADroppedTransactionNeverHappened) {
  const auto catalog = scratch();
  { add_file(*catalog->begin(), kLibraryInode, "gone.jpg"); }
  EXPECT_FALSE(*catalog->dentry(kLibraryInode, "gone.jpg"));
  EXPECT_FALSE(*catalog->has_entries(kLibraryInode));
}

TEST(Catalog, NamesAreFoundFromBothSidesAndFolded) {
  const auto catalog = scratch();
  auto txn = catalog->begin();
  const InodeNo file = add_file(*txn, kLibraryInode, "Caf\xc3\xa9.JPG");  // NFC
  ASSERT_TRUE(txn->put_dentry(kAlbumsInode, "x.jpg", {file, S_IFREG, NameKind::kGenerated}));
  EXPECT_EQ(txn->names_of(file)->size(), 2U) << "before the commit as well";
  ASSERT_TRUE(txn->commit());
  EXPECT_EQ(*catalog->folded_match(kLibraryInode, "cafe\xcc\x81.jpg"), "Caf\xc3\xa9.JPG");  // NFD
  EXPECT_FALSE(*catalog->folded_match(kLibraryInode, "cafe.jpg"));
  EXPECT_FALSE(*catalog->folded_match(kLibraryInode, "caf"));

  txn = catalog->begin();
  const InodeNo other = add_file(*txn, kLibraryInode, "Caf\xc3\xa9.JPG");  // takes the name over
  ASSERT_TRUE(txn->commit());
  EXPECT_EQ(catalog->names_of(file)->size(), 1U);
  EXPECT_EQ(catalog->names_of(other)->size(), 1U);
  txn = catalog->begin();
  ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "Caf\xc3\xa9.JPG"));
  ASSERT_TRUE(txn->commit());
  EXPECT_FALSE(*catalog->folded_match(kLibraryInode, "CAF\xc3\x89.jpg"));
}

TEST(Catalog, ListingGoesOnBehindANameThatHasGone) {
  const auto catalog = scratch();
  const auto txn = catalog->begin();
  for (const char* name : {"a", "ab", "b", "c"}) add_file(*txn, kLibraryInode, name);
  ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "a"));
  std::vector<std::string> names;
  ASSERT_TRUE(txn->for_each_entry(kLibraryInode, "a", [&](const DirEntry& entry) {
    names.push_back(entry.name);
    return names.size() < 2;
  }));
  EXPECT_EQ(names, (std::vector<std::string>{"ab", "b"}));
}

TEST(Catalog, IndexesFollowContentsAndPhotos) {
  const auto catalog = scratch();
  auto txn = catalog->begin();
  const ContentNo bytes = add_content(*txn, "one");
  const InodeNo file = add_file(*txn, kLibraryInode, "a.jpg", bytes);
  const PhotoId photo = txn->new_photo_id();
  PhotoRecord record;
  record.content = bytes;
  txn->put_photo(photo, record);
  InodeRecord inode = **txn->inode(file);
  inode.photo = photo;
  txn->put_inode(file, inode);
  txn->put_job({bytes, "nas", 0, 0, "", ""});
  txn->put_copy(bytes, "s3", {"Library/a.jpg", "e", 3, 0});
  ASSERT_TRUE(txn->commit());
  EXPECT_EQ(*catalog->content_by_hash(sha256("one")), bytes);
  EXPECT_EQ(*catalog->inodes_of_content(bytes), std::vector<InodeNo>{file});
  EXPECT_EQ(*catalog->inodes_of_photo(photo), std::vector<InodeNo>{file});
  EXPECT_EQ(*catalog->photo_of_content(bytes), photo);
  EXPECT_EQ(*catalog->content_of_remote_key("s3", "Library/a.jpg"), bytes);

  std::vector<ContentNo> erased;
  catalog->on_content_erased([&](ContentNo number) { erased.push_back(number); });
  txn = catalog->begin();
  const ContentNo next = add_content(*txn, "two");
  inode.content = next;
  txn->put_inode(file, inode);
  record.content = next;
  txn->put_photo(photo, record);
  ASSERT_TRUE(txn->erase_content(bytes));
  ASSERT_TRUE(txn->commit());
  EXPECT_EQ(erased, std::vector<ContentNo>{bytes});
  EXPECT_FALSE(*catalog->content_by_hash(sha256("one")));
  EXPECT_TRUE(catalog->inodes_of_content(bytes)->empty());
  EXPECT_EQ(*catalog->inodes_of_content(next), std::vector<InodeNo>{file});
  EXPECT_EQ(*catalog->photo_of_content(next), photo);
  EXPECT_FALSE(*catalog->photo_of_content(bytes));
  EXPECT_TRUE(catalog->jobs_of_content(bytes)->empty());
  EXPECT_FALSE(*catalog->content_of_remote_key("s3", "Library/a.jpg"));
}

TEST(Catalog, EqualBytesSealedTwiceKeepTheEarlierInTheIndex) {
  const auto catalog = scratch();
  auto txn = catalog->begin();
  const ContentNo first = add_content(*txn, "same");
  add_content(*txn, "same");
  ASSERT_TRUE(txn->commit());
  EXPECT_EQ(*catalog->content_by_hash(sha256("same")), first);
}

TEST(Catalog, ObserversHearOfACommitAfterItAndWithoutTheLock) {
  const auto catalog = scratch();
  std::vector<Change> heard;
  catalog->add_observer([&](const Change& change) {
    heard.push_back(change);
    if (heard.size() == 1) {  // a transaction of its own must be possible
      const auto inner = catalog->begin();
      inner->put_meta("inner", "x");
      ASSERT_TRUE(inner->commit());
    }
  });
  bool ran = false;
  const auto txn = catalog->begin();
  const InodeNo file = add_file(*txn, kLibraryInode, "a.jpg");
  txn->put_job({ContentNo(9), "nas", 0, 0, "", ""});
  txn->after_commit([&] { ran = true; });
  EXPECT_TRUE(heard.empty());
  ASSERT_TRUE(txn->commit());
  EXPECT_TRUE(ran);
  ASSERT_EQ(heard.size(), 2U);
  ASSERT_EQ(heard[0].names.size(), 1U);
  EXPECT_EQ(heard[0].names[0].inode, file);
  EXPECT_EQ(heard[0].upload_jobs, std::vector<std::string>{"nas"});
}

TEST(Catalog, ManyThreadsThatSyncAllReturn) {
  const testing::TempDir dir;
  auto catalog = Catalog::open(dir.path("catalog"), on_disk());
  ASSERT_TRUE(catalog);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const auto txn = (*catalog)->begin();
        txn->put_meta(std::to_string(t) + "/" + std::to_string(i), "x");
        if (!txn->commit() || !(*catalog)->sync()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

TEST(Catalog, OneMadeByANewerVersionIsRefused) {
  const testing::TempDir dir;
  {
    auto catalog = Catalog::open(dir.path("catalog"), on_disk());
    ASSERT_TRUE(catalog);
    const auto txn = (*catalog)->begin();
    txn->put_meta(keys::kMetaSchema, keys::number_value(keys::kSchema + 1));
    ASSERT_TRUE(txn->commit());
  }
  EXPECT_EQ(Catalog::open(dir.path("catalog"), on_disk()).code(), Code::kIncompatible);
}

TEST(Catalog, AMissingTableIsNamedAndCanBeSalvaged) {
  const testing::TempDir dir;
  for (int i = 0; i < 3; ++i) {  // each opening turns the log into a table
    auto catalog = Catalog::open(dir.path("catalog"), on_disk());
    ASSERT_TRUE(catalog) << catalog.status().message();
    const auto txn = (*catalog)->begin();
    add_file(*txn, kLibraryInode, "f" + std::to_string(i));
    ASSERT_TRUE(txn->commit());
  }
  std::string table;
  for (const auto& file : std::filesystem::directory_iterator(dir.path("catalog"))) {
    if (file.path().extension() == ".sst") table = file.path().filename().string();
  }
  ASSERT_FALSE(table.empty());
  std::filesystem::remove(dir.path("catalog/" + table));
  const auto refused = Catalog::open(dir.path("catalog"), on_disk());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.code(), Code::kDataLoss) << refused.status().message();
  EXPECT_NE(refused.status().message().find(table), std::string::npos) << refused.status().message();
  EXPECT_EQ(refused.status().message().find('\n'), std::string::npos);

  ASSERT_TRUE(Catalog::salvage(dir.path("catalog")));
  Catalog::Options after = on_disk();
  after.salvaged = true;
  const auto salvaged = Catalog::open(dir.path("catalog"), after);
  EXPECT_TRUE(salvaged) << salvaged.status().message();
}

// The format number is written again when a catalog is brought up to date, and so outlives the first table.
TEST(Catalog, ASalvagedOneHasItsFixedFoldersAgainThoughTheFormatNumberOutlivedThem) {
  const testing::TempDir dir;
  const std::string path = dir.path("catalog");
  {
    auto catalog = Catalog::open(path, on_disk());
    ASSERT_TRUE(catalog);
    const auto txn = (*catalog)->begin();
    add_file(*txn, kLibraryInode, "kept");
    for (const InodeNo lost : {kRootInode, kLibraryInode, kTrashInode}) {
      txn->put_raw(keys::inode(lost), std::nullopt);
    }
    txn->put_raw(keys::dentry(kRootInode, "Library"), std::nullopt);
    ASSERT_TRUE(txn->commit());
  }
  Catalog::Options after = on_disk();
  after.salvaged = true;
  const auto salvaged = Catalog::open(path, after);
  ASSERT_TRUE(salvaged) << salvaged.status().message();
  for (const InodeNo fixed : {kRootInode, kLibraryInode, kDatesInode, kTrashInode}) {
    EXPECT_TRUE((*salvaged)->inode(fixed)->has_value()) << fixed.value;
  }
  EXPECT_EQ((*salvaged)->dentry(kRootInode, "Library")->value().inode, kLibraryInode);
  EXPECT_TRUE((*salvaged)->dentry(kLibraryInode, "kept")->has_value());
}

TEST(Catalog, AMissingListOfTablesIsNamedAndCanBeSalvaged) {
  const testing::TempDir dir;
  const std::string path = dir.path("catalog");
  for (int i = 0; i < 3; ++i) {  // each opening turns the log into a table
    auto catalog = Catalog::open(path, on_disk());
    ASSERT_TRUE(catalog) << catalog.status().message();
    const auto txn = (*catalog)->begin();
    add_file(*txn, kLibraryInode, "f" + std::to_string(i));
    ASSERT_TRUE(txn->commit());
  }
  for (const auto& file : std::filesystem::directory_iterator(path)) {
    if (file.path().filename().string().starts_with("MANIFEST-")) std::filesystem::remove(file.path());
  }
  const auto refused = Catalog::open(path, on_disk());
  EXPECT_EQ(refused.code(), Code::kDataLoss) << refused.status().message();
  EXPECT_NE(refused.status().message().find("MANIFEST-"), std::string::npos) << refused.status().message();
  EXPECT_NE(refused.status().message().find("fsck --repair"), std::string::npos)
      << refused.status().message();
  ASSERT_TRUE(Catalog::salvage(path));
  Catalog::Options after = on_disk();
  after.salvaged = true;
  const auto salvaged = Catalog::open(path, after);
  ASSERT_TRUE(salvaged) << salvaged.status().message();
  for (const char* name : {"f0", "f1", "f2"}) {
    EXPECT_TRUE((*salvaged)->dentry(kLibraryInode, name)->has_value()) << name;
  }
}

TEST(Catalog, OneThatIsNotThereIsNotMadeUnlessAsked) {
  const testing::TempDir dir;
  Catalog::Options options = on_disk();
  options.create = false;
  EXPECT_EQ(Catalog::open(dir.path("none"), options).code(), Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(dir.path("none")));
}

TEST(Catalog, ASecondOpeningIsRefusedAsBusy) {
  const testing::TempDir dir;
  const auto first = Catalog::open(dir.path("catalog"), on_disk());
  ASSERT_TRUE(first);
  EXPECT_EQ(Catalog::open(dir.path("catalog"), on_disk()).code(), Code::kBusy);
}

TEST(Catalog, ReadOnlyRefusesCommits) {
  const testing::TempDir dir;
  { ASSERT_TRUE(Catalog::open(dir.path("catalog"), on_disk())); }
  Catalog::Options options = on_disk();
  options.read_only = true;
  const auto catalog = Catalog::open(dir.path("catalog"), options);
  ASSERT_TRUE(catalog) << catalog.status().message();
  EXPECT_TRUE(*(*catalog)->inode(kLibraryInode));
  const auto txn = (*catalog)->begin();
  txn->put_meta("x", "y");
  EXPECT_EQ(txn->commit().code(), Code::kReadOnly);
}

TEST(Catalog, TheReserveForAFullDiskIsThereInFull) {
  const testing::TempDir dir;
  Catalog::Options options;
  options.reserve_bytes = 1 << 20;
  ASSERT_TRUE(Catalog::open(dir.path("catalog"), options));
  struct stat st {};
  ASSERT_EQ(::stat(dir.path("catalog/reserve").c_str(), &st), 0);
  EXPECT_GE(st.st_blocks * 512, 1 << 20);
}

}  // namespace
}  // namespace shoebox
