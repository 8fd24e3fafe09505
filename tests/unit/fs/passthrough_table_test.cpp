#include "fs/passthrough_table.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

const InodeNo kOpened{1024};

TEST(PassthroughTable, AllHandlesOfAnInodeShareOneFileUntilTheLastIsClosed) {
  PassthroughTable table;
  int given = 6;
  const auto give = [&given] { return ++given; };
  EXPECT_EQ(table.enter(kOpened, give), 7);
  EXPECT_EQ(table.enter(kOpened, give), 7);
  EXPECT_EQ(table.enter(InodeNo(1025), give), 8);
  table.leave(kOpened);
  EXPECT_TRUE(table.take_idle().empty());
  table.leave(kOpened);
  EXPECT_EQ(table.take_idle(), std::vector<int>{7});
  EXPECT_TRUE(table.take_idle().empty());
  EXPECT_EQ(table.enter(kOpened, give), 9);
}

TEST(PassthroughTable, AFileThatCameWhileItIsOpenIsNotPassedThrough) {
  PassthroughTable table;
  EXPECT_EQ(table.enter(kOpened, [] { return 0; }), 0);
  EXPECT_EQ(table.enter(kOpened, [] { return 7; }), 0) << "the kernel would refuse this open";
  table.leave(kOpened);
  table.leave(kOpened);
  EXPECT_TRUE(table.take_idle().empty());
  EXPECT_EQ(table.enter(kOpened, [] { return 7; }), 7);
}

TEST(PassthroughTable, ARefusalOfTheKernelIsNoFile) {
  PassthroughTable table;
  EXPECT_EQ(table.enter(kOpened, [] { return -1; }), 0);
  table.leave(kOpened);
  table.leave(kOpened);  // one too many does nothing
  EXPECT_TRUE(table.take_idle().empty());
}

}  // namespace
}  // namespace shoebox
