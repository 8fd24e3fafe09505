#include "fs/handles.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace shoebox {
namespace {

TEST(HandleTable, FindsWhatWasAddedUntilItIsRemoved) {
  HandleTable<int> table;
  const uint64_t number = table.add(std::make_shared<int>(7));
  ASSERT_NE(table.find(number), nullptr);
  EXPECT_EQ(*table.find(number), 7);
  EXPECT_EQ(*table.remove(number), 7);
  EXPECT_EQ(table.find(number), nullptr);
  EXPECT_EQ(table.remove(number), nullptr);
}

TEST(HandleTable, NumbersOfClosedHandlesAreNotGivenAgain) {
  HandleTable<int> table;
  std::set<uint64_t> seen;
  for (int i = 0; i < 100; ++i) {
    const uint64_t number = table.add(std::make_shared<int>(i));
    EXPECT_TRUE(seen.insert(number).second);
    EXPECT_NE(number, 0U);
    table.remove(number);
  }
}

TEST(HandleTable, WhoUsesAHandleKeepsItWhileOthersCloseIt) {
  HandleTable<int> table;
  const uint64_t number = table.add(std::make_shared<int>(7));
  const std::shared_ptr<int> used = table.find(number);
  table.clear();
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(*used, 7);
}

TEST(HandleTable, FindsByWhatAHandleIs) {
  HandleTable<int> table;
  for (int i = 0; i < 50; ++i) table.add(std::make_shared<int>(i));
  EXPECT_EQ(*table.find_if([](int value) { return value == 33; }), 33);
  EXPECT_EQ(table.find_if([](int value) { return value > 50; }), nullptr);
}

TEST(HandleTable, ThreadsDoNotDisturbEachOther) {
  HandleTable<int> table;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&table, t] {
      for (int i = 0; i < 1000; ++i) {
        const uint64_t number = table.add(std::make_shared<int>(t * 1000 + i));
        ASSERT_EQ(*table.find(number), t * 1000 + i);
        ASSERT_EQ(*table.remove(number), t * 1000 + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(table.size(), 0U);
}

}  // namespace
}  // namespace shoebox
