#include "sync/remote/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace shoebox {
namespace {

constexpr size_t kMaxKeyBytes = 1024;  // what S3 allows, prefix included; nobody else allows less

}  // namespace

Status check_key(std::string_view key) {
  if (key.empty()) return {Code::kInvalid, "remote key is empty"};
  if (key.size() > kMaxKeyBytes) {
    return {Code::kNameTooLong,
            fmt::format("remote key of {} bytes is longer than the {} allowed", key.size(), kMaxKeyBytes)};
  }
  if (key.find('\0') != std::string_view::npos) return {Code::kInvalid, "remote key contains a NUL byte"};
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view name = key.substr(begin, end - begin);
    if (name.empty() || name == "." || name == "..") {
      return {Code::kInvalid, fmt::format("remote key \"{}\" is no plain path", key)};
    }
    begin = end + 1;
  }
  return Status::ok();
}

bool is_utf8(std::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const auto lead = static_cast<unsigned char>(bytes[at]);
    const size_t length = lead < 0x80   ? 1
                          : lead < 0xc2 ? 0
                          : lead < 0xe0 ? 2
                          : lead < 0xf0 ? 3
                          : lead < 0xf5 ? 4
                                        : 0;
    if (length == 0 || at + length > bytes.size()) return false;
    for (size_t i = 1; i < length; ++i) {
      if ((static_cast<unsigned char>(bytes[at + i]) & 0xc0) != 0x80) return false;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(bytes[at + 1]) : 0;
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool surrogate = lead == 0xed && second >= 0xa0;
    const bool too_high = lead == 0xf4 && second >= 0x90;
    if (overlong || surrogate || too_high) return false;
    at += length;
  }
  return true;
}

Status check_wanted(const RequestContext& context) {
  if (context.cancel.cancelled()) return {Code::kCancelled, "cancelled"};
  if (context.deadline != Clock::Steady::max() && std::chrono::steady_clock::now() >= context.deadline) {
    return {Code::kTimeout, "deadline passed"};
  }
  return context.allowed ? context.allowed() : Status::ok();
}

Status pause_for(std::chrono::milliseconds time, const RequestContext& context) {
  constexpr std::chrono::milliseconds kLook{50};
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    SHOEBOX_TRY(check_wanted(context));
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) return Status::ok();
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, kLook));
  }
}

}  // namespace shoebox
