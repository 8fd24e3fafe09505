#include "store/housekeeping.h"

#include <chrono>
#include <utility>
#include <vector>

#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/settings.h"
#include "store/tree/content_refs.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

constexpr int64_t kSecondsADay = 86400;
// A crash costs at most the blocks fetched since: a minute of them is a small loss.
constexpr std::chrono::minutes kFlushEvery{1};
constexpr std::chrono::hours kExpireEvery{1};

}  // namespace

Housekeeping::Housekeeping(Catalog& catalog, ContentStore& contents, Tree& tree, SettingsView settings,
                           const Clock& clock)
    : catalog_(catalog), contents_(contents), tree_(tree), settings_(std::move(settings)), clock_(clock) {}

Housekeeping::~Housekeeping() { stop(); }

void Housekeeping::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void Housekeeping::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Housekeeping::run() {
  auto expired = std::chrono::steady_clock::now();
  for (;;) {
    {
      const MutexLock lock(mutex_);
      if (changed_.wait_for(mutex_, kFlushEvery, [this]() REQUIRES(mutex_) { return stopping_; })) return;
    }
    if (const Status flushed = contents_.flush_partials(); !flushed) {
      log::warning("flush lists of fetched blocks: {}", flushed.message());
    }
    if (std::chrono::steady_clock::now() - expired < kExpireEvery) continue;
    expired = std::chrono::steady_clock::now();
    if (const Status done = run_once(); !done) log::warning("expire trash and versions: {}", done.message());
  }
}

Status Housekeeping::run_once() {
  SHOEBOX_ASSIGN(const uint64_t emptied, tree_.trash_empty(settings_->keep_days * kSecondsADay));
  if (emptied > 0) log::info("trash: {} entries older than {} days removed", emptied, settings_->keep_days);
  return expire_versions();
}

Status Housekeeping::expire_versions() {
  const int64_t before_s = clock_.now().seconds - settings_->keep_days * kSecondsADay;
  std::vector<std::pair<PhotoId, ContentNo>> expired;
  Status failed;
  SHOEBOX_TRY(catalog_.for_each_photo([&](PhotoId photo, const PhotoRecord&) {
    const Result<std::vector<VersionRecord>> versions = catalog_.versions(photo);
    if (!versions) {
      failed = versions.status();
      return false;
    }
    for (const VersionRecord& version : *versions) {
      if (version.replaced_s < before_s) expired.emplace_back(photo, version.content);
    }
    return true;
  }));
  SHOEBOX_TRY(failed);
  for (const auto& [photo, number] : expired) {
    const std::unique_ptr<Transaction> txn = catalog_.begin();
    txn->erase_version(photo, number);
    SHOEBOX_TRY(release_content(*txn, number));
    SHOEBOX_TRY(txn->commit());
  }
  if (!expired.empty())
    log::info("{} replaced versions older than {} days removed", expired.size(), settings_->keep_days);
  return Status::ok();
}

}  // namespace shoebox
