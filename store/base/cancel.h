// A flag by which a waiter says that it no longer waits. Thread-safe, shared by both sides.
#pragma once

#include <atomic>
#include <memory>

namespace shoebox {

class CancelToken {
 public:
  CancelToken() : flag_(std::make_shared<std::atomic<bool>>(false)) {}
  void cancel() const { flag_->store(true, std::memory_order_release); }
  [[nodiscard]] bool cancelled() const { return flag_->load(std::memory_order_acquire); }

 private:
  std::shared_ptr<std::atomic<bool>> flag_;  // shared: waiter and worker may each go first
};

}  // namespace shoebox
