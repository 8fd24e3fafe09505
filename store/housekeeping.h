// What must be done now and then, on a thread of its own: every hour (and once when the library
// opens) it lets go of what was kept long enough, Trash and replaced versions older than `keep`;
// every minute it makes the lists of fetched blocks durable.
#pragma once

#include <thread>

#include "store/base/clock.h"
#include "store/base/mutex.h"
#include "store/base/result.h"
#include "store/live_settings.h"

namespace shoebox {

class Catalog;
class ContentStore;
class Tree;

class Housekeeping {
 public:
  Housekeeping(Catalog& catalog, ContentStore& contents, Tree& tree, SettingsView settings,
               const Clock& clock);
  ~Housekeeping();  // stop()
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

  void start();
  void stop();
  // Expires, on the calling thread.
  Status run_once();

 private:
  void run();
  Status expire_versions();

  Catalog& catalog_;
  ContentStore& contents_;
  Tree& tree_;
  const SettingsView settings_;
  const Clock& clock_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace shoebox
