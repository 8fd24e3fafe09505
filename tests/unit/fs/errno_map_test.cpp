#include "fs/errno_map.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace shoebox {
namespace {

TEST(ErrnoMap, SuccessIsZeroAndEveryFailureIsNot) {
  EXPECT_EQ(errno_of(Code::kOk), 0);
  for (int code = 1; code <= static_cast<int>(Code::kIncompatible); ++code) {
    EXPECT_GT(errno_of(static_cast<Code>(code)), 0) << code_name(static_cast<Code>(code));
  }
}

TEST(ErrnoMap, AnErrnoOfTheDiskComesBackAsItself) {
  for (const int error :
       {ENOENT, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY,  EACCES,  EPERM,  EINVAL, ENAMETOOLONG, ENOSPC,
        EROFS,  EBUSY,  EXDEV,   EMLINK, EOPNOTSUPP, ENODATA, ERANGE, EFBIG,  ENXIO,        EIO}) {
    EXPECT_EQ(errno_of(code_of_errno(error)), error);
  }
}

TEST(ErrnoMap, WhateverKeepsARemoteFromAnsweringIsAnInputOutputError) {
  for (const Code code :
       {Code::kTimeout, Code::kUnavailable, Code::kThrottled, Code::kUnauthorized, Code::kDataLoss}) {
    EXPECT_EQ(errno_of(code), EIO);
  }
}

TEST(ErrnoMap, AWaiterThatGaveUpWasInterrupted) { EXPECT_EQ(errno_of(Code::kCancelled), EINTR); }

}  // namespace
}  // namespace shoebox
