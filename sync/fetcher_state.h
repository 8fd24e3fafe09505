// The inside of Fetcher, shared by its .cpp files: who waits for which blocks, what is on its way,
// which remotes and contents failed lately.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "sync/fetcher.h"
#include "sync/readahead.h"
#include "sync/remote/remote.h"

namespace shoebox {

struct Fetcher::State {
  using Steady = Clock::Steady;
  using Done = std::function<void(Status)>;

  struct Waiter {
    std::set<uint64_t> blocks;  // still to come
    Steady deadline;
    CancelToken cancel;
    Done done;
  };
  // One GET's worth: a run of missing blocks.
  struct Job {
    ContentNo content;
    ByteRange rest;  // not arrived yet; under the mutex
    uint64_t content_size = 0;
    CancelToken cancel;    // of the request at hand; under the mutex
    Steady last_progress;  // under the mutex
    bool running = false;  // under the mutex
    bool stalled = false;  // under the mutex
    std::string remote;    // that is asked now; under the mutex
    int throttled = 0;     // how often a remote asked to slow down; who runs it
    // A remote asked to wait: it is begun anew then, of real time. Under the mutex.
    std::optional<Steady> put_off;
  };
  struct Active {
    std::vector<std::shared_ptr<Waiter>> waiters;
    std::vector<std::shared_ptr<Job>> jobs;  // queued and running; shared with the worker
    Readahead readahead;
  };
  struct Bad {
    Status why;
    Steady until;
  };
  // Under the mutex, but for `remote`. Shared with those who ask it now.
  struct RemoteState {
    explicit RemoteState(std::shared_ptr<Remote> r) : remote(std::move(r)) {}
    const std::shared_ptr<Remote> remote;
    bool removed = false;
    Steady offline_until = Steady::min();
    std::string last_error;
    int64_t last_error_s = 0;
    // From asking to the first bytes: moving average, and when it was last measured.
    std::optional<double> latency_s;
    Steady measured = Steady::min();
  };
  struct Answer {
    Done done;
    Status status;
  };
  using Answers = std::vector<Answer>;
  struct Candidate {
    std::shared_ptr<RemoteState> remote;
    std::string key;
    std::string etag;                   // empty: each block is checked against its own hash, which says more
    Steady not_before = Steady::min();  // it asked to wait until then
  };

  State(Catalog& c, ContentStore& s, const Clock& k, Options o)
      : catalog(c), contents(s), clock(k), options(std::move(o)) {}

  Catalog& catalog;
  ContentStore& contents;
  const Clock& clock;
  const Options options;
  std::function<uint64_t(uint64_t)> disk_full;                                          // set before start()
  std::function<void(ContentNo, const std::string&, const std::string&)> copy_missing;  // likewise
  std::function<void(ContentNo, const std::string&)> copy_found;                        // likewise
  std::vector<std::thread> threads;

  mutable Mutex mutex;
  ConditionVariable work;      // jobs were queued, or stop
  ConditionVariable watching;  // somebody waits, or stop
  bool stopping GUARDED_BY(mutex) = false;
  std::vector<std::shared_ptr<RemoteState>> remotes GUARDED_BY(mutex);
  std::unordered_map<ContentNo, Active> active GUARDED_BY(mutex);
  std::unordered_map<ContentNo, Bad> bad GUARDED_BY(mutex);
  std::deque<std::shared_ptr<Job>> queue GUARDED_BY(mutex);
  std::set<std::pair<ContentNo, std::string>> missed GUARDED_BY(mutex);  // copies that were told missing
  std::set<ContentNo> told_unsent GUARDED_BY(mutex);                     // in the log: nobody sent them yet

  // fetcher.cpp
  Result<std::vector<Candidate>> candidates(ContentNo content) const;
  void queue_missing(ContentNo content, uint64_t size, const std::vector<ByteRange>& wanted) REQUIRES(mutex);
  void forget_idle() REQUIRES(mutex);
  // fetcher_work.cpp
  void work_loop();
  void run_job(const std::shared_ptr<Job>& job);
  Status transfer(const std::shared_ptr<Job>& job, ByteRange range);
  Status transfer_from(std::vector<Candidate> sources, const std::shared_ptr<Job>& job, ByteRange range,
                       bool& left);
  Status request(const std::shared_ptr<Job>& job, Remote& remote, const Candidate& source, ByteRange range,
                 RequestHints& hints, bool& local_trouble);
  bool make_room(const Status& why) const;
  Status store(ContentNo content, uint64_t index, std::string_view bytes);
  void settle(ContentNo content);
  void arrived(const std::shared_ptr<Job>& job, uint64_t block, uint64_t end);
  void failed(const std::shared_ptr<Job>& job, const Status& why);
  void note_missing(ContentNo content, const Remote& remote, const std::string& key);
  void note_found(ContentNo content, const Remote& remote);
  bool still_is(ContentNo content, const Candidate& source, const Remote& remote) const;
  bool moved(ContentNo content, Candidate& source, const Remote& remote) const;
  Status nobody_has(ContentNo content) const;
  void tell_unsent(ContentNo content, const Status& why);
  void note_latency(RemoteState& remote, double seconds);
  [[nodiscard]] double latency_of(const Candidate& candidate) const REQUIRES(mutex);
  void note_remote(RemoteState& remote, const Status& status, double retry_after_s = 0);
  void note_error(RemoteState& remote, const Status& status);
  [[nodiscard]] std::shared_ptr<RemoteState> remote_called(const std::string& name) const REQUIRES(mutex);
  // fetcher_watch.cpp
  void watch_loop();
  std::shared_ptr<Job> next_job() REQUIRES(mutex);
  Status put_off(const std::shared_ptr<Job>& job, double pause_s, const Status& why);
  bool others_first(std::vector<Candidate>& sources, size_t at, Candidate source, double delay_s);
  // Whether somebody waits for it, and does so after `at`.
  bool wanted(const Job& job, Steady at = Steady::min()) REQUIRES(mutex);
  bool is_in_time(const Job& job, double pause_s);
  // False: stopping. Ends when nobody waits for `job` any more, if one is given.
  bool pause_for(double s, const Job* job = nullptr);
  void expire(Steady now, Answers& answers) REQUIRES(mutex);
};

}  // namespace shoebox
