#include "store/housekeeping.h"

#include <chrono>
#include <utility>
#include <vector>

#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/settings.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

constexpr int64_t kSecondsADay = 86400;

}  // namespace

Housekeeping::Housekeeping(Catalog& catalog, Tree& tree, const Settings& settings, const Clock& clock)
    : catalog_(catalog), tree_(tree), settings_(settings), clock_(clock) {}

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
  const MutexLock lock(mutex_);
  for (;;) {
    if (changed_.wait_for(mutex_, std::chrono::hours(1), [this] { return stopping_; })) return;
    mutex_.unlock();
    const Status done = run_once();
    if (!done) log::warning("expire trash and versions: {}", done.message());
    mutex_.lock();
  }
}

Status Housekeeping::run_once() {
  SHOEBOX_ASSIGN(const uint64_t emptied, tree_.trash_empty(settings_.keep_days * kSecondsADay));
  if (emptied > 0) log::info("trash: {} entries older than {} days removed", emptied, settings_.keep_days);
  return expire_versions();
}

Status Housekeeping::expire_versions() {
  const int64_t before_s = clock_.now().seconds - settings_.keep_days * kSecondsADay;
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
    SHOEBOX_ASSIGN(std::optional<ContentRecord> content, txn->content(number));
    if (content && content->references > 1) {
      --content->references;
      txn->put_content(number, *content);
    } else if (content) {
      SHOEBOX_TRY(txn->erase_content(number));
    }
    SHOEBOX_TRY(txn->commit());
  }
  if (!expired.empty())
    log::info("{} replaced versions older than {} days removed", expired.size(), settings_.keep_days);
  return Status::ok();
}

}  // namespace shoebox
