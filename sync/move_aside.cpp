#include "sync/move_aside.h"

#include <fmt/format.h>

#include "store/base/hash.h"
#include "store/base/kill_point.h"

namespace shoebox {
namespace {

Result<std::string> free_name(Remote& remote, const std::string& name, int64_t now_s,
                              const RequestContext& context) {
  for (int number = 1;; ++number) {
    std::string aside = fmt::format(".shoebox/versions/{}~{}", name, now_s);
    if (number > 1) aside += fmt::format("-{}", number);
    const auto taken = remote.stat(aside, context);
    if (!taken && taken.code() == Code::kNotFound) return aside;
    if (!taken) return taken.status();
  }
}

}  // namespace

Status move_aside(Remote& remote, const std::string& key, const Clock& clock, const RequestContext& context) {
  SHOEBOX_ASSIGN(const RemoteObject there, remote.stat(key, context));
  // A name that is too long by what was added gives way to its hash. Some remotes say so when they look,
  // others only when they copy.
  std::string aside;
  Status copied;
  for (const std::string& name : {key, sha256(key).hex()}) {
    Result<std::string> free = free_name(remote, name, clock.now().seconds, context);
    copied = free ? remote.copy(key, *free, context) : free.status();
    if (copied) aside = *free;
    if (copied.code() != Code::kNameTooLong) break;
  }
  SHOEBOX_TRY(copied);
  kill_point("aside-copied");
  SHOEBOX_ASSIGN(const RemoteObject kept, remote.stat(aside, context));
  if (kept.size == there.size) return Status::ok();
  return {Code::kDataLoss,
          fmt::format("{} on {}: its copy {} came out with {} instead of {} bytes; not overwritten", key,
                      remote.name(), aside, kept.size, there.size)};
}

}  // namespace shoebox
