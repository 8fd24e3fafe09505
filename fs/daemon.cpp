#include "fs/daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "store/base/log.h"

namespace shoebox {
namespace {

// One byte says which Code (0: ready), then the text follows to the end.
Status read_report(int pipe, std::string* line) {
  std::string bytes;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(pipe, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    bytes.append(buffer, static_cast<size_t>(got));
  }
  if (bytes.empty()) return {Code::kIo, "the process that should serve the mount ended without a word"};
  const auto code = static_cast<Code>(bytes[0]);
  if (code != Code::kOk) return {code, bytes.substr(1)};
  *line = bytes.substr(1);
  return Status::ok();
}

void print_line(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void let_go_of_terminal() {
  const Result<UniqueFd> null = open_file("/dev/null", O_RDWR);
  if (!null.is_ok()) return;
  std::fflush(stdout);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null->get(), fd);
}

Status wait_for_child(pid_t child, UniqueFd pipe) {
  std::string line;
  const Status report = read_report(pipe.get(), &line);
  if (report.is_ok()) {
    print_line(line);
    return report;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    return {Code::kIo, fmt::format("{} (signal {})", report.message(), WTERMSIG(status))};
  }
  return report;
}

}  // namespace

void StartReport::ready(const std::string& line) {
  if (std::exchange(said_, true)) return;
  if (!pipe_) return print_line(line);
  // A parent that was killed meanwhile does not matter.
  if (!write_full(pipe_.get(), std::string(1, '\0') + line)) log::debug("nobody waits for the mount");
  log::to_syslog("shoebox");
  let_go_of_terminal();
  pipe_.reset();
}

void StartReport::failed(const Status& why) {
  if (std::exchange(said_, true) || !pipe_) return;
  if (!write_full(pipe_.get(), std::string(1, static_cast<char>(why.code())) + why.message())) {
    log::error("{}", why.message());
  }
  let_go_of_terminal();  // whoever waits prints it
  pipe_.reset();
}

Status run_daemon(bool foreground, const std::function<Status(StartReport&)>& serve) {
  if (foreground) {
    StartReport report;
    return serve(report);
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Status::from_errno(errno, "make a pipe");
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return Status::from_errno(errno, "start the process that serves the mount");
  if (child > 0) {
    write_end.reset();
    return wait_for_child(child, std::move(read_end));
  }
  read_end.reset();
  setsid();
  if (chdir("/") != 0) log::debug("chdir /: errno {}", errno);
  StartReport report(std::move(write_end));
  const Status served = serve(report);
  if (!served) report.failed(served);
  return served;
}

}  // namespace shoebox
