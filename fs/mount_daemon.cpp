#include "fs/mount_daemon.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <thread>

#include "fs/daemon.h"
#include "fs/filesystem.h"
#include "fs/invalidator.h"
#include "fs/mount_point.h"
#include "fs/session.h"
#include "fs/signals.h"
#include "store/base/log.h"
#include "store/base/log_hold.h"
#include "store/catalog/catalog.h"
#include "store/library.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

std::string human_bytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

// "backup to nas (file:///mnt/nas/photos): 12 files, 40.1 MiB pending".
std::string backup_line(SyncControl& sync, bool read_only) {
  const Result<std::vector<RemoteStatus>> remotes = sync.status();
  if (!remotes.is_ok()) return fmt::format("state of the backup unknown: {}", remotes.status().message());
  if (remotes->empty()) return "no backup is set up: add a [[remote]] to shoebox.toml";
  std::string line;
  for (const RemoteStatus& remote : *remotes) {
    if (!line.empty()) line += "; ";
    line += fmt::format("backup to {} ({})", remote.name, remote.url);
    if (remote.pending_files == 0) {
      line += ", nothing pending";
    } else {
      line += fmt::format(", {} {} ({}) pending", remote.pending_files,
                          remote.pending_files == 1 ? "file" : "files", human_bytes(remote.pending_bytes));
    }
    if (remote.paused) line += ", paused";
    if (remote.pending_files > 0 && read_only) line += ", nothing is sent from here";
    if (!remote.owner.problem.empty()) {
      line += ": " + remote.owner.problem;
    } else if (!remote.online && !remote.last_error.empty()) {
      line += ", not reachable now: " + remote.last_error;
    }
  }
  return line;
}

// Asks the mount for its root and says what came of it. The kernel holds the answer back until the
// session has begun. On a thread of its own, because run() has the main one. What is logged meanwhile comes
// after that line.
void announce(const MountPlan& plan, MountedLibrary& mounted, Session& session, StartReport& report,
              log::Hold& others) {
  pthread_setname_np(pthread_self(), "announce");
  struct stat root = {};
  if (stat(plan.mountpoint.c_str(), &root) != 0) {
    report.failed(Status::from_errno(errno, fmt::format("the mount on {} does not answer", plan.mountpoint)));
    others.end();
    session.request_unmount();
    return;
  }
  session.raise_read_ahead();
  mounted.sync().wait_for_owners(SyncControl::kOwnerPatience);
  const bool read_only = mounted.library().read_only();
  report.ready(fmt::format("{} is mounted on {}{}; {}", mounted.library().path(), plan.mountpoint,
                           read_only ? " (read-only)" : "", backup_line(mounted.sync(), read_only)));
  others.end();
  sd_notify(0, "READY=1");
}

Status serve_mounted(const MountPlan& plan, MountedLibrary& mounted, Session& session,
                     TerminationSignals& signals, StartReport& report) {
  // Shared: the catalog keeps its observer for longer than there is a session.
  const auto invalidator = std::make_shared<Invalidator>(session);
  mounted.library().catalog().add_observer([invalidator](const Change& change) { invalidator->post(change); },
                                           [invalidator] { invalidator->drain(); });
  SHOEBOX_TRY(session.mount(plan.mountpoint));
  log::Hold others;
  if (const Status started = mounted.start(plan.mountpoint); !started) {
    session.unmount();
    mounted.stop();
    return started;
  }
  signals.start([&](int signal) {
    log::info("signal {}: unmounts {}", signal, plan.mountpoint);
    session.request_unmount();
  });
  std::thread announcer([&] { announce(plan, mounted, session, report, others); });
  const Status served = session.run();
  sd_notify(0, "STOPPING=1");
  // Detached or not, from here on nobody asks: what is open is committed, what waits is answered.
  invalidator->stop();
  mounted.stop();
  session.unmount();
  announcer.join();
  signals.stop();
  log::info("{} is unmounted", plan.mountpoint);
  mounted.finish();
  return served;
}

Status serve(const MountPlan& plan, const OpenMountedLibrary& open, StartReport& report) {
  TerminationSignals signals;
  SHOEBOX_ASSIGN(const std::unique_ptr<MountedLibrary> mounted, open());
  for (const std::string& warning : mounted->library().settings().warnings())
    log::warning("{}/shoebox.toml: {}", mounted->library().path(), warning);
  MountOptions options = plan.options;
  options.read_only = options.read_only || mounted->library().read_only();
  Filesystem filesystem(mounted->library(), options);
  SHOEBOX_ASSIGN(const std::unique_ptr<Session> session,
                 Session::create(filesystem, mounted->library().path()));
  const Status served = serve_mounted(plan, *mounted, *session, signals, report);
  // Handles that the kernel never released hold parts of the library.
  filesystem.open_files.clear();
  return served;
}

}  // namespace

Status run_mount(const MountPlan& plan, const OpenMountedLibrary& open) {
  SHOEBOX_TRY(check_fuse_device());
  SHOEBOX_TRY(check_mount_point(plan.mountpoint, plan.library));
  return run_daemon(plan.foreground, [&](StartReport& report) { return serve(plan, open, report); });
}

}  // namespace shoebox
