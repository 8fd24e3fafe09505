// After any sequence of operations the rows are what the views say, links are right, nothing dangles.

#include <fmt/format.h>

#include <random>

#include "view_fixture.h"

namespace shoebox {
namespace {

class RandomViewTest : public ViewTest {
 protected:
  size_t roll(size_t sides) { return std::uniform_int_distribution<size_t>(0, sides - 1)(random_); }
  std::string pick(std::initializer_list<const char*> of) { return *(of.begin() + roll(of.size())); }
  std::string folder_in_library() { return pick({"Library/x", "Library/y", "Library/2023/07"}); }
  std::string folder_in_view() {
    switch (roll(3)) {
      case 0: return pick({"Albums/A", "Albums/B", "Albums/A/C"});
      case 1: return pick({"People/Anna", "People/Bob", "People/Zoë／Ann"});
      default: return pick({"Dates/2023/07", "Dates/2019/01", "Dates/2023"});
    }
  }
  std::string file() {
    return pick({"a.jpg", "A.JPG", "b.jpg", "c.mov", "a.cr2", "notes.txt", "a.xmp", "a.jpg.xmp"});
  }
  MediaInfo info() {
    MediaInfo info = photo_info();
    if (roll(5) > 0) info.date = day(roll(2) ? 2023 : 2019, roll(2) ? 7 : 1, 2);
    if (roll(2)) info.people.emplace_back("Anna");
    if (roll(3) == 0) info.people.emplace_back("Zoë/Ann");
    if (roll(8) == 0) info.kind = MediaKind::kOther;
    return info;
  }
  // Files that live, with all their names.
  std::vector<Row> all_rows() {
    std::vector<Row> all;
    std::vector<InodeNo> files;
    EXPECT_TRUE(catalog_->for_each_inode([&](InodeNo number, const InodeRecord& record) {
      if (S_ISREG(record.mode)) files.push_back(number);
      return true;
    }));
    for (const InodeNo number : files) {
      const auto rows = rows_->of_inode(*catalog_, number);
      all.insert(all.end(), rows->begin(), rows->end());
    }
    return all;
  }
  // A folder that Dates drops with its last name: made only right before it is used.
  void need(const std::string& folder) {
    if (!find(folder)) mkdir(folder);
  }
  void drop_if_empty(const std::string& folder) {
    for (std::string at = folder; at.starts_with("Dates/") && find(at) && ls(at).empty(); at = parent(at)) {
      ASSERT_TRUE(change([&](Transaction& txn) { return engine_->rmdir(txn, find(parent(at)), base(at)); }));
    }
  }

  void step() {
    const std::vector<Row> rows = all_rows();
    const Row* row = rows.empty() ? nullptr : &rows[roll(rows.size())];
    const std::string folder = folder_in_view();
    switch (roll(12)) {
      case 0:
      case 1: {
        const std::string path = folder_in_library() + "/" + file();
        if (!find(path)) create(path);
        break;
      }
      case 2: {
        const std::string path = folder + "/" + file();
        if (!find(path)) create(path);
        break;
      }
      case 3:
      case 4:
        if (row && inode(row->inode).photo) decode(inode(row->inode).photo, info());
        break;
      case 5: {
        const std::string name = file();
        if (!row || find(folder + "/" + name)) break;
        need(folder);
        const Status done = change(
            [&](Transaction& txn) { return engine_->name_added(txn, find(folder), name, row->inode); });
        EXPECT_TRUE(done.is_ok()) << done.message();
        break;
      }
      case 6:
      case 7: {
        if (!row || !engine_->view_of(row->view) || !engine_->view_of(row->view)->stating()) break;
        const Status done =
            change([&](Transaction& txn) { return engine_->name_removed(txn, row->directory, row->name); });
        EXPECT_TRUE(done.is_ok()) << done.message();
        break;
      }
      case 8: {
        const std::string name = file();
        if (!row || !engine_->view_of(row->view) || find(folder + "/" + name)) break;
        need(folder);
        if (inode(find(folder)).view == row->view) {
          const Status done = change([&](Transaction& txn) {
            return engine_->name_moved(txn, row->directory, row->name, find(folder), name);
          });
          EXPECT_TRUE(done.is_ok()) << done.message();
        }
        drop_if_empty(folder);
        break;
      }
      case 9: {  // twins
        const Row* other = row ? &rows[roll(rows.size())] : nullptr;
        if (!row || !inode(row->inode).photo || !inode(other->inode).photo) break;
        const PhotoId from = inode(row->inode).photo, into = inode(other->inode).photo;
        const Status done = change([&](Transaction& txn) { return engine_->merge(txn, from, into); });
        EXPECT_TRUE(done.is_ok()) << done.message();
        break;
      }
      case 10: {  // the inode goes to Trash
        if (!row) break;
        const InodeNo gone = row->inode;
        const PhotoId id = inode(gone).photo;
        const Status done = change([&](Transaction& txn) -> Status {
          SHOEBOX_TRY(engine_->withdraw_inode(txn, gone));
          SHOEBOX_ASSIGN(const auto left, txn.names_of(gone));
          for (const NameOf& name : left) {
            SHOEBOX_TRY(rows_->erase(txn, name.directory, name.name, Notice::kTell));
            SHOEBOX_TRY(engine_->sidecars_changed(txn, name.directory, name.name));
          }
          SHOEBOX_TRY(rows_->recount(txn, gone));
          return engine_->refresh(txn, id);
        });
        EXPECT_TRUE(done.is_ok()) << done.message();
        break;
      }
      default: {
        const std::string from = pick({"Albums/A", "Albums/B", "Albums/D", "People/Anna", "People/Bob"});
        const std::string to = from.starts_with("Albums")
                                   ? pick({"Albums/B", "Albums/D", "Albums/A/E"})
                                   : pick({"People/Eve", "People/Bob", "People/Bob/x"});
        if (!find(from) || !find(parent(to)) || from == to) break;
        const Status done = rename_folder(from, to);
        EXPECT_TRUE(done.is_ok() || done.code() == Code::kNotEmpty || done.code() == Code::kInvalid)
            << from << " to " << to << ": " << done.message();
        break;
      }
    }
  }

  std::mt19937 random_;
};

TEST_F(RandomViewTest, EveryInvariantHoldsAfterRandomOperations) {
  for (unsigned seed = 1; seed <= 6 && !HasFailure(); ++seed) {
    TearDown();
    SetUp();
    random_.seed(seed);
    for (int count = 0; count < 120 && !HasFailure(); ++count) {
      SCOPED_TRACE(fmt::format("seed {} step {}", seed, count));
      step();
      check();
    }
  }
}

TEST_F(RandomViewTest, RefreshingAgainChangesNothing) {
  random_.seed(99);
  for (int count = 0; count < 200; ++count) step();
  const std::vector<Row> before = all_rows();
  ASSERT_TRUE(change([&](Transaction& txn) -> Status {
    std::vector<PhotoId> photos;
    SHOEBOX_TRY(txn.for_each_photo([&](PhotoId id, const PhotoRecord&) {
      photos.push_back(id);
      return true;
    }));
    for (const PhotoId id : photos) SHOEBOX_TRY(engine_->refresh(txn, id));
    return Status::ok();
  }));
  const std::vector<Row> after = all_rows();
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].name, after[i].name);
    EXPECT_EQ(before[i].directory, after[i].directory);
    EXPECT_EQ(before[i].inode, after[i].inode);
  }
}

}  // namespace
}  // namespace shoebox
