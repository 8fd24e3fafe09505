#include "store/base/result.h"

#include <cerrno>
#include <cstring>

namespace shoebox {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kNotFound: return "not_found";
    case Code::kExists: return "exists";
    case Code::kNotDirectory: return "not_directory";
    case Code::kIsDirectory: return "is_directory";
    case Code::kNotEmpty: return "not_empty";
    case Code::kAccess: return "access";
    case Code::kNotPermitted: return "not_permitted";
    case Code::kInvalid: return "invalid";
    case Code::kNameTooLong: return "name_too_long";
    case Code::kNoSpace: return "no_space";
    case Code::kQuota: return "quota";
    case Code::kReadOnly: return "read_only";
    case Code::kBusy: return "busy";
    case Code::kCrossDevice: return "cross_device";
    case Code::kTooManyLinks: return "too_many_links";
    case Code::kNotSupported: return "not_supported";
    case Code::kNoAttribute: return "no_attribute";
    case Code::kOutOfRange: return "out_of_range";
    case Code::kTooBig: return "too_big";
    case Code::kNoSuchAddress: return "no_such_address";
    case Code::kIo: return "io";
    case Code::kDataLoss: return "data_loss";
    case Code::kTimeout: return "timeout";
    case Code::kUnavailable: return "unavailable";
    case Code::kThrottled: return "throttled";
    case Code::kUnauthorized: return "unauthorized";
    case Code::kConflict: return "conflict";
    case Code::kCancelled: return "cancelled";
    case Code::kStale: return "stale";
    case Code::kIncompatible: return "incompatible";
  }
  return "unknown";
}

Code code_of_errno(int error) {
  switch (error) {
    case 0: return Code::kOk;
    case ENOENT: return Code::kNotFound;
    case EEXIST: return Code::kExists;
    case ENOTDIR: return Code::kNotDirectory;
    case EISDIR: return Code::kIsDirectory;
    case ENOTEMPTY: return Code::kNotEmpty;
    case EACCES: return Code::kAccess;
    case EPERM: return Code::kNotPermitted;
    case EINVAL: return Code::kInvalid;
    case ENAMETOOLONG: return Code::kNameTooLong;
    case ENOSPC:
    case EDQUOT: return Code::kNoSpace;
    case EROFS: return Code::kReadOnly;
    case EBUSY: return Code::kBusy;
    case EXDEV: return Code::kCrossDevice;
    case EMLINK: return Code::kTooManyLinks;
    case EOPNOTSUPP:
    case ENOSYS: return Code::kNotSupported;
    case ENODATA: return Code::kNoAttribute;
    case ERANGE: return Code::kOutOfRange;
    case EFBIG:
    case E2BIG: return Code::kTooBig;
    case ENXIO: return Code::kNoSuchAddress;
    case ETIMEDOUT: return Code::kTimeout;
    case EINTR: return Code::kCancelled;
    case ESTALE: return Code::kStale;
    default: return Code::kIo;
  }
}

Status Status::from_errno(int error, std::string_view what) {
  const Code code = code_of_errno(error);
  return {code == Code::kOk ? Code::kIo : code, std::string(what) + ": " + std::strerror(error)};
}

Status Status::with_context(std::string_view context) const {
  if (is_ok()) return *this;
  return {code_, std::string(context) + ": " + message_};
}

}  // namespace shoebox
