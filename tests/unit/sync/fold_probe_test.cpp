#include "sync/fold_probe.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/sync/model_remote.h"

namespace shoebox {
namespace {

constexpr const char* kKey = ".shoebox/probe-1-a\u00e9";

TEST(FoldProbe, TellsWhetherSpellingsAreOneObject) {
  std::mt19937 random(1);
  for (const bool folds : {false, true}) {
    testing::ModelRemote remote("nas", random);
    remote.folds = folds;
    const auto found = remote_folds_keys(remote, kKey, {});
    ASSERT_TRUE(found) << found.status().message();
    EXPECT_EQ(*found, folds);
    EXPECT_TRUE(remote.objects.contains(kKey)) << "who asked knows of it and removes it";
  }
}

TEST(FoldProbe, AFailedAnswerIsNoAnswer) {
  std::mt19937 random(1);
  for (int calls = 0; calls < 3; ++calls) {
    testing::ModelRemote remote("nas", random);
    remote.calls_to_live = calls;
    EXPECT_EQ(remote_folds_keys(remote, kKey, {}).code(), Code::kUnavailable) << calls;
  }
}

}  // namespace
}  // namespace shoebox
