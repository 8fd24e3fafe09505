// Keeps the kernel's long-lived caches true: tells it about names and attributes that changed other
// than by the operation it asked for.
//
// Owned by the mounting process; fed by the catalog's observer, which only queues. Two threads of
// its own send: one for names and attributes, and one for data, because dropping cached pages waits
// behind a read that is parked. Never called from an operation's reply path, never under a lock: the
// kernel may hold a directory's lock until one of our workers answers.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "store/base/ids.h"
#include "store/base/mutex.h"
#include "store/catalog/catalog.h"

namespace shoebox {

// The kernel's side, as far as it is told things. Implemented by Session, by fakes in tests.
class Notifier {
 public:
  virtual ~Notifier() = default;
  // Drops one cached name, known or known to be absent. 0 or a negative errno.
  virtual int invalidate_name(InodeNo directory, const std::string& name) = 0;
  virtual int invalidate_attributes(InodeNo inode) = 0;
  // Attributes and cached pages; for a directory its cached listing.
  virtual int invalidate_data(InodeNo inode) = 0;
};

class Invalidator {
 public:
  explicit Invalidator(Notifier& notifier);
  ~Invalidator();  // stop()
  Invalidator(const Invalidator&) = delete;
  Invalidator& operator=(const Invalidator&) = delete;

  // Thread-safe, never blocks.
  void post(const Change& change);
  // Drops what is queued and waits for the threads. Idempotent.
  void stop();
  // Waits until all that was posted before was sent, or stop(). Not from an operation or under a lock: data
  // waits behind parked reads.
  void drain();

 private:
  struct Name {
    InodeNo directory;
    std::string name;
  };
  struct Lane {
    ConditionVariable changed;
    std::vector<Name> names;
    std::vector<InodeNo> attributes;
    std::vector<InodeNo> data;
    uint64_t posted = 0, sent = 0;  // calls of post() that gave it something
    [[nodiscard]] bool empty() const { return names.empty() && attributes.empty() && data.empty(); }
  };
  void run(Lane& lane, const char* thread_name);
  void send(const std::vector<Name>& names, std::vector<InodeNo> attributes, std::vector<InodeNo> data);

  Notifier& notifier_;
  Mutex mutex_;
  Lane names_ GUARDED_BY(mutex_);
  Lane data_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread name_thread_, data_thread_;
};

}  // namespace shoebox
