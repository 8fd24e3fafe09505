// CatalogSender: what was found damaged on the remote is sent again.
#include "sync/catalog_sender.h"

namespace shoebox {
namespace {

constexpr uint64_t kOfNoSize = UINT64_MAX;  // no segment has it

}  // namespace

void CatalogSender::send_again(const std::set<std::string>& keys) {
  const MutexLock lock(mutex_);
  bad_.insert(keys.begin(), keys.end());
  harmed_ = !bad_.empty();
}

// What stands there under these keys is not what their names say: as if it had another size.
void CatalogSender::note_harm() {
  const MutexLock lock(mutex_);
  std::erase_if(bad_, [&](const std::string& key) { return !objects_.contains(key); });
  for (const std::string& key : bad_) objects_[key] = kOfNoSize;
  harmed_ = !bad_.empty();
}

// Sent anew or removed; without a key: the head that counts names none of them.
void CatalogSender::settle_harm(const std::string& key) {
  if (!harmed_) return;
  const MutexLock lock(mutex_);
  if (key.empty())
    bad_.clear();
  else
    bad_.erase(key);
  harmed_ = !bad_.empty();
}

}  // namespace shoebox
