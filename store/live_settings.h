// The settings of a library that is open: they may be changed while it is (`shoebox config reload`).
// Who reads them takes them as they stand at that moment, and keeps that for one decision.
#pragma once

#include <memory>
#include <utility>

#include "store/base/mutex.h"
#include "store/settings.h"

namespace shoebox {

// Thread-safe; its mutex is a leaf.
class LiveSettings {
 public:
  LiveSettings() : now_(std::make_shared<const Settings>()) {}
  [[nodiscard]] std::shared_ptr<const Settings> now() const {
    const MutexLock lock(mutex_);
    return now_;
  }
  void set(Settings settings) {
    auto next = std::make_shared<const Settings>(std::move(settings));
    const MutexLock lock(mutex_);
    now_.swap(next);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Settings> now_ GUARDED_BY(mutex_);
};

// What parts of the library hold of them. Cheap to copy; what it was made from outlives it.
class SettingsView {
 public:
  SettingsView(const LiveSettings& live) : live_(&live) {}  // NOLINT(google-explicit-constructor)
  SettingsView(const Settings& fixed)                       // NOLINT(google-explicit-constructor)
      : fixed_(std::shared_ptr<const void>(), &fixed) {}
  [[nodiscard]] std::shared_ptr<const Settings> now() const {
    return live_ != nullptr ? live_->now() : fixed_;
  }
  // One value of them: `settings->copies`.
  std::shared_ptr<const Settings> operator->() const { return now(); }

 private:
  const LiveSettings* live_ = nullptr;
  std::shared_ptr<const Settings> fixed_;
};

}  // namespace shoebox
