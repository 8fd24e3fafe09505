#include "store/decode/sandbox.h"

#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

// GCC has macros for its sanitizers, clang features.
#if defined(__has_feature)
#define SHOEBOX_HAS_FEATURE(x) __has_feature(x)
#else
#define SHOEBOX_HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                   \
    SHOEBOX_HAS_FEATURE(address_sanitizer) || SHOEBOX_HAS_FEATURE(thread_sanitizer) || \
    SHOEBOX_HAS_FEATURE(memory_sanitizer)
#define SHOEBOX_SANITIZED 1
#else
#define SHOEBOX_SANITIZED 0
#endif

namespace shoebox {
namespace {

Status set_limit(__rlimit_resource which, rlim_t value, const char* name) {
  const rlimit limit{value, value};
  if (setrlimit(which, &limit) != 0) return Status::from_errno(errno, std::string("limit ") + name);
  return Status::ok();
}

Status set_limits(const SandboxLimits& limits) {
  // Sanitizers reserve terabytes of address space for their shadow.
  if (!SHOEBOX_SANITIZED) SHOEBOX_TRY(set_limit(RLIMIT_AS, limits.address_space_bytes, "address space"));
  SHOEBOX_TRY(set_limit(RLIMIT_CPU, limits.cpu_s, "cpu time"));
  SHOEBOX_TRY(set_limit(RLIMIT_CORE, 0, "core size"));
  SHOEBOX_TRY(set_limit(RLIMIT_FSIZE, 0, "file size"));
  // Descriptors 0 to 3, the file at hand, and one while it is passed.
  return set_limit(RLIMIT_NOFILE, 16, "open files");
}

// A ruleset that handles every right and grants none. A kernel without Landlock leaves it to seccomp.
Status forbid_paths() {
  landlock_ruleset_attr rights{};
  rights.handled_access_fs =
      LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
      LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
      LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
      LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
      LANDLOCK_ACCESS_FS_MAKE_SYM;
  const int ruleset = static_cast<int>(syscall(SYS_landlock_create_ruleset, &rights, sizeof rights, 0));
  if (ruleset < 0) return Status::ok();
  const bool locked = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  const int error = errno;
  close(ruleset);
  return locked ? Status::ok() : Status::from_errno(error, "landlock");
}

struct FilterRelease {
  void operator()(void* filter) const { seccomp_release(filter); }
};

class Filter {
 public:
  Filter() : filter_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) { ok_ = filter_ != nullptr; }
  // Names that this architecture or libseccomp does not know are skipped.
  void rule(uint32_t action, const char* name) { rule_if(action, name, nullptr); }
  void rule_if(uint32_t action, const char* name, const scmp_arg_cmp* condition) {
    const int number = seccomp_syscall_resolve_name(name);
    if (!ok_ || number == __NR_SCMP_ERROR) return;
    ok_ = seccomp_rule_add_array(filter_.get(), action, number, condition != nullptr ? 1 : 0, condition) == 0;
  }
  Status load() {
    if (!ok_) return {Code::kIo, "seccomp: the filter cannot be built"};
    if (seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_TSYNC, 1) != 0) {
      return {Code::kNotSupported, "seccomp: this kernel cannot lock in all threads"};
    }
    const int error = seccomp_load(filter_.get());
    return error == 0 ? Status::ok() : Status::from_errno(-error, "seccomp");
  }

 private:
  std::unique_ptr<void, FilterRelease> filter_;
  bool ok_ = false;
};

Status filter_syscalls() {
  Filter filter;
  // The file, the socket, memory, threads, time, and an orderly end.
  for (const char* name : {"read",
                           "readv",
                           "pread64",
                           "preadv",
                           "write",
                           "writev",
                           "lseek",
                           "close",
                           "fstat",
                           "newfstatat",
                           "statx",
                           "sendmsg",
                           "recvmsg",
                           "poll",
                           "ppoll",
                           "brk",
                           "munmap",
                           "mremap",
                           "madvise",
                           "futex",
                           "futex_time64",
                           "set_robust_list",
                           "rseq",
                           "membarrier",
                           "sched_yield",
                           "sched_getaffinity",
                           "exit",
                           "exit_group",
                           "rt_sigaction",
                           "rt_sigprocmask",
                           "rt_sigreturn",
                           "sigaltstack",
                           "restart_syscall",
                           "clock_gettime",
                           "clock_getres",
                           "clock_nanosleep",
                           "nanosleep",
                           "gettimeofday",
                           "time",
                           "getpid",
                           "gettid",
                           "getrandom",
                           "getrusage",
                           "sysinfo",
                           "uname",
                           "alarm",
                           "setitimer",
                           "getcpu"}) {
    filter.rule(SCMP_ACT_ALLOW, name);
  }
  // Memory that is written is never run.
  const scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  filter.rule_if(SCMP_ACT_ALLOW, "mmap", &not_executable);
  filter.rule_if(SCMP_ACT_ALLOW, "mprotect", &not_executable);
  // Threads, no processes. clone3 hides its flags in memory: glibc then takes clone.
  const scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
  filter.rule_if(SCMP_ACT_ALLOW, "clone", &thread);
  filter.rule(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  // abort() and only of ourselves.
  const scmp_arg_cmp self = SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()));
  filter.rule_if(SCMP_ACT_ALLOW, "tgkill", &self);
  const scmp_arg_cmp set_name = SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME);
  filter.rule_if(SCMP_ACT_ALLOW, "prctl", &set_name);
  const scmp_arg_cmp get_flags = SCMP_A1(SCMP_CMP_LE, 4);  // F_DUPFD ... F_SETFL: our own descriptors
  filter.rule_if(SCMP_ACT_ALLOW, "fcntl", &get_flags);
  // Libraries look for optional files (locale, profiles, /proc): they are told no.
  for (const char* name : {"open", "openat", "openat2", "access", "faccessat", "faccessat2", "stat", "lstat",
                           "readlink", "readlinkat", "getcwd"}) {
    filter.rule(SCMP_ACT_ERRNO(EACCES), name);
  }
  // Nothing a decoder ever needs: only code that was taken over asks for these.
  for (const char* name : {"execve",
                           "execveat",
                           "fork",
                           "vfork",
                           "socket",
                           "connect",
                           "bind",
                           "listen",
                           "accept",
                           "accept4",
                           "ptrace",
                           "process_vm_readv",
                           "process_vm_writev",
                           "pidfd_getfd",
                           "kill",
                           "tkill",
                           "bpf",
                           "io_uring_setup",
                           "userfaultfd",
                           "keyctl",
                           "add_key",
                           "mount",
                           "umount2",
                           "unshare",
                           "setns",
                           "pivot_root",
                           "chroot",
                           "init_module",
                           "finit_module",
                           "kexec_load",
                           "perf_event_open"}) {
    filter.rule(SCMP_ACT_KILL_PROCESS, name);
  }
  if (SHOEBOX_SANITIZED) {
    // What the sanitizers' runtimes do to print a report.
    for (const char* name : {"mmap", "mprotect", "ioctl", "prctl", "getppid", "getuid", "geteuid", "getgid",
                             "getegid", "prlimit64", "sched_setaffinity", "rt_sigtimedwait"}) {
      filter.rule(SCMP_ACT_ALLOW, name);
    }
  }
  return filter.load();
}

}  // namespace

bool sandbox_is_relaxed() { return SHOEBOX_SANITIZED != 0; }

Status lock_in(const SandboxLimits& limits) {
  SHOEBOX_TRY(set_limits(limits));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Status::from_errno(errno, "no_new_privs");
  SHOEBOX_TRY(forbid_paths());
  return filter_syscalls();
}

}  // namespace shoebox
