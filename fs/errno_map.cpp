#include "fs/errno_map.h"

#include <cerrno>

namespace shoebox {

int errno_of(Code code) {
  switch (code) {
    case Code::kOk: return 0;
    case Code::kNotFound: return ENOENT;
    case Code::kExists: return EEXIST;
    case Code::kNotDirectory: return ENOTDIR;
    case Code::kIsDirectory: return EISDIR;
    case Code::kNotEmpty: return ENOTEMPTY;
    case Code::kAccess: return EACCES;
    case Code::kNotPermitted: return EPERM;
    case Code::kInvalid: return EINVAL;
    case Code::kNameTooLong: return ENAMETOOLONG;
    case Code::kNoSpace: return ENOSPC;
    case Code::kQuota: return EDQUOT;
    case Code::kReadOnly: return EROFS;
    case Code::kBusy: return EBUSY;
    case Code::kCrossDevice: return EXDEV;
    case Code::kTooManyLinks: return EMLINK;
    case Code::kNotSupported: return EOPNOTSUPP;
    case Code::kNoAttribute: return ENODATA;
    case Code::kOutOfRange: return ERANGE;
    case Code::kTooBig: return EFBIG;
    case Code::kNoSuchAddress: return ENXIO;
    case Code::kCancelled: return EINTR;
    case Code::kStale: return ESTALE;
    // Whatever keeps a remote from answering looks the same to a program that reads a file.
    case Code::kIo:
    case Code::kDataLoss:
    case Code::kTimeout:
    case Code::kUnavailable:
    case Code::kThrottled:
    case Code::kUnauthorized:
    case Code::kConflict:
    case Code::kIncompatible: return EIO;
  }
  return EIO;
}

}  // namespace shoebox
