// The contract of remote.h that every kind of remote keeps: listings.
#include <algorithm>
#include <atomic>
#include <thread>

#include "contract.h"
#include "store/base/mutex.h"

namespace shoebox {
namespace {

using Listing = ContractTest;

TEST_F(Listing, GivesTheKeysBelowAPrefixInOrder) {
  for (const char* name : {"b", "a/2", "a/1", "a.txt", "a/sub/x", "c/d", "ab"}) ASSERT_TRUE(put(name, name));
  const std::vector<std::string> all = {key("a.txt"), key("a/1"), key("a/2"), key("a/sub/x"),
                                        key("ab"),    key("b"),   key("c/d")};
  EXPECT_EQ(list(folder_), all);
  EXPECT_EQ(list(key("a/")), (std::vector<std::string>{key("a/1"), key("a/2"), key("a/sub/x")}));
  // A prefix is one of bytes, not of folders.
  EXPECT_EQ(list(key("a")),
            (std::vector<std::string>{key("a.txt"), key("a/1"), key("a/2"), key("a/sub/x"), key("ab")}));
}

TEST_F(Listing, TellsSizesAndEtags) {
  auto stored = put("one", "12345");
  ASSERT_TRUE(stored);
  auto page = remote_->list(folder_, "", {});
  ASSERT_TRUE(page) << page.status().message();
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].size, 5u);
  EXPECT_EQ(page->objects[0].etag, stored->etag);
  EXPECT_GT(page->objects[0].modified_s, 1'600'000'000);
}

TEST_F(Listing, OfAnUnusedPrefixIsEmpty) { EXPECT_TRUE(list(key("nothing/")).empty()); }

TEST_F(Listing, GoesThroughAllPages) {
  constexpr int kObjects = 1'003;  // a page has 1,000
  std::vector<std::thread> writers;
  std::atomic<int> next{0};
  Mutex mutex;
  std::vector<std::string> failures;
  for (int t = 0; t < 16; ++t) {
    writers.emplace_back([&] {
      for (int i = next++; i < kObjects; i = next++) {
        const Status status = put(std::to_string(i % 7) + "/" + std::to_string(i), "x").status();
        const MutexLock lock(mutex);
        if (!status) failures.push_back(status.message());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_EQ(failures, std::vector<std::string>());
  const std::vector<std::string> keys = list(folder_);
  EXPECT_EQ(keys.size(), static_cast<size_t>(kObjects));
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
  auto first = remote_->list(folder_, "", {});
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->next.empty());
}

}  // namespace
}  // namespace shoebox
