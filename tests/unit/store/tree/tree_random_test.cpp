// Random operations all over the tree. Each may fail as it likes; after each, what always holds must
// hold, no bytes of a photo may be gone but by a removal from Trash, and all must end when all is removed.

#include <random>

#include "tree_fixture.h"

namespace shoebox {
namespace {

class RandomTreeTest : public TreeTest, public testing::WithParamInterface<unsigned> {
 protected:
  void SetUp() override {
    TreeTest::SetUp();
    settings_.trash_breaker_percent = 0;
    for (const char* folder : {"Library/d", "Library/d/e", "Albums/X", "Albums/X/Y", "People/Anna"})
      ViewTest::mkdir(folder);
    mkdir(".Trash-1000");
    mkdir(".Trash-1000/files");
  }
  template <typename T>
  const T& one_of(const std::vector<T>& choices) {
    return choices[random_() % choices.size()];
  }
  // Every folder, and every file, that there is.
  void walk(const std::string& at, std::vector<std::string>& folders, std::vector<std::string>& files) {
    for (const std::string& name : ls(at)) {
      const std::string path = at.empty() ? name : at + "/" + name;
      if (!S_ISDIR(inode(path).mode)) {
        files.push_back(path);
        continue;
      }
      folders.push_back(path);
      walk(path, folders, files);
    }
  }
  std::string step() {
    std::vector<std::string> folders, files;
    walk("", folders, files);
    const std::vector<std::string> names{"a.jpg",         "b.jpg",  "c.mp4", "a.jpg.xmp",      "n.txt",
                                         ".t.jpg.a8Xk2Q", "p.part", "f",     "a.jpg_original", "a.jpg~"};
    const std::vector<std::string> bytes{"one", "two", "three", "four"};
    const std::string place = one_of(folders) + "/" + one_of(names);
    const std::string file = files.empty() ? "Library/none" : one_of(files);
    clock_.time.seconds += static_cast<int64_t>(random_() % 900);
    const auto told = [&](std::string what, Code result) {
      return what + " -> " + std::string(code_name(result));
    };
    switch (random_() % 14) {
      case 0:
      case 1:
      case 2: {
        const auto made = touch(place);
        if (!made.is_ok()) return told("create " + place, made.status().code());
        if (random_() % 8 == 0) return "create empty " + place;
        const std::string content = one_of(bytes);
        const ContentNo sealed = seal(commit(made->number, content, is_junk(base(place))), content);
        const bool decoded = random_() % 4 != 0;
        if (decoded) decode_as_named(sealed, place);
        return "create " + place + " with " + content + (decoded ? " decoded" : "");
      }
      case 3: {
        const InodeNo number = find(file);
        // Nobody writes into the link that stands in Trash for a folder.
        if (!number || inode(number).nlink == 0 || !S_ISREG(inode(number).mode) || is_junk(base(file)))
          return "nothing";
        const std::string content = one_of(bytes);
        seal(commit(number, content), content);
        return "write " + file + " with " + content;
      }
      case 4:
        for (ContentNo content : decode_wanted_)
          if (content_exists(content)) decode_as_named(content, "x.jpg");
        decode_wanted_.clear();
        return "decode";
      case 5: {
        // Opened, so that what is unlinked stays a while.
        if (open_.size() < 3) {
          open_.insert(find(file));
          return "open " + file;
        }
        const InodeNo closed = *open_.begin();
        open_.erase(closed);
        EXPECT_TRUE(tree_->drop_unlinked(closed));
        return "close";
      }
      case 6:
      case 7: return told("rm " + file, rm(file));
      case 8: return told("ln " + file + " " + place, ln(file, place));
      case 9:
      case 10: return told("mv " + file + " " + place, mv(file, place));
      case 11: {
        const std::string from = one_of(folders);
        if (from.find('/') == std::string::npos) return "nothing";
        return told("mv " + from + " " + place, mv(from, place));
      }
      case 12: {
        const auto list = tree_->trash_list();
        if (list->empty()) return told("mkdir " + place, mkdir(place));
        const InodeNo entry = (*list)[random_() % list->size()].inode;
        return told("restore", tree_->trash_restore(entry, caller_).code());
      }
      default: {
        const std::string folder = one_of(folders);
        if (folder.find('/') == std::string::npos) return "nothing";
        return told("rmdir " + folder, rmdir(folder));
      }
    }
  }
  void decode_as_named(ContentNo content, const std::string& path) {
    MediaInfo info = photo_info(day(2020 + static_cast<int>(content.value % 3), 7, 14));
    if (content.value % 2 == 0) info.people = {"Anna"};
    if (!is_media_name(path)) info.kind = MediaKind::kOther;
    ASSERT_TRUE(tree_->photo_decoded(content, info));
  }

  std::mt19937 random_{GetParam()};
};

TEST_P(RandomTreeTest, WhatAlwaysHoldsHolds) {
  std::vector<std::string> log;
  for (int i = 0; i < 150; ++i) {
    log.push_back(step());
    check_all();
    if (HasFailure()) {
      for (const std::string& line : log) std::printf("%s\n", line.c_str());
      FAIL() << "after step " << i;
    }
  }
  open_.clear();
  ASSERT_TRUE(tree_->forget_orphans());
  for (int round = 0; round < 4; ++round) {
    std::vector<std::string> folders, files;
    walk("", folders, files);
    for (const std::string& file : files) {
      rm(file);
      check_all();
      if (HasFailure()) FAIL() << "after rm " << file;
    }
    ASSERT_TRUE(tree_->trash_empty(0).is_ok());
  }
  check_all();
  uint64_t contents = 0;
  ASSERT_TRUE(catalog_->for_each_content([&](ContentNo, const ContentRecord&) { return ++contents > 0; }));
  EXPECT_EQ(contents, 0u) << "bytes that nobody can reach";
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTreeTest, testing::Range(1u, 9u));

}  // namespace
}  // namespace shoebox
