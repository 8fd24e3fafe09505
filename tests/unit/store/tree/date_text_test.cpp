#include "store/tree/date_text.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

TEST(DateTextTest, TellsWhatIsKnownAndNoMore) {
  EXPECT_EQ(date_text({2023}), "2023");
  EXPECT_EQ(date_text({2023, 7}), "2023-07");
  EXPECT_EQ(date_text({2023, 7, 14}), "2023-07-14");
  EXPECT_EQ(date_text({2023, 7, 14, 10, 11}), "2023-07-14T10:11:00");
  EXPECT_EQ(date_text({2023, 7, 14, 0, 5, 9}), "2023-07-14T00:05:09");
}

TEST(DateTextTest, AnHourWithoutItsDayIsLeftOut) { EXPECT_EQ(date_text({2023, 7, 0, 10, 11}), "2023-07"); }

}  // namespace
}  // namespace shoebox
