// shoebox-decoder: reads untrusted photos and videos for Shoebox, locked in. Started by DecoderPool
// with a socket as descriptor 3 (WIRE.md); serves one file after the other until the socket closes.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "store/base/file_io.h"
#include "store/decode/decoder/decode.h"
#include "store/decode/sandbox.h"
#include "store/decode/wire.h"

namespace {

constexpr int kSocketFd = 3;
// Ends a decoder that hangs when its parent is gone; the parent's own deadline is shorter.
constexpr unsigned kWatchdog_s = 60;

// When memory runs out, a decoder goes before anything else of the owner's.
void yield_to_others() {
  (void)setpriority(PRIO_PROCESS, 0, 5);
  const shoebox::UniqueFd fd(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (fd) (void)!write(fd.get(), "500", 3);
}

int serve() {
  using namespace shoebox;
  for (;;) {
    UniqueFd file;
    const Result<std::string> frame =
        wire::receive_frame(kSocketFd, wire::kMaxRequestBytes, wire::Deadline::max(), &file);
    if (!frame.is_ok()) return frame.code() == Code::kUnavailable ? EXIT_SUCCESS : EXIT_FAILURE;
    const Result<wire::Request> request = wire::parse_request(frame.value());
    if (!request.is_ok() || !file) return EXIT_FAILURE;
    alarm(kWatchdog_s);
    const DecodedMedia media = decoder::decode(file.get(), request.value().name, request.value().hole);
    alarm(0);
    if (Status sent = wire::send_frame(kSocketFd, wire::encode(media)); !sent.is_ok()) return EXIT_SUCCESS;
  }
}

}  // namespace

int main() {
  if (fcntl(kSocketFd, F_GETFD) < 0) {
    std::fputs("shoebox-decoder is started by shoebox and serves it alone\n", stderr);
    return EXIT_FAILURE;
  }
  (void)signal(SIGINT, SIG_IGN);  // Ctrl-C is for the parent, which then closes the socket
  yield_to_others();
  if (!shoebox::decoder::start_libraries()) {
    std::fputs("shoebox-decoder: libvips does not start\n", stderr);
    return EXIT_FAILURE;
  }
  if (shoebox::Status locked = shoebox::lock_in({}); !locked.is_ok()) {
    std::fprintf(stderr, "shoebox-decoder: cannot lock itself in: %s\n", locked.message().c_str());
    return EXIT_FAILURE;
  }
  if (!shoebox::wire::send_frame(kSocketFd, shoebox::wire::encode_ready()).is_ok()) return EXIT_FAILURE;
  return serve();
}
