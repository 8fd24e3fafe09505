// The format of backups: round trips, and that no flipped byte passes for the truth.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/base/hash.h"
#include "store/catalog/backup_cut.h"
#include "store/catalog/backup_import.h"
#include "store/catalog/backup_rows.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/catalog.h"
#include "store/catalog/fsck.h"
#include "store/catalog/keys.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

using testing::TempDir;
using Rows = std::vector<std::pair<std::string, std::optional<std::string>>>;

Result<Rows> rows_of(std::string_view file) {
  Rows rows;
  SHOEBOX_TRY(backup::read_segment(file, [&](std::string_view key, std::optional<std::string_view> value) {
    rows.emplace_back(key, value ? std::optional<std::string>(*value) : std::nullopt);
    return Status::ok();
  }));
  return rows;
}

std::string some_segment() {
  backup::SegmentWriter writer;
  writer.put("ia", "one");
  writer.erase("ib");
  writer.put("ic", "");
  auto file = writer.finish();
  EXPECT_TRUE(file) << file.status().message();
  return *file;
}

backup::Head some_head() {
  backup::Head head;
  head.schema = 2;
  head.library = "0123456789abcdef0123456789abcdef";
  head.remote = "the nas";
  head.counter = 7;
  head.time_s = 1'700'000'000;
  head.sequence = 99;
  head.snapshot = 90;
  head.originals = 12;
  head.pending = 3;
  head.segments.push_back({backup::SegmentKind::kSnapshot, sha256("a"), 100, 4, 0, 0, 0});
  head.segments.push_back({backup::SegmentKind::kJournal, sha256("b"), 10, 2, 90, 99, 1});
  head.segments.push_back({backup::SegmentKind::kThumbnails, sha256("c"), 1000, 2, 0, 17, 0});
  return head;
}

TEST(BackupSegment, RowsComeBackInOrder) {
  const auto rows = rows_of(some_segment());
  ASSERT_TRUE(rows) << rows.status().message();
  EXPECT_EQ(*rows, (Rows{{"ia", "one"}, {"ib", std::nullopt}, {"ic", ""}}));
}

TEST(BackupSegment, EveryFlippedByteAndEveryCutIsFound) {
  const std::string good = some_segment();
  for (size_t at = 0; at < good.size(); ++at) {
    for (const int bit : {1, 0x80}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ bit);
      EXPECT_EQ(rows_of(bad).code(), Code::kDataLoss) << at;
    }
    EXPECT_EQ(rows_of(good.substr(0, at)).code(), Code::kDataLoss) << at;
  }
  EXPECT_EQ(rows_of(good + "x").code(), Code::kDataLoss);
}

TEST(BackupHead, ReadsBackAsWritten) {
  const backup::Head head = some_head();
  const auto read = backup::parse_head(encode(head));
  ASSERT_TRUE(read) << read.status().message();
  EXPECT_EQ(encode(*read), encode(head));
  EXPECT_EQ(read->segments, head.segments);
  EXPECT_EQ(read->remote, "the nas");
  EXPECT_EQ(read->originals, 12U);
  EXPECT_EQ(read->pending, 3U);
}

TEST(BackupHead, EveryFlippedByteAndEveryCutIsFound) {
  const std::string good = encode(some_head());
  for (size_t at = 0; at < good.size(); ++at) {
    for (const int bit : {1, 0x80}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ bit);
      EXPECT_EQ(backup::parse_head(bad).code(), Code::kDataLoss) << at;
    }
    EXPECT_FALSE(backup::parse_head(good.substr(0, at))) << at;
  }
}

TEST(BackupHead, ANewerFormatIsToldFromDamage) {
  std::string text = encode(some_head());
  text.resize(text.rfind("sha256 "));
  text.replace(0, std::string_view("shoebox-backup 1").size(), "shoebox-backup 2");
  text += "sha256 " + sha256(text).hex() + "\n";
  EXPECT_EQ(backup::parse_head(text).code(), Code::kIncompatible);
}

class BackupCatalog : public ::testing::Test {
 protected:
  void SetUp() override { catalog_ = std::move(*Catalog::open("backup", Catalog::Options::scratch())); }

  InodeNo add(const std::string& name, Catalog& catalog) {
    const auto txn = catalog.begin();
    const ContentNo content = txn->new_content_no();
    ContentRecord record;
    record.state = ContentState::kSealed;
    record.size = name.size();
    record.references = 1;
    record.sha256 = sha256(name);
    txn->put_content(content, record);
    txn->put_block_hashes(content, {sha256(name)});
    txn->put_copy(content, "nas", {"Library/" + name, "etag", name.size(), 1});
    txn->put_job({content, "other", 0, 0, "", ""});
    const PhotoId photo = txn->new_photo_id();
    PhotoRecord what;
    what.content = content;
    what.statements[{ViewId::kAlbums, "Trip"}] = Statement::kAsserted;
    txn->put_photo(photo, what);
    const InodeNo number = txn->new_inode_no();
    InodeRecord inode;
    inode.mode = S_IFREG | 0640;
    inode.nlink = 1;
    inode.size = name.size();
    inode.content = content;
    inode.photo = photo;
    txn->put_inode(number, inode);
    txn->put_xattr(number, "user.note", "of " + name);
    EXPECT_TRUE(txn->put_dentry(kLibraryInode, name, {number, S_IFREG, NameKind::kGiven}));
    EXPECT_TRUE(txn->commit());
    return number;
  }

  // Everything a rebuilt catalog must have: all rows but what belongs to this machine.
  static Rows rows(const Catalog& catalog) {
    Rows all;
    EXPECT_TRUE(catalog.scan("", "", [&](std::string_view key, std::string_view value) {
      const char table = key.front();
      // Of one machine: its queues, and what is being tidied on its remotes.
      const bool loose = table == keys::kFoldedKey && value == keys::number_value(0);
      const bool local = loose || std::string_view("jJLwkKgS").find(table) != std::string_view::npos ||
                         (table == keys::kMeta && !backup::is_backed_up(key));
      if (!local) all.emplace_back(key, backup::portable(key, value));
      return true;
    }));
    return all;
  }

  std::unique_ptr<Catalog> rebuild(const std::vector<std::string>& files, uint64_t sequence) {
    auto import = CatalogImport::create(dir_.path() + "/catalog");
    EXPECT_TRUE(import) << import.status().message();
    for (const std::string& file : files) EXPECT_TRUE((*import)->add(file));
    EXPECT_TRUE((*import)->finish(sequence));
    auto catalog = Catalog::open(dir_.path() + "/catalog", {.create = false, .reserve_bytes = 0});
    EXPECT_TRUE(catalog) << catalog.status().message();
    return std::move(*catalog);
  }

  TempDir dir_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(BackupCatalog, SnapshotAndJournalMakeTheSameCatalogAgain) {
  std::vector<std::string> files;
  const auto keep = [&](const backup::Segment& segment, const std::string& file) {
    EXPECT_EQ(segment.sha256, sha256(file));
    files.push_back(file);
    return Status::ok();
  };
  std::vector<InodeNo> inodes;
  for (int i = 0; i < 300; ++i) inodes.push_back(add("IMG_" + std::to_string(i) + ".jpg", *catalog_));
  const backup::CutSizes small{.least_bytes = 2000, .most_bytes = 8000, .rows_per_cut = 16};
  auto moment = catalog_->moment();
  ASSERT_TRUE(backup::cut_snapshot(**moment, small, keep));
  EXPECT_GT(files.size(), 10U);
  const uint64_t sequence = (*moment)->sequence();

  for (int i = 0; i < 10; ++i) add("later_" + std::to_string(i) + ".jpg", *catalog_);
  {
    const auto txn = catalog_->begin();
    ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "IMG_7.jpg"));
    ASSERT_TRUE(txn->erase_inode(inodes[7]));
    txn->put_inode(inodes[8], **txn->inode(inodes[8]));
    const ContentNo gone = *txn->content_by_hash(sha256("IMG_7.jpg")).value();
    ASSERT_TRUE(txn->erase_photo(*txn->photo_of_content(gone).value()));
    ASSERT_TRUE(txn->erase_content(gone));
    ASSERT_TRUE(txn->commit());
  }
  moment = catalog_->moment();
  ASSERT_TRUE(backup::cut_changes(**moment, sequence, 0, small, keep));

  const auto again = rebuild(files, (*moment)->sequence());
  EXPECT_EQ(rows(*again), rows(*catalog_));
  EXPECT_EQ(again->last_change(), catalog_->last_change());
  const auto report = check_catalog(*again, {});
  ASSERT_TRUE(report);
  for (const FsckProblem& problem : report->problems) ADD_FAILURE() << problem.what;
  // Numbers are never given twice.
  const auto txn = again->begin();
  EXPECT_GT(txn->new_inode_no().value, inodes.back().value);
}

TEST_F(BackupCatalog, ADamagedSegmentChangesNothing) {
  add("a.jpg", *catalog_);
  std::string file;
  const auto moment = catalog_->moment();
  ASSERT_TRUE(backup::cut_snapshot(**moment, {}, [&](const backup::Segment&, const std::string& made) {
    file = made;
    return Status::ok();
  }));
  file[file.size() / 2] = static_cast<char>(file[file.size() / 2] ^ 1);
  auto import = CatalogImport::create(dir_.path() + "/catalog");
  ASSERT_TRUE(import);
  EXPECT_EQ((*import)->add(file).code(), Code::kDataLoss);
  EXPECT_EQ((*import)->rows(), 0U);
}

TEST_F(BackupCatalog, ALittleChangeRepeatsMostSegmentsOfASnapshot) {
  std::set<ContentHash> first;
  std::set<ContentHash> second;
  const backup::CutSizes small{.least_bytes = 2000, .most_bytes = 100'000, .rows_per_cut = 16};
  for (int i = 0; i < 1000; ++i) add("IMG_" + std::to_string(i) + ".jpg", *catalog_);
  const auto into = [](std::set<ContentHash>& set) {
    return [&set](const backup::Segment& segment, const std::string&) {
      set.insert(segment.sha256);
      return Status::ok();
    };
  };
  ASSERT_TRUE(backup::cut_snapshot(**catalog_->moment(), small, into(first)));
  add("AAA.jpg", *catalog_);
  ASSERT_TRUE(backup::cut_snapshot(**catalog_->moment(), small, into(second)));
  size_t repeated = 0;
  for (const ContentHash& hash : second) repeated += first.count(hash);
  EXPECT_GT(first.size(), 40U);
  EXPECT_GE(repeated + 14, second.size());  // each of the tables changed in one place
}

TEST_F(BackupCatalog, WhatStandsOnThisDiskOnlyIsNoChange) {
  add("a.jpg", *catalog_);
  const uint64_t before = catalog_->last_change();
  {
    const auto txn = catalog_->begin();
    const ContentNo number = *txn->content_by_hash(sha256("a.jpg")).value();
    ContentRecord content = **txn->content(number);
    content.residence = Residence::kPartial;
    content.last_access_s = 77;
    txn->put_content(number, content);
    txn->put_job({number, "third", 3, 4, "refused", "part 1"});
    txn->put_meta("outbox.paused", "1");
    ASSERT_TRUE(txn->commit());
  }
  EXPECT_EQ(catalog_->last_change(), before);
  {
    const auto txn = catalog_->begin();
    const ContentNo number = *txn->content_by_hash(sha256("a.jpg")).value();
    ContentRecord content = **txn->content(number);
    content.pinned = true;
    txn->put_content(number, content);
    ASSERT_TRUE(txn->commit());
  }
  EXPECT_EQ(catalog_->last_change(), before + 1);
}

TEST_F(BackupCatalog, TheListOfChangesEndsWhereItWasForgotten) {
  add("a.jpg", *catalog_);
  const uint64_t first = catalog_->last_change();
  add("b.jpg", *catalog_);
  add("c.jpg", *catalog_);
  auto moment = catalog_->moment();
  const auto all = (*moment)->changed_keys(first - 1);
  ASSERT_TRUE(all) << all.status().message();
  ASSERT_TRUE(catalog_->forget_changes(first + 1));
  moment = catalog_->moment();
  EXPECT_EQ((*moment)->changed_keys(first).code(), Code::kNotFound);
  const auto rest = (*moment)->changed_keys(first + 1);
  ASSERT_TRUE(rest) << rest.status().message();
  EXPECT_LT(rest->size(), all->size());
  ASSERT_TRUE(catalog_->forget_changes(1000));
  add("d.jpg", *catalog_);
  EXPECT_EQ(catalog_->last_change(), first + 3) << "the numbers go on";
}

TEST(Backup, ACatalogOfSchemaOneIsTakenAlong) {
  const TempDir dir;
  const std::string path = dir.path() + "/catalog";
  {
    auto catalog = Catalog::open(path, {.reserve_bytes = 0});
    ASSERT_TRUE(catalog);
    const auto txn = (*catalog)->begin();
    txn->put_copy(ContentNo(7), "nas", {"Library/IMG.jpg", "e", 1, 1});
    txn->put_raw(keys::folded_key("nas", "Library/IMG.jpg"), std::nullopt);
    txn->put_meta(keys::kMetaSchema, keys::number_value(1));
    ASSERT_TRUE(txn->commit());
  }
  auto catalog = Catalog::open(path, {.reserve_bytes = 0});
  ASSERT_TRUE(catalog) << catalog.status().message();
  EXPECT_EQ((*catalog)->meta(keys::kMetaSchema).value(), keys::number_value(keys::kSchema));
  const auto spelled = (*catalog)->spellings_of_remote_key("nas", "Library/img.jpg");
  ASSERT_TRUE(spelled && spelled->size() == 1);
  EXPECT_EQ(spelled->front(), (std::pair<ContentNo, std::string>{ContentNo(7), "Library/IMG.jpg"}));
}

}  // namespace
}  // namespace shoebox
