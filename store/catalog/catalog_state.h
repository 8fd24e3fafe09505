// What Catalog and Transaction share. Only their own .cpp files include it.
#pragma once

#include <atomic>
#include <set>
#include <thread>

#include "store/catalog/catalog.h"
#include "store/catalog/db.h"

namespace shoebox {

struct Catalog::State {
  std::unique_ptr<Db> db;
  bool read_only = false;

  // Held from begin() to the end of the transaction. First in the lock order of the catalog.
  Mutex writer;
  std::atomic<std::thread::id> writer_thread;  // to catch a begin() inside a transaction

  // The next numbers; changed under `writer`, stored by the transaction that took some.
  uint64_t next_inode = kFirstFreeInode.value;
  uint64_t next_content = 1;
  uint64_t next_photo = 1;

  // The list of changes (change_log.cpp): numbers of the oldest and the newest row; written under `writer`.
  uint64_t first_change = 1;
  std::atomic<uint64_t> last_change{0};
  Status load_changes();

  std::atomic<uint64_t> commits{0};

  // Group commit: who finds no sync running runs one for all commits made before it began.
  Mutex sync_mutex;
  ConditionVariable sync_done;
  uint64_t synced_commits GUARDED_BY(sync_mutex) = 0;
  bool sync_running GUARDED_BY(sync_mutex) = false;

  // The mount adds its observer while what a crash left is being sealed, and so committed: replaced
  // as a whole. Shared with the commits that are going through it.
  using Observers = std::vector<std::function<void(const Change&)>>;
  Mutex observers_mutex;
  std::shared_ptr<const Observers> observers GUARDED_BY(observers_mutex) = std::make_shared<Observers>();
  std::vector<std::function<void()>> caught_up GUARDED_BY(observers_mutex);
  std::shared_ptr<const Observers> present_observers() {
    const MutexLock lock(observers_mutex);
    return observers;
  }
  // Set before threads start.
  std::vector<std::function<void(ContentNo)>> erased_callbacks;
};

struct Transaction::State {
  explicit State(Catalog::State& owner) : catalog(owner) {}

  Catalog::State& catalog;
  KeyChanges overlay;
  Change change;
  std::vector<ContentNo> erased_contents;
  std::vector<std::function<void()>> actions;
  // What the batch did to names and holders, for note_for_tidying().
  std::set<InodeNo> renamed;
  std::set<ContentNo> released;
  std::set<PhotoId> told;  // what is said about them, or where their copies are: note_for_sidecars()
  Status failure;          // of a function that cannot return one; commit() does
  bool numbers_taken = false;
  bool spent = false;
  bool all_told = false;  // see tell_all_names()

  void put(std::string key, std::string value) { overlay[std::move(key)] = std::move(value); }
  void erase(std::string key) { overlay[std::move(key)] = std::nullopt; }
  void fail(const Status& status) {
    if (failure.is_ok()) failure = status;
  }
  // Adds the row that lists what this batch changes; the number it gets, 0 for none.
  Result<uint64_t> list_changes();
  void end();  // gives the writer lock back; idempotent
};

}  // namespace shoebox
