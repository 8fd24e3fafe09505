// The long form under libFuzzer: SHOEBOX_FUZZ_TARGET names the parser; with SHOEBOX_FUZZ_SEEDS, a folder, its
// seeds are written there first. tests/fuzz/run calls it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "store/base/file_io.h"
#include "target.h"

namespace {

const shoebox::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const char* name = std::getenv("SHOEBOX_FUZZ_TARGET");
  for (const shoebox::fuzz::Target& target : shoebox::fuzz::targets()) {
    if (name != nullptr && target.name == std::string(name)) chosen = &target;
  }
  if (chosen == nullptr) {
    std::fputs("SHOEBOX_FUZZ_TARGET must be one of:", stderr);
    for (const shoebox::fuzz::Target& target : shoebox::fuzz::targets())
      std::fprintf(stderr, " %s", target.name);
    std::fputc('\n', stderr);
    std::exit(2);
  }
  if (const char* folder = std::getenv("SHOEBOX_FUZZ_SEEDS")) {
    int number = 0;
    for (const std::string& seed : chosen->seeds()) {
      const std::string path = std::string(folder) + "/seed-" + std::to_string(++number);
      if (const shoebox::Status written = shoebox::write_file_atomically(path, seed); !written) {
        std::fprintf(stderr, "%s\n", written.message().c_str());
        std::exit(2);
      }
    }
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
