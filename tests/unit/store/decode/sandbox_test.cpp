// Inside the sandbox the forbidden is refused or ends the process. Each attempt runs in a child.
#include "store/decode/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

namespace shoebox {
namespace {

constexpr int kNotLocked = 250;  // beyond every errno

// Runs `attempt` locked in, in a child; its wait status. The attempt's value becomes the exit status.
int wait_status_of(const std::function<int()>& attempt) {
  const pid_t child = fork();
  if (child == 0) {
    if (!lock_in({}).is_ok()) _exit(kNotLocked);
    _exit(attempt());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

// The errno with which the attempt failed; 0: it worked; -SIGNAL: it was killed.
int outcome_of(const std::function<bool()>& attempt) {
  const int status = wait_status_of([&] { return attempt() ? 0 : errno; });
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(SandboxTest, OrderlyWorkGoesOn) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(outcome_of([&] {
              std::string memory(32 << 20, 'x');
              int sum = 0;
              std::thread worker([&sum] { sum = 42; });
              worker.join();
              char byte = memory[5];
              return sum == 42 && write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1;
            }),
            0);
  close(ends[0]);
  close(ends[1]);
}

TEST(SandboxTest, NoPathOpens) {
  EXPECT_EQ(outcome_of([] { return open("/etc/passwd", O_RDONLY) >= 0; }), EACCES);
  EXPECT_EQ(outcome_of([] { return open("/tmp/shoebox-sandbox-test", O_CREAT | O_WRONLY, 0600) >= 0; }),
            EACCES);
  EXPECT_EQ(outcome_of([] { return open("/proc/self/mem", O_RDWR) >= 0; }), EACCES);
  EXPECT_EQ(outcome_of([] { return access("/etc", R_OK) == 0; }), EACCES);
}

TEST(SandboxTest, TheDiskIsNotChanged) {
  EXPECT_EQ(outcome_of([] { return unlink("/tmp/shoebox-no-such-file") == 0; }), EPERM);
  EXPECT_EQ(outcome_of([] { return mkdir("/tmp/shoebox-sandbox-test", 0700) == 0; }), EPERM);
  EXPECT_EQ(outcome_of([] { return rename("/tmp/a", "/tmp/b") == 0; }), EPERM);
  EXPECT_EQ(outcome_of([] { return chmod("/tmp", 0777) == 0; }), EPERM);
}

TEST(SandboxTest, ProgramsSocketsAndOtherProcessesKill) {
  EXPECT_EQ(outcome_of([] { return execl("/bin/true", "true", nullptr) == 0; }), -SIGSYS);
  EXPECT_EQ(outcome_of([] { return socket(AF_INET, SOCK_STREAM, 0) >= 0; }), -SIGSYS);
  EXPECT_EQ(outcome_of([] { return socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }), -SIGSYS);
  EXPECT_EQ(outcome_of([] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }), -SIGSYS);
  const pid_t parent = getpid();
  EXPECT_EQ(outcome_of([parent] { return kill(parent, 0) == 0; }), -SIGSYS);
}

TEST(SandboxTest, NoNewProcessAndNoSignalToAnother) {
  EXPECT_NE(outcome_of([] { return syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr) >= 0; }),
            0);
  const pid_t parent = getpid();
  EXPECT_EQ(outcome_of([parent] { return syscall(SYS_tgkill, parent, parent, 0) == 0; }), EPERM);
}

TEST(SandboxTest, MemoryIsNotExecutableAndNotEndless) {
  if (sandbox_is_relaxed()) GTEST_SKIP() << "built with a sanitizer, which maps memory itself";
  EXPECT_EQ(outcome_of([] {
              return mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                          0) != MAP_FAILED;
            }),
            EPERM);
  EXPECT_EQ(outcome_of([] {
              return mmap(nullptr, size_t{8} << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                          -1, 0) != MAP_FAILED;
            }),
            ENOMEM);
  EXPECT_EQ(outcome_of([] {
              const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
              return setrlimit(RLIMIT_AS, &all) == 0;
            }),
            EPERM);
}

TEST(SandboxTest, ThreadsThatRanBeforeAreLockedInToo) {
  const int status = wait_status_of([] { return 0; });
  ASSERT_EQ(status, 0);
  const pid_t child = fork();
  if (child == 0) {
    int to_thread[2], from_thread[2];
    if (pipe(to_thread) != 0 || pipe(from_thread) != 0) _exit(1);
    std::thread early([&] {
      char byte = 0;
      (void)!read(to_thread[0], &byte, 1);
      const char result = open("/etc/passwd", O_RDONLY) >= 0 ? 'y' : 'n';
      (void)!write(from_thread[1], &result, 1);
    });
    if (!lock_in({}).is_ok()) _exit(kNotLocked);
    char result = 'g';
    (void)!write(to_thread[1], &result, 1);
    (void)!read(from_thread[0], &result, 1);
    early.join();
    _exit(result == 'n' ? 0 : 2);
  }
  int early_status = 0;
  waitpid(child, &early_status, 0);
  EXPECT_EQ(early_status, 0);
}

}  // namespace
}  // namespace shoebox
