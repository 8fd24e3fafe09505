// One running shoebox-decoder: spawned, asked file by file, killed when it does not answer.
// Owned by DecoderPool; one thread at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "store/base/file_io.h"
#include "store/base/result.h"
#include "store/decode/media_decoder.h"
#include "store/decode/wire.h"

namespace shoebox {

class DecoderProcess {
 public:
  // Waits for its answers only until `given_up` (>= 0) can be read; outlives this.
  explicit DecoderProcess(int given_up = -1) : given_up_(given_up) {}
  ~DecoderProcess() { stop(); }
  DecoderProcess(const DecoderProcess&) = delete;
  DecoderProcess& operator=(const DecoderProcess&) = delete;

  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] unsigned files() const { return files_; }

  // Spawns `program` and waits until it has locked itself in. kUnavailable: it cannot be started. kCancelled:
  // given up.
  Status start(const std::string& program);
  // REQUIRES: running(). kUnavailable: it was gone before it took the file. kDataLoss: it died, ran
  // out of time or answered nonsense. kCancelled: given up. After any failure it is stopped.
  Result<DecodedMedia> decode(int fd, const wire::Request& request, std::chrono::milliseconds deadline);
  // Kills and reaps. Idempotent.
  void stop();

 private:
  std::string how_it_ended();

  const int given_up_;
  pid_t pid_ = -1;
  UniqueFd socket_;
  unsigned files_ = 0;
};

}  // namespace shoebox
