#include "sync/move_aside.h"

#include <fmt/format.h>

namespace shoebox {

Status move_aside(Remote& remote, const std::string& key, const Clock& clock, const RequestContext& context) {
  SHOEBOX_ASSIGN(const RemoteObject there, remote.stat(key, context));
  std::string aside = fmt::format(".shoebox/versions/{}~{}", key, clock.now().seconds);
  for (int number = 2;; ++number) {
    const auto taken = remote.stat(aside, context);
    if (!taken && taken.code() == Code::kNotFound) break;
    if (!taken) return taken.status();
    aside = fmt::format(".shoebox/versions/{}~{}-{}", key, clock.now().seconds, number);
  }
  SHOEBOX_TRY(remote.copy(key, aside, context));
  SHOEBOX_ASSIGN(const RemoteObject kept, remote.stat(aside, context));
  if (kept.size == there.size) return Status::ok();
  return {Code::kDataLoss,
          fmt::format("{} on {}: its copy {} came out with {} instead of {} bytes; not overwritten", key,
                      remote.name(), aside, kept.size, there.size)};
}

}  // namespace shoebox
