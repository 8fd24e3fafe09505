#include "store/decode/decoder_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "store/decode/wire.h"

namespace shoebox {
namespace {

constexpr int kSocketFd = 3;  // where the decoder finds its socket (WIRE.md)
// A machine that is busy with other things must not make a photo undecodable: past the deadline a process
// that did not get its share of the processors goes on, up to so many deadlines.
constexpr int kStarvedDeadlines = 3;
constexpr std::chrono::seconds kStartDeadline{30};  // loading the libraries; long on a busy small machine

// A clean environment: nothing of the owner's reaches a process that reads hostile files.
std::vector<std::string> environment() {
  std::vector<std::string> out = {"LC_ALL=C.UTF-8",     "TZ=UTC",
                                  "VIPS_CONCURRENCY=1", "VIPS_DISC_THRESHOLD=3g",
                                  "MALLOC_ARENA_MAX=2", "VIPS_NOVECTOR=1"};
  for (const char* name :
       {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) out.push_back(fmt::format("{}={}", name, value));
  }
  return out;
}

std::chrono::nanoseconds processor_time_of(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return {};
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

class SpawnSetup {
 public:
  explicit SpawnSetup(int socket) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    const bool keep_stderr = std::getenv("SHOEBOX_DECODER_STDERR") != nullptr;
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, 1, "/dev/null", O_WRONLY, 0);
    // Libraries complain about every odd file; that is no news for the owner.
    if (!keep_stderr) posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, socket, kSocketFd);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kSocketFd + 1);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  Result<pid_t> spawn(const std::string& program) {
    std::vector<std::string> variables = environment();
    std::vector<char*> environment_pointers;
    environment_pointers.reserve(variables.size() + 1);
    for (std::string& variable : variables) environment_pointers.push_back(variable.data());
    environment_pointers.push_back(nullptr);
    std::string name = "shoebox-decoder";
    char* arguments[] = {name.data(), nullptr};
    pid_t pid = -1;
    const int error =
        posix_spawn(&pid, program.c_str(), &actions_, &attributes_, arguments, environment_pointers.data());
    if (error != 0) {
      return {Code::kUnavailable, fmt::format("start {}: {}; photos show undated until it can run", program,
                                              std::strerror(error))};
    }
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

Status DecoderProcess::start(const std::string& program) {
  stop();
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return {Code::kUnavailable, fmt::format("start {}: no socket: {}", program, std::strerror(errno))};
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  // dup2 onto itself would keep close-on-exec; the copy has a number above all that are used.
  if (theirs.get() == kSocketFd) {
    UniqueFd moved(fcntl(theirs.get(), F_DUPFD_CLOEXEC, kSocketFd + 1));
    if (!moved) return {Code::kUnavailable, fmt::format("start {}: {}", program, std::strerror(errno))};
    theirs = std::move(moved);
  }
  SHOEBOX_ASSIGN(pid_, SpawnSetup(theirs.get()).spawn(program));
  socket_ = std::move(ours);
  theirs.reset();
  files_ = 0;
  const Result<std::string> greeting =
      wire::receive_frame(socket_.get(), 16, {std::chrono::steady_clock::now() + kStartDeadline, given_up_});
  Status status = greeting.is_ok() ? wire::parse_ready(greeting.value()) : greeting.status();
  if (status.is_ok()) return status;
  const std::string end = status.code() == Code::kUnavailable ? how_it_ended() : status.message();
  stop();
  const Code code = status.code() == Code::kCancelled ? Code::kCancelled : Code::kUnavailable;
  return {code, fmt::format("start {}: {}", program, end)};
}

Result<DecodedMedia> DecoderProcess::decode(int fd, const wire::Request& request,
                                            std::chrono::milliseconds deadline) {
  const auto begin = std::chrono::steady_clock::now();
  const auto used_before = processor_time_of(pid_);
  if (Status sent = wire::send_frame(socket_.get(), wire::encode(request), fd); !sent.is_ok()) {
    stop();
    return Status(Code::kUnavailable, "the decoder is gone: " + sent.message());
  }
  ++files_;
  Status ready = wire::wait_readable(socket_.get(), {begin + deadline, given_up_});
  for (int i = 2; i <= kStarvedDeadlines && ready.code() == Code::kTimeout; ++i) {
    if (processor_time_of(pid_) - used_before > deadline * 3 / 4) break;
    ready = wire::wait_readable(socket_.get(), {begin + i * deadline, given_up_});
  }
  // What answers at all sends its frame at once.
  Result<std::string> reply(Code::kTimeout, "");
  if (ready.is_ok()) {
    reply = wire::receive_frame(socket_.get(), wire::kMaxReplyBytes,
                                {std::chrono::steady_clock::now() + deadline, given_up_});
  } else {
    reply = ready;
  }
  if (!reply.is_ok()) {
    std::string why = reply.status().message();
    if (reply.code() == Code::kTimeout) why = fmt::format("no answer in {} s", deadline.count() / 1000.0);
    if (reply.code() == Code::kUnavailable) why = how_it_ended();
    stop();
    return {reply.code() == Code::kCancelled ? Code::kCancelled : Code::kDataLoss,
            fmt::format("decode \"{}\": {}", request.name, why)};
  }
  Result<DecodedMedia> media = wire::parse_reply(reply.value());
  if (!media.is_ok()) stop();
  return media;
}

std::string DecoderProcess::how_it_ended() {
  if (pid_ <= 0) return "the decoder is not running";
  // The socket closed, so it is ending. SIGKILL makes sure of that, and does not hide why: the first
  // end that a process was given is the one that is told.
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) return fmt::format("the decoder was killed by signal {}", WTERMSIG(status));
  return fmt::format("the decoder ended with status {}", WEXITSTATUS(status));
}

void DecoderProcess::stop() {
  socket_.reset();
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace shoebox
