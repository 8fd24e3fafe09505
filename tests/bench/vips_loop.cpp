// The yardstick for thumbnails: vips_thumbnail in a loop in one process, 1024 px then 256 px of each
// file named on the command line, as Shoebox makes them. Prints the seconds it took.
#include <vips/vips.h>

#include <chrono>
#include <cstdio>

namespace {

bool thumbnail(const char* path, int size_px) {
  VipsImage* image = nullptr;
  if (vips_thumbnail(path, &image, size_px, "height", size_px, "size", VIPS_SIZE_DOWN, nullptr) != 0)
    return false;
  void* jpeg = nullptr;
  size_t bytes = 0;
  const bool saved = vips_jpegsave_buffer(image, &jpeg, &bytes, "Q", 80, nullptr) == 0;
  g_object_unref(image);
  g_free(jpeg);
  return saved;
}

}  // namespace

int main(int argc, char** argv) {
  if (VIPS_INIT(argv[0]) != 0) return 1;
  vips_concurrency_set(1);
  const auto begin = std::chrono::steady_clock::now();
  int made = 0;
  for (int i = 1; i < argc; ++i) made += thumbnail(argv[i], 1024) && thumbnail(argv[i], 256);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%d %.4f\n", made, seconds.count());
  vips_shutdown();
  return made == argc - 1 ? 0 : 1;
}
