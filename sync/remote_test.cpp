#include "sync/remote_test.h"

#include <fmt/format.h>

#include <chrono>

#include "store/sync_control.h"
#include "sync/owner_objects.h"
#include "sync/remote/small_object.h"
#include "sync/remote/temporary.h"
#include "sync/time_text.h"

namespace shoebox {

Status test_remote(Remote& remote, const Clock& clock, const CancelToken& cancel) {
  RequestContext context;
  context.cancel = cancel;
  context.deadline = clock.steady() + std::chrono::seconds(30);
  SHOEBOX_TRY(remote.check(context));
  SHOEBOX_ASSIGN(const std::string unique, new_temporary_name());
  const std::string key = fmt::format("{}{}", kProbes, unique);
  const std::string bytes = fmt::format("Shoebox tries whether it can write here: {}\n", unique);
  SHOEBOX_TRY(
      put_small_object(remote, key, bytes, /*if_absent=*/true, context).status().with_context("write"));
  const Result<std::string> read = read_small_object(remote, key, bytes.size(), context);
  const Status removed = remote.remove(key, context);
  if (!read) return read.status().with_context("read");
  if (*read != bytes) return {Code::kDataLoss, fmt::format("{}: other bytes were read than written", key)};
  return removed.with_context("remove");
}

Result<RemoteOwner> owner_of_remote(Remote& remote, const Clock& clock, const std::string& writer,
                                    const CancelToken& cancel) {
  SHOEBOX_ASSIGN(const OwnerObjects::Found found, OwnerObjects(remote, clock).find(cancel));
  RemoteOwner owner;
  owner.known = true;
  const OwnerRecord& last = found.last;
  if (found.terms.empty() || last.state == OwnerState::kReleased) return owner;
  owner.this_library = last.writer == writer;
  owner.host = last.host;
  owner.user = last.user;
  owner.since_s = last.since_s;
  owner.library = last.library;
  if (!owner.this_library) {
    owner.problem = fmt::format("{} writes there, since {}", last.who(), time_text(last.since_s));
  }
  return owner;
}

}  // namespace shoebox
