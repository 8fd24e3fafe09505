// Reads copies back from remotes and compares their hashes: what `shoebox verify` asks for, and what runs by
// itself so that every copy is read once in a settable period.
//
// XMP sidecars are read back with the originals that they stand beside. At the end of a run it removes what
// uploads that were broken off left (leftovers.h).
//
// Owned by SyncEngine. run() works on the calling thread, one object at a time, and may run on several
// threads at once. No object that anybody may want is deleted or overwritten: a bad copy is forgotten and
// sent again, and what stands there is moved to .shoebox/versions/ first.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/catalog/records.h"
#include "store/sync_control.h"

namespace shoebox {

class Catalog;
class ContentSource;
class ContentStore;
class Outbox;
class Remote;
struct RequestContext;

class Verifier {
 public:
  // `source` brings evicted originals back from another remote when a copy must be repaired.
  Verifier(Catalog& catalog, ContentStore& contents, Outbox& outbox, ContentSource& source,
           const Clock& clock);

  // A remote that cannot be reached is given up for this run; its copies count as unchecked.
  Result<VerifyReport> run(const std::vector<Remote*>& remotes, const VerifyRequest& request,
                           const CancelToken& cancel,
                           const std::function<void(const VerifyReport&)>& progress);

 private:
  struct Item;
  enum class Found { kGood, kMissing, kDamaged, kReplaced };

  Result<std::vector<Item>> plan(const std::vector<Remote*>& remotes, const VerifyRequest& request,
                                 const CancelToken& cancel) const;
  Result<Found> check(const Item& item, RemoteCopy& copy, const CancelToken& cancel) const;
  Result<Found> read_adopted(const Item& item, const CancelToken& cancel) const;
  Result<ContentHash> hash_of_object(const Item& item, const RemoteCopy& copy,
                                     const CancelToken& cancel) const;
  // The sidecar that stands beside a copy, if one was sent.
  Status check_sidecar(const Item& item, bool repair, const CancelToken& cancel, VerifyReport& report) const;
  Result<Found> look_at_sidecar(Remote& remote, const SidecarObject& sent, std::string& etag,
                                const CancelToken& cancel) const;
  // Ok when the copy counts no more and will be sent again; else why it cannot be. `fetch`: an evicted
  // original is brought here from another remote first.
  Status send_again(const Item& item, Found found, const std::string& etag, bool fetch,
                    const CancelToken& cancel) const;
  Status note_good(const Item& item, const RemoteCopy& copy) const;
  [[nodiscard]] RequestContext context_for(uint64_t bytes, const CancelToken& cancel) const;

  Catalog& catalog_;
  ContentStore& contents_;
  Outbox& outbox_;
  ContentSource& source_;
  const Clock& clock_;
};

}  // namespace shoebox
