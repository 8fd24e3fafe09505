// No last copy is ever dropped: random operations on a few files, checked against a model that is a
// map from name to bytes, with kill -9 at any time. Whatever happens, each file reads as the model
// says, from this disk or from what the remote was confirmed to hold.
#include "tests/unit/store/content/files_fixture.h"

namespace shoebox {
namespace {

using testing::FilesFixture;
using testing::random_bytes;

class PromiseTwoTest : public FilesFixture, public ::testing::WithParamInterface<uint64_t> {
 protected:
  // Bytes of every content are here whole, or confirmed on the remote.
  void expect_no_last_copy_lost() {
    std::vector<ContentNo> all;
    ASSERT_TRUE(catalog->for_each_content([&](ContentNo content, const ContentRecord& found) {
      if (found.residence == Residence::kPartial) all.push_back(content);
      return true;
    }));
    evicted_seen_ += all.size();
    for (const ContentNo content : all) {
      ASSERT_FALSE(catalog->copies(content)->empty()) << content.value;
      ASSERT_TRUE(catalog->jobs_of_content(content)->empty()) << content.value;
      ASSERT_TRUE(remote.contains(content)) << content.value;
    }
  }
  size_t evicted_seen_ = 0;
};

TEST_P(PromiseTwoTest, RandomOperationsLoseNothing) {
  std::mt19937_64 random(GetParam());
  std::map<std::string, std::string> model;
  const auto pick = [&]() -> std::string {
    auto chosen = model.begin();
    std::advance(chosen, static_cast<int64_t>(random() % model.size()));
    return chosen->first;
  };
  const auto change = [&](const std::string& name) {
    std::string& bytes = model[name];
    Handle handle = open(inode_of(name), for_writing());
    ASSERT_TRUE(handle);
    const std::string piece = random_bytes(random() % 100'000 + 1, random());
    const uint64_t offset = bytes.empty() ? 0 : random() % bytes.size();
    write(handle, offset, piece);
    if (bytes.size() < offset + piece.size()) bytes.resize(offset + piece.size());
    bytes.replace(offset, piece.size(), piece);
    close(handle);
  };
  for (int step = 0; step < 70; ++step) {
    clock.advance(static_cast<int64_t>(random() % 50));
    const uint64_t what = random() % 12;
    if (model.empty() || what == 0) {
      const std::string name = "p" + std::to_string(random() % 6) + ".jpg";
      if (model.contains(name)) continue;
      model[name] = random_bytes(random() % 900'000 + 1, random());
      const InodeNo inode = create(name);
      Handle handle = open(inode, for_writing());
      write_all(handle, model[name]);
      close(handle);
    } else if (what <= 2) {
      change(pick());
    } else if (what == 3) {
      const std::string name = pick();
      const uint64_t size = random() % (model[name].size() + 1000);
      ASSERT_TRUE(files->truncate(inode_of(name), size));
      model[name].resize(size);
    } else if (what == 4) {
      const std::string name = pick();
      ASSERT_TRUE(tree->unlink(kLibraryInode, name, {}));
      model.erase(name);
    } else if (what <= 6) {
      files->drain();
      const ContentNo content = content_of(inode_of(pick()));
      if (!content || record(content).state != ContentState::kSealed) continue;
      mark_decoded(content);
      if (record(content).residence == Residence::kLocal && catalog->copies(content)->empty())
        confirm(content);
    } else if (what == 7) {
      evictor->evict_all(0, nullptr);
    } else if (what == 8) {
      evictor->make_room(random() % 1'000'000);
    } else if (what == 9) {
      const ContentNo content = content_of(inode_of(pick()));
      if (content) (void)evictor->evict(content);
    } else if (what == 10) {
      restart();
    } else {
      const std::string name = pick();
      ASSERT_EQ(read_all(inode_of(name)), model[name]) << name << " after step " << step;
    }
    expect_no_last_copy_lost();
    if (HasFatalFailure()) return;
  }
  restart();
  files->drain();
  for (const auto& [name, bytes] : model) EXPECT_EQ(read_all(inode_of(name)), bytes) << name;
  EXPECT_GT(evicted_seen_, 0U) << "this seed tests nothing";
  EXPECT_EQ(files_in(library() + "/recovered"), 0U) << "nothing acknowledged was without a record";
}

INSTANTIATE_TEST_SUITE_P(Seeds, PromiseTwoTest, ::testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace shoebox
