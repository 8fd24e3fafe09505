// The decoder as processes: a few shoebox-decoder, each reused for many files and replaced when it
// crashed, hung or has served long enough.
//
// Owned by the composition root; decode() and cancel() from any thread. decode() waits for a free process.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "store/base/file_io.h"
#include "store/base/mutex.h"
#include "store/decode/media_decoder.h"

namespace shoebox {

class DecoderProcess;

class DecoderPool final : public MediaDecoder {
 public:
  struct Options {
    std::string program;  // empty: find_program()
    size_t processes = 2;
    std::chrono::milliseconds deadline{10'000};
    unsigned files_per_process = 400;  // bounds leaks, and what a process that was taken over can lie about
  };
  explicit DecoderPool(Options options);
  ~DecoderPool() override;

  Result<DecodedMedia> decode(int fd, const std::string& name) override;
  Result<DecodedMedia> decode_part(int fd, const std::string& name, ByteRange hole) override;
  void cancel() override;

  // $SHOEBOX_DECODER, else shoebox-decoder beside this program, else ../libexec/shoebox/ of it.
  static std::string find_program();

 private:
  std::unique_ptr<DecoderProcess> take();  // null: cancelled
  void give_back(std::unique_ptr<DecoderProcess> process);

  const Options options_;
  const UniqueFd given_up_;  // an eventfd; once it can be read, nobody waits for a decoder any more
  Mutex mutex_;
  ConditionVariable returned_;
  std::vector<std::unique_ptr<DecoderProcess>> idle_ GUARDED_BY(mutex_);
  bool cancelled_ GUARDED_BY(mutex_) = false;
};

}  // namespace shoebox
