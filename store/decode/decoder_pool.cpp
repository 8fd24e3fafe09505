#include "store/decode/decoder_pool.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>

#include "store/base/log.h"
#include "store/decode/decoder_process.h"

namespace shoebox {
namespace {

DecoderPool::Options completed(DecoderPool::Options options) {
  if (options.program.empty()) options.program = DecoderPool::find_program();
  return options;
}

}  // namespace

// Without an eventfd, which needs a process at its limit of descriptors, cancel() only keeps new files away.
DecoderPool::DecoderPool(Options options)
    : options_(completed(std::move(options))), given_up_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (size_t i = 0; i < options_.processes; ++i)
    idle_.push_back(std::make_unique<DecoderProcess>(given_up_.get()));
}

DecoderPool::~DecoderPool() = default;

std::string DecoderPool::find_program() {
  if (const char* given = std::getenv("SHOEBOX_DECODER"); given != nullptr && *given != '\0') return given;
  char self[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof self);
  std::string folder(self, length > 0 ? static_cast<size_t>(length) : 0);
  folder.resize(folder.find_last_of('/') == std::string::npos ? 0 : folder.find_last_of('/'));
  const std::string beside = folder + "/shoebox-decoder";
  if (access(beside.c_str(), X_OK) == 0) return beside;
  return folder + "/../libexec/shoebox/shoebox-decoder";
}

Result<DecodedMedia> DecoderPool::decode(int fd, const std::string& name) {
  return decode_part(fd, name, {});
}

Result<DecodedMedia> DecoderPool::decode_part(int fd, const std::string& name, ByteRange hole) {
  std::unique_ptr<DecoderProcess> process = take();
  if (!process) return {Code::kCancelled, fmt::format("decode \"{}\": decoding ends", name)};
  if (process->files() >= options_.files_per_process) process->stop();
  Result<DecodedMedia> media(Code::kUnavailable, "the decoder ended before it took the file");
  // An idle process may have been killed (memory ran out): the file is not to blame, one more try.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!process->running()) {
      if (Status started = process->start(options_.program); !started.is_ok()) {
        media = started;
        break;
      }
    }
    media = process->decode(fd, {name, hole}, options_.deadline);
    if (media.is_ok() || media.code() != Code::kUnavailable) break;
  }
  give_back(std::move(process));
  return media;
}

void DecoderPool::cancel() {
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
  }
  returned_.notify_all();
  if (given_up_ && ::eventfd_write(given_up_.get(), 1) != 0) log::debug("eventfd: errno {}", errno);
}

std::unique_ptr<DecoderProcess> DecoderPool::take() NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(mutex_);
  returned_.wait(mutex_, [this]() REQUIRES(mutex_) { return cancelled_ || !idle_.empty(); });
  if (cancelled_) return nullptr;
  // The one returned last: a pool that has little to do keeps one process warm.
  std::unique_ptr<DecoderProcess> process = std::move(idle_.back());
  idle_.pop_back();
  return process;
}

void DecoderPool::give_back(std::unique_ptr<DecoderProcess> process) {
  {
    MutexLock lock(mutex_);
    idle_.push_back(std::move(process));
  }
  returned_.notify_one();
}

}  // namespace shoebox
