// A Tree over a scratch catalog and the real views, with files written, sealed and decoded the way
// Files and the importer do it, and a check of what always holds about bytes and who holds them.
#pragma once

#include <set>

#include "store/base/file_names.h"
#include "store/tree/content_refs.h"
#include "view_fixture.h"

namespace shoebox {

class TreeTest : public ViewTest {
 protected:
  void SetUp() override {
    ViewTest::SetUp();
    RemoteSettings remote;
    remote.name = "nas";
    settings_.remotes.push_back(remote);
    tree_ = std::make_unique<Tree>(Tree::Dependencies{*catalog_, clock_, settings_, views_});
    tree_->set_open_check([this](InodeNo inode) { return open_.contains(inode); });
    tree_->on_decode_wanted([this](ContentNo content) { decode_wanted_.push_back(content); });
  }
  void TearDown() override {
    tree_.reset();
    ViewTest::TearDown();
  }

  // --- operations by path
  Result<Entry> touch(const std::string& path, uint32_t mode = 0644) {
    if (!find(parent(path))) ViewTest::mkdir(parent(path));
    return tree_->create(find(parent(path)), base(path), S_IFREG | mode, caller_);
  }
  Code mkdir(const std::string& path, uint32_t mode = 0755) {
    const std::string above = path.find('/') == std::string::npos ? "" : parent(path);
    return code(tree_->mkdir(find(above), base(path), mode, caller_).status());
  }
  Code rm(const std::string& path) { return code(tree_->unlink(find(parent(path)), base(path), caller_)); }
  Code rmdir(const std::string& path) {
    const std::string above = path.find('/') == std::string::npos ? "" : parent(path);
    return code(tree_->rmdir(find(above), base(path), caller_));
  }
  Code ln(const std::string& from, const std::string& to) {
    return code(tree_->link(find(from), find(parent(to)), base(to), caller_).status());
  }
  Code mv(const std::string& from, const std::string& to, RenameMode mode = RenameMode::kReplace) {
    return code(tree_->rename(find(parent(from)), base(from), find(parent(to)), base(to), mode, caller_));
  }
  Code code(const Status& status) {
    last_message_ = status.message();
    return status.code();
  }
  static std::string base(const std::string& path) {
    return path.find('/') == std::string::npos ? path : ViewTest::base(path);
  }

  // --- bytes
  static ContentHashes hashes(const std::string& bytes) {
    BlockHasher hasher;
    hasher.update(bytes.data(), bytes.size());
    return hasher.finish();
  }
  // As Files commits a close: new staged bytes for the inode.
  ContentNo commit(InodeNo number, const std::string& bytes, bool junk = false) {
    ContentNo content;
    EXPECT_TRUE(change([&](Transaction& txn) -> Status {
      content = txn.new_content_no();
      ContentRecord record;
      record.size = bytes.size();
      record.references = 1;
      txn.put_content(content, record);
      if (!junk) {
        UploadJob job;
        job.content = content;
        job.remote = "nas";
        txn.put_job(job);
      }
      SHOEBOX_ASSIGN(auto found, txn.inode(number));
      InodeRecord inode = found.value_or(InodeRecord{});
      inode.size = bytes.size();
      inode.mtime = clock_.time;
      return tree_->replace_content(txn, number, inode, content);
    }));
    return content;
  }
  ContentNo seal(ContentNo content, const std::string& bytes) {
    const auto sealed = tree_->content_sealed(content, hashes(bytes));
    EXPECT_TRUE(sealed.is_ok()) << sealed.status().message();
    return sealed.is_ok() ? *sealed : ContentNo{};
  }
  // A closed and sealed file, not decoded.
  InodeNo write(const std::string& path, const std::string& bytes) {
    const auto made = touch(path);
    EXPECT_TRUE(made.is_ok()) << path << ": " << made.status().message();
    if (!made.is_ok()) return {};
    seal(commit(made->number, bytes, is_junk(base(path))), bytes);
    return made->number;
  }
  // A photo or video as the importer leaves it.
  InodeNo photo_file(const std::string& path, const std::string& bytes,
                     const MediaInfo& info = photo_info(day(2023, 7, 14))) {
    const InodeNo number = write(path, bytes);
    EXPECT_TRUE(tree_->photo_decoded(inode(number).content, info));
    return number;
  }
  InodeNo other_file(const std::string& path, const std::string& bytes) {
    MediaInfo info;
    info.kind = MediaKind::kOther;
    return photo_file(path, bytes, info);
  }
  bool content_exists(ContentNo number) { return catalog_->content(number)->has_value(); }
  size_t jobs_of(ContentNo number) { return catalog_->jobs_of_content(number)->size(); }
  TrashRecord trash_record(std::string_view path) {
    return catalog_->trash(find(path))->value_or(TrashRecord{});
  }

  // What must hold after each step besides the rows of the views.
  void check_all() {
    check_references();
    std::vector<std::pair<InodeNo, InodeRecord>> inodes;
    ASSERT_TRUE(catalog_->for_each_inode([&](InodeNo number, const InodeRecord& record) {
      inodes.emplace_back(number, record);
      return true;
    }));
    for (const auto& [number, record] : inodes) {
      if (S_ISDIR(record.mode)) {
        check_directory(number, record);
        continue;
      }
      const bool trashed = catalog_->trash(number)->has_value();
      if (trashed) {
        EXPECT_FALSE(record.photo) << "inode " << number.value << " lies in Trash and is still a photo";
      }
      check_links(number, record);
      if (record.photo) {
        const auto carried = catalog_->photo(record.photo);
        ASSERT_TRUE(carried->has_value()) << "inode " << number.value;
        EXPECT_EQ((*carried)->content, record.content)
            << "inode " << number.value << " is not its photo's bytes";
      }
    }
    ASSERT_TRUE(catalog_->for_each_photo([&](PhotoId id, const PhotoRecord& record) {
      // New bytes leave the rows alone until they are decoded.
      if (record.info.kind != MediaKind::kUnknown) check_photo(id);
      check_home(id, record);
      EXPECT_TRUE(!record.content || content_exists(record.content)) << "photo " << id.value;
      if (record.content) {
        const auto owner = catalog_->photo_of_content(record.content);
        EXPECT_EQ(owner->value_or(PhotoId{}), id) << "two photos have content " << record.content.value;
      }
      return true;
    }));
  }
  // What lives under some name has one in Library.
  void check_home(PhotoId id, const PhotoRecord& record) {
    if (record.info.kind != MediaKind::kPhoto && record.info.kind != MediaKind::kVideo) return;
    const auto rows = rows_->of_photo(*catalog_, id);
    const Row* row = ViewRows::representative(*rows);
    EXPECT_TRUE(!row || row->in_library()) << "photo " << id.value << " lives as " << row->name << " only";
  }
  void check_references() {
    std::map<ContentNo, uint32_t> held;
    ASSERT_TRUE(catalog_->for_each_inode([&](InodeNo, const InodeRecord& record) {
      if (record.content) ++held[record.content];
      return true;
    }));
    std::vector<PhotoId> photos;
    ASSERT_TRUE(catalog_->for_each_photo([&](PhotoId id, const PhotoRecord&) {
      photos.push_back(id);
      return true;
    }));
    for (const PhotoId id : photos) {
      const auto versions = catalog_->versions(id);
      for (const VersionRecord& version : *versions) ++held[version.content];
    }
    ASSERT_TRUE(catalog_->for_each_content([&](ContentNo number, const ContentRecord& record) {
      EXPECT_EQ(record.references, held[number]) << "content " << number.value;
      EXPECT_GT(record.references, 0u) << "content " << number.value << " is held by nobody";
      held.erase(number);
      return true;
    }));
    for (const auto& [number, count] : held)
      if (count > 0) ADD_FAILURE() << "content " << number.value << " is named but not there";
  }

  std::unique_ptr<Tree> tree_;
  Caller caller_{.uid = 1000, .gid = 1000, .pid = 1};
  std::set<InodeNo> open_;
  std::vector<ContentNo> decode_wanted_;
  std::string last_message_;
};

}  // namespace shoebox
