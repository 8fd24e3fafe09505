// What a test puts into a fake that others are calling already.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

namespace shoebox::testing {

// A function that is set and called from different threads; one that is running is not waited for.
template <typename Signature>
class Hook {
 public:
  using Function = std::function<Signature>;

  Hook& operator=(Function function) {
    auto shared = function ? std::make_shared<Function>(std::move(function)) : nullptr;
    const std::lock_guard lock(mutex_);
    function_ = std::move(shared);
    return *this;
  }
  // Null: nothing is set.
  std::shared_ptr<Function> get() const {
    const std::lock_guard lock(mutex_);
    return function_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Function> function_;
};

}  // namespace shoebox::testing
