// What nobody asked to verify is read back in time, and mended.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "backup_fixture.h"
#include "store/catalog/keys.h"
#include "sync/known_head.h"
#include "tests/unit/sync/one_remote_fixture.h"

namespace shoebox {
namespace {

constexpr int64_t kDay = 86'400;

class VerifyByItselfTest : public testing::OneRemoteFixture {
 protected:
  void SetUp() override {
    OneRemoteFixture::SetUp();
    verify_period_s_ = kDay;
    // What the verification itself notes is sent later than what it read is looked at.
    catalog_backup_.delay_s = 60;
    catalog_backup_.interval_s = 0;
    add("a.jpg", "bytes", {"nas"});
    const auto engine = start();
    settle(*engine);
    // When the first period began is noted.
    ASSERT_TRUE(within_a_minute([&] { return catalog_->meta("backup/checked/nas").value().has_value(); }));
  }
  std::unique_ptr<SyncEngine> start() {
    auto engine = make_engine();
    engine->start();
    return engine;
  }
  bool within_a_minute(const std::function<bool()>& done, int64_t advance_s = 1) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    while (!done()) {
      if (std::chrono::steady_clock::now() > until) return false;
      clock_.advance(advance_s);
      never.wait_for(lock, std::chrono::milliseconds(2));
    }
    return true;
  }
  // One bit of the middle.
  std::string damage(const std::string& key) {
    std::string bytes = remote_.object(key).value();
    const std::string whole = bytes;
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
    remote_.place(key, bytes);
    return whole;
  }
  bool remote_knows_all() {
    const std::string id = catalog_->meta(keys::kMetaLibraryId).value().value();
    return testing::restored_rows(remote_, clock_, id) == testing::backed_up_rows(*catalog_);
  }
};

TEST_F(VerifyByItselfTest, ADamagedOriginalIsSentAgainOnceItsPeriodIsOver) {
  const std::string whole = damage("Library/a.jpg");
  const auto engine = start();
  EXPECT_NE(remote_.object("Library/a.jpg"), whole);
  clock_.advance(2 * kDay);
  EXPECT_TRUE(within_a_minute([&] { return remote_.object("Library/a.jpg") == whole; }));
}

TEST_F(VerifyByItselfTest, AMountThatEndsSoonGoesOnWhereTheOneBeforeEnded) {
  std::vector<ContentNo> contents;
  for (const char* name : {"b.jpg", "c.jpg", "d.jpg"}) contents.push_back(add(name, name, {"nas"}));
  {
    const auto engine = start();
    settle(*engine);
  }
  std::mutex mutex;
  std::map<std::string, int> reads;
  std::atomic<size_t> originals = 0;
  bool holds = true;
  remote_.before_get_of = [&](const std::string& key) {
    if (!key.starts_with("Library/")) return;
    const std::lock_guard lock(mutex);
    ++reads[key];
    originals = reads.size();
    if (holds && reads.size() == 3) remote_.hold();
  };
  clock_.advance(2 * kDay);
  const int64_t due_s = clock_.now().seconds;
  {
    const auto engine = start();
    EXPECT_TRUE(within_a_minute([&] { return originals == 3; }));
  }
  {
    const std::lock_guard lock(mutex);
    holds = false;
  }
  remote_.release();
  {
    const auto engine = start();
    EXPECT_TRUE(within_a_minute([&] {
      return std::all_of(contents.begin(), contents.end(), [&](ContentNo content) {
        return (*catalog_->copy(content, "nas"))->confirmed_s >= due_s;
      });
    }));
    EXPECT_EQ(originals, 4U);
    clock_.advance(kDay / 2);
  }
  for (int mount = 0; mount < 3; ++mount) {
    const auto engine = start();
    settle(*engine);
  }
  int all = 0;
  for (const auto& [key, count] : reads) all += count;
  EXPECT_EQ(all, 5) << "the one that was broken off is read twice";
}

TEST_F(VerifyByItselfTest, ADamagedPartOfTheBackupOfTheCatalogIsSentAgainOnceItsPeriodIsOver) {
  std::atomic<bool> was_read = false;
  std::string key;
  const auto engine = start();
  settle(*engine);
  ASSERT_TRUE(remote_knows_all());
  const Result<KnownHead> known = known_head(*catalog_, "nas");
  ASSERT_TRUE(known && known->head && !known->head->segments.empty());
  key = segment_key(known->head->library, known->head->segments.front());
  damage(key);
  const std::string bad = remote_.object(key).value();
  remote_.before_get_of = [&](const std::string& of) { was_read = was_read || of == key; };
  clock_.advance(2 * kDay);
  EXPECT_TRUE(within_a_minute([&] { return was_read.load(); }, 0));
  // The head before the last one goes on naming it where the verification itself changed the snapshot.
  const auto names_bad = [&] {
    const Result<KnownHead> now = known_head(*catalog_, "nas");
    if (!now || !now->head || remote_.object(key) != bad) return false;
    for (const backup::Segment& segment : now->head->segments)
      if (segment_key(now->head->library, segment) == key) return true;
    return false;
  };
  EXPECT_TRUE(within_a_minute([&] { return !names_bad(); }));
  EXPECT_TRUE(within_a_minute([&] { return remote_knows_all(); }));
}

}  // namespace
}  // namespace shoebox
