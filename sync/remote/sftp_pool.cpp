#include "sync/remote/sftp_pool.h"

#include <fmt/format.h>
#include <pthread.h>

#include "store/settings.h"
#include "sync/remote/checks.h"

namespace shoebox {
namespace {

constexpr size_t kMostIdle = 16;                       // uploads and reads at once, rarely more
constexpr auto kLook = std::chrono::milliseconds(50);  // a raised CancelToken is seen this late

}  // namespace

SftpPool::SftpPool(SftpPlace place, SshKeys keys, const RemoteSettings& settings, TransferLimits limits)
    : place_(std::move(place)), keys_(std::move(keys)), limits_(limits), login_(settings, place_.user) {
  watcher_ = std::thread([this] { watch(); });
}

SftpPool::~SftpPool() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  watcher_.join();
}

void SftpPool::watch() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "sftp-watch");
  MutexLock lock(mutex_);
  while (!stopping_) {
    for (Lease* lease : leases_) look_after(*lease);
    if (leases_.empty()) {
      changed_.wait(mutex_, [this]() NO_THREAD_SAFETY_ANALYSIS { return stopping_ || !leases_.empty(); });
    } else {
      changed_.wait_for(mutex_, kLook);
    }
  }
}

void SftpPool::look_after(Lease& lease) {
  if (!lease.cut || lease.session == nullptr) return;
  if (Status wanted = check_wanted(lease.context); !wanted) {
    lease.cut = std::move(wanted);
  } else {
    const auto moved = lease.channel != nullptr ? lease.channel->last_progress() : lease.begun;
    if (std::chrono::steady_clock::now() - moved <= limits_.stall) return;
    lease.cut = {Code::kTimeout,
                 fmt::format("{}: nothing moved for {} ms", place_.text, limits_.stall.count())};
  }
  lease.session->cut();
}

Result<std::unique_ptr<SftpChannel>> SftpPool::connect(Lease& lease) {
  SHOEBOX_ASSIGN(const Login login, login_.get());
  auto session = std::make_unique<SshSession>();
  SHOEBOX_TRY(session->connect(place_, lease.context).with_context(place_.text));
  {
    const MutexLock lock(mutex_);
    lease.session = session.get();
    lease.begun = std::chrono::steady_clock::now();
  }
  std::unique_ptr<SftpChannel> channel;
  Status opened = session->open_sftp(place_, keys_, login);
  if (opened) {
    channel = std::make_unique<SftpChannel>(std::move(session));
    opened = channel->begin();
  }
  const MutexLock lock(mutex_);
  lease.session = nullptr;
  if (!lease.cut) return lease.cut;
  if (opened.code() == Code::kUnauthorized) login_.refused(login);  // read anew next time
  if (!opened) return opened.with_context(place_.text);
  return channel;
}

Status SftpPool::with(const RequestContext& context, const std::function<Status(SftpChannel&, bool*)>& work) {
  SHOEBOX_TRY(check_wanted(context));
  if (context.hints != nullptr) ++context.hints->requests;
  std::unique_ptr<SftpChannel> kept;
  {
    const MutexLock lock(mutex_);
    if (!idle_.empty()) {
      kept = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  bool again = false;
  if (kept != nullptr) {
    kept->progressed();
    const Status status = run(context, std::move(kept), work, &again);
    if (!again) return status;
    // The server closed what we kept, and the others most likely with it.
    std::vector<std::unique_ptr<SftpChannel>> dead;
    const MutexLock lock(mutex_);
    dead.swap(idle_);
  }
  return run(context, nullptr, work, &again);
}

Status SftpPool::run(const RequestContext& context, std::unique_ptr<SftpChannel> channel,
                     const std::function<Status(SftpChannel&, bool*)>& work, bool* again) {
  Lease lease{context, nullptr, nullptr, std::chrono::steady_clock::now(), {}};
  std::list<Lease*>::iterator place;
  {
    const MutexLock lock(mutex_);
    place = leases_.insert(leases_.end(), &lease);
  }
  changed_.notify_all();
  bool repeatable = true;
  const auto attempt = [&]() -> Status {
    if (channel == nullptr) {
      repeatable = false;
      SHOEBOX_ASSIGN(channel, connect(lease));
    }
    {
      const MutexLock lock(mutex_);
      lease.session = &channel->session();
      lease.channel = channel.get();
    }
    return work(*channel, &repeatable);
  };
  Status status = attempt();
  const MutexLock lock(mutex_);
  leases_.erase(place);
  if (!lease.cut) {
    // What came through before the cut counts; the connection does not.
    return status ? status : lease.cut;
  }
  if (channel == nullptr || channel->broken()) {
    *again = channel != nullptr && !status && repeatable;
    return status;
  }
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(channel));
  return status;
}

}  // namespace shoebox
