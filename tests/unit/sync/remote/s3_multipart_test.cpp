// Part sizes and the text of resumable progress; whole uploads are in s3_remote_test.cpp.
#include "sync/remote/s3_multipart.h"

#include <gtest/gtest.h>

#include "sync/remote/part_size.h"

namespace shoebox {
namespace {

TEST(Multipart, PartsGrowWithTheObject) {
  EXPECT_EQ(part_size_for(1 << 30, 16 << 20), 16u << 20);
  const uint64_t huge = 5ULL << 40;
  const uint64_t part = part_size_for(huge, 16 << 20);
  EXPECT_LE((huge + part - 1) / part, 10'000u);
  EXPECT_EQ(part % (1 << 20), 0u);
}

TEST(Multipart, ProgressSurvivesItsText) {
  const MultipartProgress progress{100, "ab", 16, "id with / and +=", {{1, "e1", 0}, {2, "e2-x", 0}}};
  auto read = MultipartProgress::parse(progress.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text(), progress.text());
  for (const char* bad : {"", "x", "shoebox-multipart 2 1 a 1 id\n", "shoebox-multipart 1 1 a 0 id\n",
                          "shoebox-multipart 1 1 a 1 \n", "shoebox-multipart 1 1 a 1 id\nx y\n"}) {
    EXPECT_FALSE(MultipartProgress::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace shoebox
