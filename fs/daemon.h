// Going into the background: the command's process forks before anything is opened, waits until
// the child says that the mount answers (or why it does not), and ends with that.
#pragma once

#include <functional>
#include <string>

#include "store/base/file_io.h"
#include "store/base/result.h"

namespace shoebox {

// The child's side of the pipe to the waiting command. In the foreground: says it itself.
class StartReport {
 public:
  StartReport() = default;                                         // foreground
  explicit StartReport(UniqueFd pipe) : pipe_(std::move(pipe)) {}  // child of a daemon start
  StartReport(StartReport&&) = default;

  // Once: all is well, here is the line. A daemon lets go of the terminal and logs to syslog.
  void ready(const std::string& line);
  // Tells the waiting command; in the foreground nothing, the caller returns the same Status.
  void failed(const Status& why);

 private:
  UniqueFd pipe_;
  bool said_ = false;
};

// Runs `serve` in a forked child, or here when `foreground`. REQUIRES: one thread, nothing open.
// In the parent: returns what the child reported. In the child: what `serve` returned.
Status run_daemon(bool foreground, const std::function<Status(StartReport&)>& serve);

}  // namespace shoebox
