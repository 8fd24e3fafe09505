#include "store/base/file_hash.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "store/base/file_io.h"
#include "store/base/hash.h"

namespace shoebox {
namespace {

TEST(FileHash, IsThatOfAllBytesWhereverReadingStarts) {
  const UniqueFd fd(::memfd_create("hashed", MFD_CLOEXEC));
  EXPECT_EQ(*sha256_of_file(fd.get(), {}), sha256(""));
  const std::string bytes((1 << 20) + 17, 'x');
  ASSERT_TRUE(write_full(fd.get(), bytes));
  EXPECT_EQ(*sha256_of_file(fd.get(), {}), sha256(bytes));
  ASSERT_TRUE(pwrite_full(fd.get(), "y", 1, bytes.size() - 1));
  EXPECT_NE(*sha256_of_file(fd.get(), {}), sha256(bytes));
}

TEST(FileHash, EndsWhenNobodyWantsItAnyMoreOrTheFileCannotBeRead) {
  const UniqueFd fd(::memfd_create("hashed", MFD_CLOEXEC));
  const CancelToken cancel;
  cancel.cancel();
  EXPECT_EQ(sha256_of_file(fd.get(), cancel).code(), Code::kCancelled);
  EXPECT_FALSE(sha256_of_file(-1, {}));
}

}  // namespace
}  // namespace shoebox
