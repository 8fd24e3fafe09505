// The short form of tests/fuzz/run: every parser of untrusted bytes gets its seeds, what fuzzers found once
// (found/NAME/), and some thousand mutations of the seeds, the same each time.
#include <gtest/gtest.h>

#include <filesystem>

#include "mutate.h"
#include "store/base/file_io.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

constexpr int kRuns = 5000;  // for each; all of them take seconds

class ShortRuns : public testing::TestWithParam<Target> {};

TEST_P(ShortRuns, KeepThePromises) {
  const Target& target = GetParam();
  const std::vector<std::string> seeds = target.seeds();
  ASSERT_FALSE(seeds.empty());
  for (const std::string& seed : seeds) target.run(seed);
  target.run("");

  const std::filesystem::path found = std::filesystem::path(SHOEBOX_FUZZ_FOUND) / target.name;
  if (std::filesystem::exists(found)) {
    for (const auto& entry : std::filesystem::directory_iterator(found)) {
      const auto bytes = read_file(entry.path().string());
      ASSERT_TRUE(bytes) << bytes.status().message();
      target.run(*bytes);
    }
  }
  std::mt19937_64 random(20230714);
  for (int i = 0; i < kRuns; ++i) target.run(mutated(seeds, random));
}

INSTANTIATE_TEST_SUITE_P(Fuzz, ShortRuns, testing::ValuesIn(targets()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace shoebox::fuzz
