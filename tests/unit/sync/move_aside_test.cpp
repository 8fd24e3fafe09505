#include "sync/move_aside.h"

#include <gtest/gtest.h>

#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

TEST(MoveAside, WhoComesAgainAfterACrashFindsTheCopyThatWasMade) {
  testing::FakeClock clock;
  testing::FakeRemote remote("nas");
  remote.place("Library/a.jpg", "theirs");
  ASSERT_TRUE(move_aside(remote, "Library/a.jpg", clock, {}));
  ASSERT_TRUE(move_aside(remote, "Library/a.jpg", clock, {}));
  EXPECT_EQ(remote.keys().size(), 2U) << "one copy";
  remote.place("Library/a.jpg", "others");  // of the same size
  ASSERT_TRUE(move_aside(remote, "Library/a.jpg", clock, {}));
  EXPECT_EQ(remote.keys().size(), 3U) << "other bytes are kept as well";
}

}  // namespace
}  // namespace shoebox
