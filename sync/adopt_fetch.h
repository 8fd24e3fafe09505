// What adopting fetches of one object: its head and its tail, or all of a small one. Stateless; any thread.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/content/content_store.h"
#include "sync/backoff.h"
#include "sync/remote/remote.h"

namespace shoebox {

struct AdoptTraffic {
  std::atomic<uint64_t> requests{0}, received_bytes{0};
};

struct AdoptFetch {
  Remote& remote;
  const Clock& clock;
  const Backoff& backoff;
  const CancelToken& cancel;
  AdoptTraffic& traffic;

  // Whether all of it is fetched: small files, and XMP sidecars, which are read whole.
  static bool wanted_whole(const RemoteObject& object);
  // Under the ETag that was listed. kConflict: it is another object by now. What passes is tried again for a
  // while; kUnavailable, kTimeout, kThrottled, kUnauthorized: the remote as a whole.
  struct Parts {
    std::vector<ContentStore::Part> parts;
    std::optional<Timestamp> file_time;  // as in RequestHints
  };
  Result<Parts> parts(const RemoteObject& object) const;
  // A part of it.
  Result<std::string> bytes(const RemoteObject& object, ByteRange range) const;
  // Reads all of it.
  Result<ContentHash> hash(const RemoteObject& object) const;

 private:
  // `begin` before each attempt, `take` for what it brings. Tells the file's time, as in RequestHints.
  Result<std::optional<Timestamp>> read(const RemoteObject& object, ByteRange range,
                                        const std::function<void()>& begin,
                                        const std::function<void(std::string_view)>& take) const;
};

// Lists what stands below `prefix`, page by page, each with the same patience.
Status list_pages(const AdoptFetch& fetch, const std::string& prefix,
                  const std::function<Status(const ListPage&)>& each);

// Counts a call's round trips, and waits between attempts at what may pass. `bytes`: that it may bring.
Status repeated(const AdoptFetch& fetch, uint64_t bytes,
                const std::function<Status(const RequestContext&)>& call);

}  // namespace shoebox
