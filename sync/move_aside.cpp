#include "sync/move_aside.h"

#include <fmt/format.h>

#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "sync/remote/object_hash.h"

namespace shoebox {
namespace {

Result<ContentHash> hash_of(Remote& remote, const RemoteObject& object, const RequestContext& context) {
  return hash_object(remote, object.key, object.size, object.etag, context);
}

struct Aside {
  std::string key;
  bool stands = false;  // an attempt that was broken off made it
};

// Named for the time of the object, so that whoever comes again after a crash finds what was made.
Result<Aside> find_place(Remote& remote, const std::string& name, const RemoteObject& object, int64_t time_s,
                         const RequestContext& context) {
  for (int number = 1;; ++number) {
    Aside aside{fmt::format(".shoebox/versions/{}~{}", name, time_s), false};
    if (number > 1) aside.key += fmt::format("-{}", number);
    const auto taken = remote.stat(aside.key, context);
    if (!taken && taken.code() == Code::kNotFound) return aside;
    if (!taken) return taken.status();
    if (taken->size != object.size) continue;
    SHOEBOX_ASSIGN(const ContentHash kept, hash_of(remote, *taken, context));
    SHOEBOX_ASSIGN(const ContentHash wanted, hash_of(remote, object, context));
    aside.stands = kept == wanted;
    if (aside.stands) return aside;
  }
}

}  // namespace

Status move_aside(Remote& remote, const std::string& key, const Clock& clock, const RequestContext& context) {
  SHOEBOX_ASSIGN(const RemoteObject there, remote.stat(key, context));
  const int64_t time_s = there.modified_s > 0 ? there.modified_s : clock.now().seconds;
  // A name that is too long by what was added gives way to its hash. Some remotes say so when they look,
  // others only when they copy.
  std::string aside;
  Status copied;
  for (const std::string& name : {key, sha256(key).hex()}) {
    Result<Aside> place = find_place(remote, name, there, time_s, context);
    copied = !place ? place.status() : place->stands ? Status::ok() : remote.copy(key, place->key, context);
    if (copied) aside = place->key;
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
