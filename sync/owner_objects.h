// The owner records on one remote (OWNER.md): finds, reads and writes them. Decides nothing.
//
// Threads: any; each call blocks as the remote does, for half a minute at most.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "store/base/result.h"
#include "sync/owner_record.h"
#include "sync/remote/remote.h"

namespace shoebox {

class OwnerObjects {
 public:
  OwnerObjects(Remote& remote, const Clock& clock) : remote_(remote), clock_(clock) {}

  [[nodiscard]] const std::string& remote_name() const { return remote_.name(); }

  struct Found {
    std::vector<uint64_t> terms;  // ascending; empty: the remote plainly has no record
    OwnerRecord last;             // of the greatest term, when there is one
  };
  // kDataLoss, kIncompatible: the record of the greatest term cannot be used (`damaged_term` says which).
  // Any other error: not known.
  Result<Found> find(const CancelToken& cancel, uint64_t* damaged_term = nullptr) const;
  // kNotFound: the remote plainly has none there.
  Result<OwnerRecord> read(const std::string& key, const CancelToken& cancel) const;

  struct Put {
    Status status;  // kConflict: another record stands there
    // Of a put where nothing stands: the remote can only look first and write then.
    bool looked_first = false;
  };
  [[nodiscard]] Put create(const OwnerRecord& record, const CancelToken& cancel) const;
  Status replace(const std::string& key, const OwnerRecord& record, const CancelToken& cancel) const;
  Status remove(uint64_t term, const CancelToken& cancel) const;

 private:
  [[nodiscard]] RequestContext context(const CancelToken& cancel) const;
  Status put(const std::string& key, const OwnerRecord& record, bool if_absent,
             const RequestContext& context) const;

  Remote& remote_;
  const Clock& clock_;
};

}  // namespace shoebox
