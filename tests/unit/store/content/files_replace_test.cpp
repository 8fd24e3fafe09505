// Bytes that come back to a file whose last close is still being worked on.
#include <algorithm>

#include "store/tree/content_refs.h"
#include "tests/unit/store/content/files_fixture.h"

namespace shoebox {
namespace {

using testing::FilesFixture;

class FilesReplaceTest : public FilesFixture {
 protected:
  // As bringing back a version does.
  Status give(InodeNo inode, ContentNo content) {
    auto transaction = catalog->begin();
    SHOEBOX_TRY(retain_content(*transaction, content));
    InodeRecord changed = transaction->inode(inode)->value();
    changed.size = transaction->content(content)->value().size;
    SHOEBOX_TRY(tree->replace_content(*transaction, inode, changed, content));
    return transaction->commit();
  }
  // Written and closed; its sealing waits, because the name is no photo's.
  InodeNo just_closed(const std::string& name, std::string_view bytes) {
    const InodeNo inode = create(name);
    Handle handle = open(inode, for_writing());
    write_all(handle, bytes);
    close(handle);
    return inode;
  }
};

TEST_F(FilesReplaceTest, WhoeverOpensItNextReadsTheOtherBytes) {
  const ContentNo other = content_of(make("older.jpg", "the older bytes"));
  const InodeNo inode = just_closed("a.bin", "bytes of the last close");
  ASSERT_TRUE(files->replace(inode, [&] { return give(inode, other); }));
  EXPECT_EQ(read_all(inode), "the older bytes");
  files->drain();
  EXPECT_EQ(read_all(inode), "the older bytes");
  EXPECT_EQ(content_of(inode), other);
}

TEST_F(FilesReplaceTest, ATimeThatIsSetNextDoesNotBringTheFormerBytesBack) {
  const ContentNo other = content_of(make("older.jpg", "the older bytes"));
  const InodeNo inode = just_closed("a.bin", "bytes of the last close");
  ASSERT_TRUE(files->replace(inode, [&] { return give(inode, other); }));
  files->mtime_set(inode, {1'000, 0});
  files->drain();
  EXPECT_EQ(content_of(inode), other);
  EXPECT_EQ(read_all(inode), "the older bytes");
}

TEST_F(FilesReplaceTest, TheKernelIsToldOnlyWhenTheFormerBytesCannotBeReadAnyMore) {
  const ContentNo other = content_of(make("older.jpg", "the older bytes"));
  const InodeNo inode = just_closed("a.bin", "bytes of the last close");
  std::string read_when_told;
  catalog->add_observer([&](const Change& change) {
    if (std::find(change.data.begin(), change.data.end(), inode) != change.data.end()) {
      read_when_told = read_all(inode);
    }
  });
  ASSERT_TRUE(files->replace(inode, [&] { return give(inode, other); }));
  EXPECT_EQ(read_when_told, "the older bytes");
}

TEST_F(FilesReplaceTest, AFileThatIsOpenKeepsItsBytes) {
  const ContentNo other = content_of(make("older.jpg", "the older bytes"));
  const InodeNo inode = make("a.jpg", "bytes of an open file");
  Handle reader = open(inode);
  bool changed = false;
  const Status done = files->replace(inode, [&] {
    changed = true;
    return give(inode, other);
  });
  EXPECT_EQ(done.code(), Code::kBusy);
  EXPECT_FALSE(changed);
  EXPECT_EQ(*read(reader, 0, 100), "bytes of an open file");
  files->release(reader);
}

TEST_F(FilesReplaceTest, AChangeThatFailsLeavesTheFileAsItWas) {
  const InodeNo inode = just_closed("a.bin", "bytes of the last close");
  const Status done = files->replace(inode, [] { return Status(Code::kNotFound, "no such version"); });
  EXPECT_EQ(done.code(), Code::kNotFound);
  EXPECT_EQ(read_all(inode), "bytes of the last close");
}

}  // namespace
}  // namespace shoebox
