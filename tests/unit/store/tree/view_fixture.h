// A catalog in a temporary folder with the real views over it, and short ways to say what tests
// of the views do: files with bytes, names by path, and a check of everything that always holds.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fs/views/all_views.h"
#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/settings.h"
#include "store/tree/tree.h"
#include "store/tree/view_engine.h"

namespace shoebox {

class FixedClock final : public Clock {
 public:
  Timestamp time{1700000000, 0};  // 2023-11-14
  [[nodiscard]] Timestamp now() const override { return time; }
  Steady steady_time;
  [[nodiscard]] Steady steady() const override { return steady_time; }
};

inline MediaInfo photo_info(std::optional<LocalDate> date = std::nullopt,
                            std::vector<std::string> people = {}) {
  MediaInfo info;
  info.kind = MediaKind::kPhoto;
  info.date = date;
  info.people = std::move(people);
  return info;
}

inline LocalDate day(int year, int month, int day) {
  return {.year = static_cast<int16_t>(year),
          .month = static_cast<uint8_t>(month),
          .day = static_cast<uint8_t>(day)};
}

class ViewTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/views.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto opened = Catalog::open(folder_ + "/catalog", {});
    ASSERT_TRUE(opened.is_ok()) << opened.status().message();
    catalog_ = std::move(opened).value();
    views_ = make_views(settings_);
    engine_ = std::make_unique<ViewEngine>(views_, clock_);
    rows_ = std::make_unique<ViewRows>(views_, clock_);
  }
  void TearDown() override {
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }

  template <typename F>
  Status change(F&& fn) {
    auto txn = catalog_->begin();
    SHOEBOX_TRY(fn(*txn));
    return txn->commit();
  }

  static std::vector<std::string> parts(std::string_view path) {
    std::vector<std::string> result;
    while (!path.empty()) {
      const size_t slash = path.find('/');
      result.emplace_back(path.substr(0, slash));
      path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return result;
  }
  InodeNo find(std::string_view path) {
    InodeNo at = kRootInode;
    for (const std::string& part : parts(path)) {
      const auto dentry = catalog_->dentry(at, part);
      if (!dentry.is_ok() || !dentry->has_value()) return {};
      at = (*dentry)->inode;
    }
    return at;
  }
  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
  static std::string base(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  std::vector<std::string> ls(std::string_view path) {
    std::vector<std::string> names;
    const InodeNo directory = find(path);
    if (!directory) return {"(absent)"};
    EXPECT_TRUE(catalog_->for_each_entry(directory, "", [&](const DirEntry& entry) {
      names.push_back(entry.name);
      return true;
    }));
    return names;
  }
  InodeRecord inode(InodeNo number) { return catalog_->inode(number)->value_or(InodeRecord{}); }
  InodeRecord inode(std::string_view path) { return inode(find(path)); }
  PhotoId photo_of(std::string_view path) { return inode(path).photo; }
  PhotoRecord photo(PhotoId id) { return catalog_->photo(id)->value_or(PhotoRecord{}); }

  // mkdir -p; in Library and in the views.
  void mkdir(std::string_view path) {
    std::string so_far;
    for (const std::string& part : parts(path)) {
      const InodeNo above = find(so_far);
      so_far += (so_far.empty() ? "" : "/") + part;
      if (find(so_far)) continue;
      const Status made = change([&](Transaction& txn) -> Status {
        if (engine_->view_of(inode(above).view)) return engine_->mkdir(txn, above, part, 0755, {}).status();
        return rows_->add_folder(txn, above, part, ViewId::kLibrary, {}, NameKind::kGiven).status();
      });
      ASSERT_TRUE(made.is_ok()) << made.message();
    }
  }
  // A file with bytes that nobody else has, its folder made if need be.
  InodeNo create(const std::string& path) {
    if (!find(parent(path))) mkdir(parent(path));
    InodeNo number;
    const Status made = change([&](Transaction& txn) -> Status {
      InodeRecord record;
      record.mode = S_IFREG | 0644;
      record.size = 1000;
      record.mtime = clock_.time;
      record.content = txn.new_content_no();
      ContentRecord content;
      content.size = 1000;
      content.references = 1;
      txn.put_content(record.content, content);
      number = txn.new_inode_no();
      txn.put_inode(number, record);
      return engine_->created(txn, find(parent(path)), base(path), number);
    });
    EXPECT_TRUE(made.is_ok()) << path << ": " << made.message();
    return number;
  }
  void decode(PhotoId id, const MediaInfo& info) {
    const Status done = change([&](Transaction& txn) { return engine_->decoded(txn, id, info); });
    ASSERT_TRUE(done.is_ok()) << done.message();
  }
  // A photo at `path` whose bytes say `info`.
  PhotoId add(const std::string& path, const MediaInfo& info) {
    const PhotoId id = inode(create(path)).photo;
    decode(id, info);
    return id;
  }
  // cp of known bytes: a new file that turns out to be a twin of `of`.
  InodeNo add_twin(const std::string& path, PhotoId of) {
    const InodeNo number = create(path);
    const Status done =
        change([&](Transaction& txn) { return engine_->merge(txn, inode(number).photo, of); });
    EXPECT_TRUE(done.is_ok()) << done.message();
    return number;
  }
  Status link(std::string_view from, const std::string& to) {
    return change(
        [&](Transaction& txn) { return engine_->name_added(txn, find(parent(to)), base(to), find(from)); });
  }
  Status remove(const std::string& path) {
    return change(
        [&](Transaction& txn) { return engine_->name_removed(txn, find(parent(path)), base(path)); });
  }
  Status move(const std::string& from, const std::string& to) {
    return change([&](Transaction& txn) {
      return engine_->name_moved(txn, find(parent(from)), base(from), find(parent(to)), base(to));
    });
  }
  Status rename_folder(const std::string& from, const std::string& to) {
    return change([&](Transaction& txn) {
      return engine_->rename_folder(txn, find(parent(from)), base(from), find(parent(to)), base(to));
    });
  }

  // Everything that holds after each change.
  void check() {
    std::vector<std::pair<InodeNo, InodeRecord>> inodes;
    ASSERT_TRUE(catalog_->for_each_inode([&](InodeNo number, const InodeRecord& record) {
      inodes.emplace_back(number, record);
      return true;
    }));
    for (const auto& [number, record] : inodes) {
      if (S_ISDIR(record.mode)) {
        check_directory(number, record);
      } else {
        check_links(number, record);
      }
    }
    std::vector<PhotoId> photos;
    ASSERT_TRUE(catalog_->for_each_photo([&](PhotoId id, const PhotoRecord&) {
      photos.push_back(id);
      return true;
    }));
    for (const PhotoId id : photos) check_photo(id);
  }

  void check_directory(InodeNo number, const InodeRecord& record) {
    uint32_t folders = 0;
    std::vector<DirEntry> entries;
    ASSERT_TRUE(catalog_->for_each_entry(number, "", [&](const DirEntry& entry) {
      entries.push_back(entry);
      return true;
    }));
    for (const DirEntry& entry : entries) {
      const auto target = catalog_->inode(entry.dentry.inode);
      ASSERT_TRUE(target->has_value()) << "dangling: " << entry.name;
      EXPECT_EQ(entry.dentry.type, (*target)->mode & S_IFMT);
      if (S_ISDIR((*target)->mode)) ++folders;
    }
    const View* view = engine_->view_of(record.view);
    if (!view || number == view->root()) return;
    EXPECT_EQ(record.nlink, 2 + folders);
    const auto path = rows_->path_of(*catalog_, number);
    ASSERT_TRUE(path.is_ok()) << path.status().message();
    EXPECT_EQ(catalog_->view_directory(view->id(), ViewRows::joined(*path))->value_or(InodeNo()), number);
    EXPECT_TRUE(view->keeps_empty_folders() || !entries.empty()) << ViewRows::joined(*path) << " is empty";
  }
  void check_links(InodeNo number, const InodeRecord& record) {
    const auto rows = rows_->of_inode(*catalog_, number);
    uint32_t links = 0;
    for (const Row& row : *rows) {
      if (row.view != ViewId::kDates && row.view != ViewId::kTrashAlias) ++links;
    }
    if (links == 0 && !rows->empty()) links = 1;
    EXPECT_EQ(record.nlink, links) << "inode " << number.value;
  }
  // A folder of Dates says what the date is, or only its year.
  static bool agrees(const View& view, const PhotoRecord& record, const ViewPath& path) {
    const std::vector<ViewPath> places = view.places(record);
    if (record.info.kind == MediaKind::kUnknown || places.empty()) return true;
    const ViewPath& place = places.front();
    return path.size() <= place.size() && std::equal(path.begin(), path.end(), place.begin());
  }
  void check_photo(PhotoId id) {
    const auto rows = rows_->of_photo(*catalog_, id);
    const Row* stands_for_it = ViewRows::representative(*rows);
    for (const auto& view : views_) {
      std::set<InodeNo> places;
      if (stands_for_it) {
        for (const ViewPath& place : view->places(photo(id))) {
          const auto folder = rows_->folder(*catalog_, *view, place);
          ASSERT_TRUE(folder->has_value()) << "no folder " << ViewRows::joined(place);
          places.insert(**folder);
        }
      }
      std::map<InodeNo, int> generated, all;
      for (const Row& row : *rows) {
        if (row.view != view->id()) continue;
        ++all[row.directory];
        if (row.kind != NameKind::kGenerated) {
          const auto path = rows_->path_of(*catalog_, row.directory);
          EXPECT_TRUE(view->stating() || agrees(*view, photo(id), *path))
              << row.name << " in " << ViewRows::joined(*path);
          continue;
        }
        EXPECT_EQ(++generated[row.directory], 1) << row.name;
        EXPECT_TRUE(places.contains(row.directory)) << row.name << " is where no view says";
        EXPECT_EQ(row.inode, stands_for_it ? stands_for_it->inode : InodeNo());
      }
      for (const InodeNo place : places) EXPECT_GE(all[place], 1) << "photo " << id.value << " is missing";
    }
  }

  std::string folder_;
  FixedClock clock_;
  Settings settings_;
  std::unique_ptr<Catalog> catalog_;
  std::vector<std::unique_ptr<View>> views_;
  std::unique_ptr<ViewEngine> engine_;
  std::unique_ptr<ViewRows> rows_;
};

using Names = std::vector<std::string>;

}  // namespace shoebox
