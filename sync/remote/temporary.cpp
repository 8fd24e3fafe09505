#include "sync/remote/temporary.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdint>

namespace shoebox {
namespace {

Result<uint64_t> random_number() {
  uint64_t number = 0;
  if (::getentropy(&number, sizeof number) != 0) return Status::from_errno(errno, "get random bytes");
  return number;
}

// Random, as another machine may write to the same place. Chosen once, never changed.
const Result<uint64_t>& this_process() {
  static const Result<uint64_t> number = random_number();
  return number;
}

constexpr size_t kDigits = 32;

}  // namespace

Result<std::string> new_temporary_name() {
  SHOEBOX_ASSIGN(const uint64_t process, this_process());
  SHOEBOX_ASSIGN(const uint64_t object, random_number());
  return fmt::format("{:016x}{:016x}", process, object);
}

bool is_temporary_of_this_process(std::string_view name) {
  if (!this_process() || name.size() < kDigits) return false;
  return name.substr(name.size() - kDigits).starts_with(fmt::format("{:016x}", *this_process()));
}

}  // namespace shoebox
