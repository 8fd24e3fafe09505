#include "sync/move_aside.h"

#include <fmt/format.h>

#include "store/base/hash.h"

namespace shoebox {

Status move_aside(Remote& remote, const std::string& key, const Clock& clock, const RequestContext& context) {
  SHOEBOX_ASSIGN(const RemoteObject there, remote.stat(key, context));
  std::string name = key;
  std::string aside;
  for (int number = 1;; ++number) {
    aside = fmt::format(".shoebox/versions/{}~{}", name, clock.now().seconds);
    if (number > 1) aside += fmt::format("-{}", number);
    const auto taken = remote.stat(aside, context);
    if (!taken && taken.code() == Code::kNotFound) break;
    if (!taken && taken.code() == Code::kNameTooLong && name == key) {  // by what was added
      name = sha256(key).hex();
      number = 0;
      continue;
    }
    if (!taken) return taken.status();
  }
  SHOEBOX_TRY(remote.copy(key, aside, context));
  SHOEBOX_ASSIGN(const RemoteObject kept, remote.stat(aside, context));
  if (kept.size == there.size) return Status::ok();
  return {Code::kDataLoss,
          fmt::format("{} on {}: its copy {} came out with {} instead of {} bytes; not overwritten", key,
                      remote.name(), aside, kept.size, there.size)};
}

}  // namespace shoebox
