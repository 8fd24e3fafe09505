// Brings the backup of the catalog on one remote up to date: a snapshot at first, then what changed.
// BACKUP.md tells the format and the order in which things are sent.
//
// Owned by CatalogBackup, which calls send() from one thread; the figures may be read from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "store/base/clock.h"
#include "store/base/mutex.h"
#include "store/base/result.h"
#include "store/catalog/backup_cut.h"
#include "store/catalog/backup_head.h"
#include "sync/remote/remote.h"

namespace shoebox {

class Catalog;
class Thumbnails;

class CatalogSender {
 public:
  struct Options {
    backup::CutSizes sizes{};
    uint32_t merge = 16;                     // so many journal segments of one level become one of the next
    const Thumbnails* thumbnails = nullptr;  // null: none are sent
    // What this catalog sent there last does not stand there: the remote was put back to an older state, or
    // another machine wrote meanwhile, and what else stands there is not known either. Told before anything
    // is sent, and again until it says ok; then no more for the same state of it. Not where the head came to
    // harm, or segments of it are gone: that costs a snapshot. May be empty.
    std::function<Status(const CancelToken&)> on_gone_back{};
    // Asked by look() instead of the remote: whoever looks by himself shall not count as who reads. May be
    // null.
    Remote* looks = nullptr;
  };
  CatalogSender(Catalog& catalog, Remote& remote, const Clock& clock, Options options);

  // Reads from the catalog what the last run knew; asks the remote nothing. Before send().
  Status load();
  // Ok: everything up to some moment after the call is on the remote; of thumbnails a part, when more() says
  // so.
  Status send(const CancelToken& cancel, RequestHints& hints);
  // These segments were read back and came to harm: the next send() makes a whole snapshot and sends them
  // again. From any thread.
  void send_again(const std::set<std::string>& keys);
  // send() has that to do, whatever changed.
  [[nodiscard]] bool harmed() const { return harmed_; }
  // Whether what was sent last stands there, also while nothing is to be sent: one request, more when not.
  Status look(const CancelToken& cancel);

  // The last change that is on the remote, when that was sent (0: never), and the last change before
  // which this remote needs no list.
  [[nodiscard]] uint64_t sent() const { return sent_; }
  [[nodiscard]] int64_t sent_s() const { return sent_s_; }
  [[nodiscard]] uint64_t snapshot() const { return snapshot_; }
  // Something was sent there once, and nobody compared it since load() with what stands there, or
  // on_gone_back was not done with what came of it.
  [[nodiscard]] bool in_doubt() const { return in_doubt_; }
  // Thumbnails wait for the next send().
  [[nodiscard]] bool more() const { return more_; }

 private:
  struct Plan {
    backup::Head head;  // with the segments that stay, but for thumbnails
    std::vector<backup::Segment> thumbnails;
    bool snapshot = false;
    uint64_t after = 0;
    uint32_t level = 0;
  };
  Status meet(Remote& asked, const CancelToken& cancel);
  Status tell_gone_back(bool gone, const std::string& newest, const CancelToken& cancel);
  Result<std::string> head_etag(Remote& asked, const CancelToken& cancel);
  Status look_at(Remote& asked, const CancelToken& cancel);
  [[nodiscard]] Plan plan(const CatalogMoment& moment, bool snapshot) const;
  Status send_catalog(const CatalogMoment& moment, Plan& made, const CancelToken& cancel,
                      RequestHints& hints);
  Status cut_thumbnail_segments(const CatalogMoment& moment, Plan& plan, const CancelToken& cancel,
                                RequestHints& hints);
  Status cut(const CatalogMoment& moment, Plan& plan, const CancelToken& cancel, RequestHints& hints);
  Result<RemoteObject> put(const std::string& key, const std::string& bytes, const CancelToken& cancel,
                           RequestHints& hints);
  Status put_segment(const backup::Segment& segment, const std::string& file, const CancelToken& cancel,
                     RequestHints& hints);
  Status put_head(const CatalogMoment& moment, const backup::Head& planned, const CancelToken& cancel,
                  RequestHints& hints);
  Status remember(const std::optional<backup::Head>& head, const std::string& intended);
  void note_harm();
  void settle_harm(const std::string& key = {});
  void clean(const CancelToken& cancel);
  void publish();

  Catalog& catalog_;
  Remote& remote_;
  const Clock& clock_;
  const Options options_;

  // Of the thread that calls send().
  bool met_ = false;  // the remote was asked what it holds, and nothing failed since
  std::string library_;
  std::optional<backup::Head> current_;  // the newest on the remote, when it is known to be ours
  std::string current_etag_;
  std::optional<backup::Head> known_;   // as the catalog knows it: current_, or one that does not stand there
  bool untold_ = false;                 // on_gone_back has to be called, and did not say ok
  std::optional<std::string> told_of_;  // hash of the newest head there, for which it did; empty: none stood
  std::optional<backup::Head> previous_;     // under the other key
  uint64_t counter_ = 0;                     // greatest seen
  std::map<std::string, uint64_t> objects_;  // what stands there, and its size

  Mutex mutex_;                                   // leaf
  std::set<std::string> bad_ GUARDED_BY(mutex_);  // keys of send_again() that were not sent or removed since
  std::atomic<bool> harmed_{false};               // it is not empty

  std::atomic<uint64_t> sent_{0}, snapshot_{0};
  std::atomic<int64_t> sent_s_{0};
  std::atomic<bool> more_{false}, in_doubt_{false};
};

}  // namespace shoebox
