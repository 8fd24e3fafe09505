// The connections of one SFTP remote: made when needed, kept for the next call, and watched by a thread
// that cuts those whose caller gave up, whose deadline passed or on which nothing moves.
//
// Threads: any. Owned by SftpServer. The mutex is never held over I/O.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "store/base/mutex.h"
#include "sync/remote/sftp_channel.h"
#include "sync/remote/transfer_loop.h"

namespace shoebox {

class SftpPool {
 public:
  SftpPool(SftpPlace place, SshKeys keys, const RemoteSettings& settings, TransferLimits limits = {});
  ~SftpPool();  // nobody may use it any more
  SftpPool(const SftpPool&) = delete;
  SftpPool& operator=(const SftpPool&) = delete;

  [[nodiscard]] const SftpPlace& place() const { return place_; }
  // Runs `work` on a connection. When a kept one turns out dead, `work` runs once more on a new one: it
  // must be fit for that, or say so by clearing `*repeatable`.
  Status with(const RequestContext& context,
              const std::function<Status(SftpChannel& channel, bool* repeatable)>& work);

 private:
  // A connection in use.
  struct Lease {
    const RequestContext& context;
    SshSession* session = nullptr;
    SftpChannel* channel = nullptr;  // null while it connects
    std::chrono::steady_clock::time_point begun;
    Status cut;  // why it was cut
  };

  Result<std::unique_ptr<SftpChannel>> connect(Lease& lease);
  Status run(const RequestContext& context, std::unique_ptr<SftpChannel> channel,
             const std::function<Status(SftpChannel&, bool*)>& work, bool* again);
  void watch();
  void look_after(Lease& lease) REQUIRES(mutex_);

  const SftpPlace place_;
  const SshKeys keys_;
  const TransferLimits limits_;
  LoginSource login_;

  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<std::unique_ptr<SftpChannel>> idle_ GUARDED_BY(mutex_);
  std::list<Lease*> leases_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread watcher_;
};

}  // namespace shoebox
