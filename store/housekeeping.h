// Lets go of what was kept long enough: Trash and replaced versions older than `keep`. Once when
// the library opens, then hourly, on a thread of its own.
#pragma once

#include <thread>

#include "store/base/clock.h"
#include "store/base/mutex.h"
#include "store/base/result.h"

namespace shoebox {

class Catalog;
class Tree;
struct Settings;

class Housekeeping {
 public:
  Housekeeping(Catalog& catalog, Tree& tree, const Settings& settings, const Clock& clock);
  ~Housekeeping();  // stop()
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

  void start();
  void stop();
  // One round, on the calling thread.
  Status run_once();

 private:
  void run();
  Status expire_versions();

  Catalog& catalog_;
  Tree& tree_;
  const Settings& settings_;
  const Clock& clock_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace shoebox
