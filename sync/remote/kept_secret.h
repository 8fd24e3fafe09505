// A secret that was read once, until the remote refuses it.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "store/base/mutex.h"
#include "store/base/result.h"

namespace shoebox {

// Any thread. `load` is called by one at a time.
template <class Secret>
class KeptSecret {
 public:
  // `remote` is named in errors.
  KeptSecret(std::string remote, std::function<Result<Secret>()> load)
      : remote_(std::move(remote)), load_(std::move(load)) {}

  Result<Secret> get() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!kept_) {
      auto loaded = load_();
      if (!loaded) return loaded.status().with_context(fmt::format("remote \"{}\"", remote_));
      kept_ = std::move(loaded).value();
    }
    return *kept_;
  }
  // The remote refused `used`: the next get() reads anew, unless somebody did already.
  void refused(const Secret& used) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (kept_ && *kept_ == used) kept_.reset();
  }

 private:
  const std::string remote_;
  const std::function<Result<Secret>()> load_;
  Mutex mutex_;  // held over reading: others need the outcome as well
  std::optional<Secret> kept_ GUARDED_BY(mutex_);
};

}  // namespace shoebox
