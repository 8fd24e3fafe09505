// Reads a backup of the catalog that stands on a remote. Everything is checked against the hashes of
// the head; nothing of it is trusted before.
//
// Threads: any; each call blocks as the remote does.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/base/result.h"
#include "store/catalog/backup_head.h"
#include "sync/remote/remote.h"

namespace shoebox {

class BackupCopy {
 public:
  BackupCopy(Remote& remote, const Clock& clock, CancelToken cancel = {})
      : remote_(remote), clock_(clock), cancel_(std::move(cancel)) {}

  struct Heads {
    std::vector<backup::Head> whole;   // newest first, at most two
    std::vector<std::string> damaged;  // what is wrong with the others
    std::set<uint64_t> damaged_turns;  // of the keys of these: counter % 2
  };
  // An error: the remote did not answer. Nothing there is no error. Damaged: after a second try.
  Result<Heads> heads(const std::string& library) const;
  // Ids of the libraries that have a backup here.
  Result<std::vector<std::string>> libraries() const;
  // Keys and sizes of the objects of this library's backup, both folders.
  Result<std::map<std::string, uint64_t>> objects(const std::string& library) const;
  // kDataLoss: it is damaged, after a second try; kNotFound: it is not there. `allowed` as in RequestContext.
  Result<std::string> segment(const std::string& library, const backup::Segment& segment,
                              const std::function<Status()>& allowed = {}) const;

 private:
  [[nodiscard]] Result<backup::Head> head(const std::string& library, const std::string& key) const;
  [[nodiscard]] RequestContext context(uint64_t bytes, const std::function<Status()>& allowed = {}) const;
  Remote& remote_;
  const Clock& clock_;
  CancelToken cancel_;
};

}  // namespace shoebox
