// A small library with sealed contents, for the tests of the outbox and of sync/: the catalog in
// memory, the bytes in a folder that goes with the test, a clock that the test turns.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <future>

#include "store/catalog/catalog.h"
#include "store/content/content_source.h"
#include "store/content/content_store.h"
#include "store/outbox.h"
#include "store/settings.h"
#include "store/tree/tree.h"
#include "tests/unit/temp_dir.h"

namespace shoebox::testing {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {now_s_.load(), 0}; }
  [[nodiscard]] Steady steady() const override { return Steady(std::chrono::seconds(now_s_.load())); }
  void advance(int64_t s) { now_s_ += s; }

 private:
  std::atomic<int64_t> now_s_{1'700'000'000};
};

class SyncFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    auto catalog = Catalog::open("sync", Catalog::Options::scratch());
    ASSERT_TRUE(catalog) << catalog.status().message();
    catalog_ = std::move(*catalog);
    auto contents = ContentStore::open(dir_.path(), *catalog_);
    ASSERT_TRUE(contents) << contents.status().message();
    contents_ = std::move(*contents);
    tree_ = std::make_unique<Tree>(Tree::Dependencies{*catalog_, clock_, settings_, views_});
    outbox_ = std::make_unique<Outbox>(*catalog_, *contents_, *tree_, clock_);
  }

  // A sealed file Library/`name` whose last change is a minute ago, with jobs for `remotes`.
  ContentNo add(const std::string& name, const std::string& bytes, const std::vector<std::string>& remotes,
                MediaKind kind = MediaKind::kOther) {
    const auto txn = catalog_->begin();
    const ContentNo number = txn->new_content_no();
    {
      auto fd = contents_->create_staging(number);
      EXPECT_TRUE(fd) << fd.status().message();
      EXPECT_TRUE(pwrite_full(fd->get(), bytes.data(), bytes.size(), 0));
    }
    BlockHasher hasher;
    hasher.update(bytes.data(), bytes.size());
    const ContentHashes hashes = hasher.finish();
    ContentRecord record;
    record.state = ContentState::kSealed;
    record.size = bytes.size();
    record.sha256 = hashes.whole;
    record.references = 1;
    record.changed_s = clock_.now().seconds - 60;
    txn->put_content(number, record);
    txn->put_block_hashes(number, hashes.blocks);
    InodeRecord inode;
    inode.mode = S_IFREG | 0644;
    inode.nlink = 1;
    inode.size = bytes.size();
    inode.content = number;
    PhotoRecord photo;
    photo.content = number;
    photo.info.kind = kind;
    inode.photo = txn->new_photo_id();
    txn->put_photo(inode.photo, photo);
    const InodeNo file = txn->new_inode_no();
    txn->put_inode(file, inode);
    EXPECT_TRUE(txn->put_dentry(kLibraryInode, name, {file, S_IFREG, NameKind::kGiven}));
    for (const std::string& remote : remotes) txn->put_job({number, remote, 0, 0, "", ""});
    EXPECT_TRUE(txn->commit());
    EXPECT_TRUE(contents_->seal(number));
    return number;
  }

  void rename(const std::string& from, const std::string& to) {
    const auto txn = catalog_->begin();
    const auto dentry = txn->dentry(kLibraryInode, from);
    ASSERT_TRUE(dentry && *dentry);
    ASSERT_TRUE(txn->erase_dentry(kLibraryInode, from));
    ASSERT_TRUE(txn->put_dentry(kLibraryInode, to, **dentry));
    ASSERT_TRUE(txn->commit());
  }

  std::vector<ReadyUpload> ready(const std::string& remote, int64_t quiet_s = 5, int64_t* due_s = nullptr) {
    auto found = outbox_->ready(remote, quiet_s, 100, nullptr, due_s);
    EXPECT_TRUE(found) << found.status().message();
    return found ? *found : std::vector<ReadyUpload>();
  }
  uint64_t pending(const std::string& remote) { return outbox_->totals(remote)->pending_files; }

  // Fetches as who needs the object does.
  Status fetch(ContentSource& source, ContentNo content, ByteRange range, const CancelToken& cancel = {}) {
    SHOEBOX_TRY(fetch_and_wait(source, content, range, cancel));
    return contents_->settle_fetched(content);
  }
  std::string local_bytes(ContentNo content) {
    auto fd = contents_->open_local(content);
    if (!fd) return fd.status().message();
    const uint64_t size = (*catalog_->content(content))->size;
    std::string bytes(size, '\0');
    EXPECT_TRUE(pread_full(fd->get(), bytes.data(), size, 0));
    return bytes;
  }

  TempDir dir_;
  FakeClock clock_;
  Settings settings_;
  std::vector<std::unique_ptr<View>> views_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<ContentStore> contents_;
  std::unique_ptr<Tree> tree_;
  std::unique_ptr<Outbox> outbox_;
};

inline constexpr uint64_t kMiB = 1 << 20;

// Bytes that differ in every block.
inline std::string some_bytes(size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  uint32_t state = seed;
  for (char& c : bytes) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace shoebox::testing
