#include "fs/command/progress.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

class HandClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {}; }
  [[nodiscard]] Steady steady() const override { return at; }
  Steady at{};
};

class ProgressTest : public ::testing::Test {
 protected:
  Progress make(Progress::Style style, unsigned width = 80) {
    return Progress(style, width, clock, [this](std::string_view text) { out += text; });
  }
  HandClock clock;
  std::string out;
};

TEST_F(ProgressTest, ABarRedrawsItselfAndGoesAway) {
  {
    Progress progress = make(Progress::Style::kBar);
    progress.update(1, 2, "half");
    EXPECT_EQ(out, "\r\x1b[K[############............]  50% half");
    out.clear();
  }
  EXPECT_EQ(out, "\r\x1b[K");
}

TEST_F(ProgressTest, ABarIsDrawnAtMostTenTimesASecondButItsEndAlways) {
  Progress progress = make(Progress::Style::kBar);
  progress.update(1, 10, "a");
  out.clear();
  progress.update(2, 10, "b");
  EXPECT_EQ(out, "");
  clock.at += std::chrono::milliseconds(100);
  progress.update(3, 10, "c");
  EXPECT_NE(out, "");
  out.clear();
  progress.update(10, 10, "d");
  EXPECT_NE(out, "");
}

TEST_F(ProgressTest, ABarNeverWrapsAndNeverTearsACharacter) {
  Progress progress = make(Progress::Style::kBar, 40);
  progress.update(1, 2, "ööööööööööööööööööööööööööö");
  const std::string line = out.substr(out.find("[#"));
  size_t columns = 0;
  for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  EXPECT_EQ(columns, 39U);
  EXPECT_EQ(static_cast<unsigned char>(line.back()), 0xB6U);
}

TEST_F(ProgressTest, NotesStandAboveTheBar) {
  Progress progress = make(Progress::Style::kBar);
  progress.update(1, 2, "x");
  out.clear();
  progress.note("skipped y");
  EXPECT_EQ(out, "\r\x1b[Kskipped y\n");
}

TEST_F(ProgressTest, APipeGetsALineEveryFiveSecondsAndNoneForWhatIsOverAtOnce) {
  Progress progress = make(Progress::Style::kLines);
  progress.update(0, 10, "a");
  clock.at += std::chrono::seconds(5);
  progress.update(5, 10, "b");
  progress.update(6, 10, "c");
  clock.at += std::chrono::seconds(5);
  progress.update(7, 10, "d");
  EXPECT_EQ(out, "50% b\n70% d\n");
}

TEST_F(ProgressTest, JsonGetsNothing) {
  Progress progress = make(Progress::Style::kSilent);
  progress.update(1, 2, "x");
  progress.note("y");
  EXPECT_EQ(out, "");
}

TEST(Human, BytesAndCounts) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(50ULL << 30), "50.0 GiB");
  EXPECT_EQ(counted(1, "photo"), "1 photo");
  EXPECT_EQ(counted(0, "copy"), "0 copies");
  EXPECT_EQ(counted(3, "day"), "3 days");
}

}  // namespace
}  // namespace shoebox
