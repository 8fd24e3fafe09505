// What a rebuild asks of the remote; what comes of it is shown by tests/mount/test_rebuild.py.
#include "sync/rebuild.h"

#include "store/thumbnail_id.h"
#include "store/thumbnails/thumbnails.h"
#include "sync/catalog_sender.h"
#include "sync/paced_remote.h"
#include "tests/unit/sync/backup_fixture.h"

namespace shoebox::testing {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

class RebuildTest : public SyncFixture {
 protected:
  // Photos with thumbnails that fill more than two segments, and a catalog in several as well.
  void back_up() {
    auto opened = Thumbnails::open(dir_.path() + "/thumbnails", /*read_only=*/false);
    ASSERT_TRUE(opened) << opened.status().message();
    thumbnails_ = std::move(*opened);
    for (unsigned i = 0; i < 40; ++i) {
      const std::string bytes = "photo " + std::to_string(i);
      const ContentNo content = add(std::to_string(i) + ".jpg", bytes, {"nas"}, MediaKind::kPhoto);
      const ContentHash id = thumbnail_id(content, **catalog_->content(content));
      ASSERT_TRUE(thumbnails_->put(id, 256, some_bytes(300 << 10, i)));
    }
    CatalogSender::Options options;
    options.sizes = {.least_bytes = 512, .most_bytes = 2 << 10, .rows_per_cut = 8};
    options.thumbnails = thumbnails_.get();
    CatalogSender sender(*catalog_, remote_, clock_, options);
    ASSERT_TRUE(sender.load());
    RequestHints hints;
    do {
      const Status sent = sender.send({}, hints);
      ASSERT_TRUE(sent) << sent.message();
    } while (sender.more());
  }
  Result<RebuildResult> rebuild() {
    RebuildPlan plan;
    plan.library = dir_.path() + "/another";
    plan.remote.url = "file:///nas";
    plan.progress = [](std::string_view, uint64_t, uint64_t) {};
    plan.note = [](const std::string&) {};
    return rebuild_library(plan, clock_, [&](const RemoteSettings&) -> Result<std::unique_ptr<Remote>> {
      return std::unique_ptr<Remote>(std::make_unique<PacedRemote>(remote_, clock_, UploadPolicy(), 1));
    });
  }

  FakeRemote remote_{"nas"};
  std::unique_ptr<Thumbnails> thumbnails_;
};

TEST_F(RebuildTest, SegmentsOfCatalogAndThumbnailsAreFetchedSeveralAtATime) {
  ASSERT_NO_FATAL_FAILURE(back_up());
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, int> asked;
  remote_.before_get_of = [&](const std::string& key) {
    if (key.find("/head.") != std::string::npos) return;
    const std::string folder = key.substr(0, key.rfind('/'));
    std::unique_lock lock(mutex);
    ++asked[folder];
    changed.notify_all();
    EXPECT_TRUE(changed.wait_for(lock, kPatience, [&] { return asked[folder] >= 2; })) << key;
  };
  const Result<RebuildResult> rebuilt = rebuild();
  ASSERT_TRUE(rebuilt) << rebuilt.status().message();
  EXPECT_EQ(rebuilt->thumbnails, 40U);
  EXPECT_EQ(asked.size(), 2U) << "catalog and thumbnails";
  for (const auto& [folder, times] : asked) EXPECT_GE(times, 3) << folder;
}

}  // namespace
}  // namespace shoebox::testing
