// Result<T> and Status: how every fallible function of Shoebox reports.
//
// A message says what failed, on which object, why, and what to do next: one line, lower case,
// no full stop. Whoever handles an error logs it; whoever returns it does not.
#pragma once

#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace shoebox {

// What went wrong, as far as a caller acts on it. fs/errno_map.cpp gives the errno of each.
enum class Code {
  kOk,
  kNotFound,       // ENOENT
  kExists,         // EEXIST
  kNotDirectory,   // ENOTDIR
  kIsDirectory,    // EISDIR
  kNotEmpty,       // ENOTEMPTY
  kAccess,         // EACCES: modes or credentials forbid it
  kNotPermitted,   // EPERM: this place never allows it
  kInvalid,        // EINVAL
  kNameTooLong,    // ENAMETOOLONG
  kNoSpace,        // ENOSPC
  kQuota,          // EDQUOT
  kReadOnly,       // EROFS
  kBusy,           // EBUSY
  kCrossDevice,    // EXDEV
  kTooManyLinks,   // EMLINK
  kNotSupported,   // EOPNOTSUPP
  kNoAttribute,    // ENODATA
  kOutOfRange,     // ERANGE
  kTooBig,         // EFBIG or E2BIG
  kNoSuchAddress,  // ENXIO: SEEK_DATA past the end
  kIo,             // EIO: the local disk failed
  kDataLoss,       // EIO: bytes do not match their hash
  kTimeout,        // EIO: a deadline passed
  kUnavailable,    // EIO: a remote cannot be reached now; trying again later may help
  kThrottled,      // a remote asks for less (503 SlowDown, 429)
  kUnauthorized,   // a remote refuses the credentials
  kConflict,       // a precondition failed: somebody else changed the object
  kCancelled,      // EINTR: the waiter gave up
  kStale,          // ESTALE
  kIncompatible,   // made by a newer version
};

// Name of a code for logs and JSON ("not_found").
std::string_view code_name(Code code);

// The code that stands for an errno of this system.
Code code_of_errno(int error);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {
    assert(code != Code::kOk);
  }

  static Status ok() { return {}; }
  // "open /x/y: No space left on device", with the code that fits the errno.
  static Status from_errno(int error, std::string_view what);

  [[nodiscard]] bool is_ok() const { return code_ == Code::kOk; }
  explicit operator bool() const { return is_ok(); }
  [[nodiscard]] Code code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  // The same failure told with more context: "CONTEXT: message".
  [[nodiscard]] Status with_context(std::string_view context) const;

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) { assert(!status_.is_ok()); }  // NOLINT
  Result(Code code, std::string message) : status_(code, std::move(message)) {}

  [[nodiscard]] bool is_ok() const { return value_.has_value(); }
  explicit operator bool() const { return is_ok(); }
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] Code code() const { return status_.code(); }

  // REQUIRES: is_ok().
  T& value() & {
    assert(value_);
    return *value_;
  }
  const T& value() const& {
    assert(value_);
    return *value_;
  }
  T&& value() && {
    assert(value_);
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace shoebox

#define SHOEBOX_CONCAT_(a, b) a##b
#define SHOEBOX_CONCAT(a, b) SHOEBOX_CONCAT_(a, b)

// Returns the Status from the enclosing function unless it is ok.
#define SHOEBOX_TRY(expression)                                                                             \
  do {                                                                                                      \
    if (::shoebox::Status shoebox_status_ = (expression); !shoebox_status_.is_ok()) return shoebox_status_; \
  } while (false)

// SHOEBOX_ASSIGN(auto x, f()): declares x with the value, or returns the Status.
#define SHOEBOX_ASSIGN(target, expression) \
  SHOEBOX_ASSIGN_(SHOEBOX_CONCAT(shoebox_result_, __LINE__), target, expression)
#define SHOEBOX_ASSIGN_(temporary, target, expression) \
  auto temporary = (expression);                       \
  if (!temporary.is_ok()) return temporary.status();   \
  target = std::move(temporary).value()
