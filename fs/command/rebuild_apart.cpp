#include "fs/command/rebuild_apart.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "fs/command/composition.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/verb.h"
#include "fs/signals.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/library.h"

namespace shoebox {
namespace {

Status check_origin(const std::string& library, const RemoteSettings& remote) {
  SHOEBOX_ASSIGN(const Settings settings, Settings::load(library + "/shoebox.toml"));
  const bool same = std::any_of(settings.remotes.begin(), settings.remotes.end(),
                                [&](const RemoteSettings& one) { return one.url == remote.url; });
  if (same) return Status::ok();
  return {Code::kInvalid,
          fmt::format("{} is a library already, and {} is none of its remotes; name a new folder", library,
                      remote.url)};
}

Status rebuild_here(FrontEnd& front, RebuildPlan plan) {
  log::set_level(log::Level::kError);  // what matters is told as notes
  TerminationSignals signals;
  signals.start([cancel = front.cancel](int) { cancel.cancel(); });
  const SystemClock clock;
  Progress progress = progress_on_stderr(front.json, clock);
  plan.cancel = front.cancel;
  plan.progress = [&](std::string_view text, uint64_t done, uint64_t total) {
    progress.update(done, total, text);
  };
  plan.note = [&](const std::string& line) { progress.note(printable(line)); };
  const Result<RebuildResult> result = front.composition.rebuild(plan);
  progress.clear();
  if (!result) return result.status();
  return front.composition.finish_rebuild(plan.library);
}

int wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Result<bool> rebuild_apart(FrontEnd& front, const std::string& library, const RemoteSettings& remote,
                           const std::string& id) {
  const bool begun = ::access((library + "/" + kRebuildFolder).c_str(), F_OK) == 0;
  if (!begun && holds_library(library)) {
    SHOEBOX_TRY(check_origin(library, remote));
    return true;
  }
  const pid_t process = ::fork();
  if (process < 0) return Status::from_errno(errno, "fork");
  if (process > 0) {
    const int code = wait_for(process);
    if (code < 0)
      complain("the process that made the library ended before its time; run the same command again");
    return code == 0;
  }
  RebuildPlan plan;
  plan.library = library;
  plan.remote = remote;
  plan.id = id;
  plan.catalog_only = true;
  const Status rebuilt = rebuild_here(front, std::move(plan));
  if (!rebuilt) complain(printable(rebuilt.message()));
  std::fflush(nullptr);
  ::_exit(rebuilt ? 0 : 1);
}

}  // namespace shoebox
