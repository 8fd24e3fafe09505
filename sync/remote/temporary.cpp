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

Result<uint64_t> remove_temporaries(Remote& remote, const std::string& prefix,
                                    const std::function<Result<bool>(const std::string& key)>& spared,
                                    const RequestContext& context) {
  uint64_t removed = 0;
  std::string next;
  do {
    SHOEBOX_ASSIGN(ListPage page, remote.list(prefix, next, context));
    for (const RemoteObject& object : page.objects) {
      if (is_temporary_of_this_process(object.key)) continue;  // its maker removes it
      SHOEBOX_ASSIGN(const bool stays, spared(object.key));
      if (stays) continue;
      SHOEBOX_TRY(remote.remove(object.key, context));
      ++removed;
    }
    next = std::move(page.next);
  } while (!next.empty());
  return removed;
}

}  // namespace shoebox
