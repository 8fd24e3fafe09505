// The part of a rebuild that talks to the remote: which backup to take, and its segments, kept in a
// folder so that none is fetched twice.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/catalog/backup_head.h"
#include "store/rebuild.h"
#include "sync/backup_copy.h"
#include "sync/segments_ahead.h"

namespace shoebox {

// What can be restored of one head.
struct Restorable {
  backup::Head head;
  std::vector<backup::Segment> segments;    // snapshot and journal, all fetched and whole
  uint64_t sequence = 0;                    // the last change in them
  uint64_t damaged = 0;                     // parts of the backup that are damaged or missing
  bool newest = false;                      // nothing is missing, and no newer head is damaged
  std::optional<backup::Head> newest_head;  // the newest that could be read, whether it was taken or not
};

class RebuildFetch {
 public:
  RebuildFetch(Remote& remote, const Clock& clock, const RebuildPlan& plan, std::string folder)
      : remote_(remote),
        clock_(clock),
        copy_(remote, clock, plan.cancel),
        plan_(plan),
        folder_(std::move(folder)) {}

  // The catalog of the library that the plan means; none: `why` tells. An error: the remote does not answer.
  Result<std::optional<Restorable>> catalog(std::string& why) const;
  // The id of the library that was backed up there, when its catalog cannot be used: of the one that owned
  // the remote last, else of the only one that has a folder there. Empty: nothing tells.
  Result<std::string> library_id() const;
  // Whether there are originals from whose keys a tree can be made.
  Result<bool> has_originals() const;
  // A segment, from the folder or from the remote.
  Result<std::string> segment(const std::string& library, const backup::Segment& segment,
                              const std::function<Status()>& allowed = {}) const;
  // The same of all of these, several at a time.
  [[nodiscard]] std::unique_ptr<SegmentsAhead> ahead(const std::string& library,
                                                     std::vector<backup::Segment> segments) const;

 private:
  struct Candidate {
    std::string id;
    BackupCopy::Heads heads;
  };
  Result<std::optional<Candidate>> choose() const;
  Result<std::optional<Restorable>> whole(const backup::Head& head, uint64_t& damaged) const;
  Remote& remote_;
  const Clock& clock_;
  BackupCopy copy_;
  const RebuildPlan& plan_;
  const std::string folder_;
};

}  // namespace shoebox
