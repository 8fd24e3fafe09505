// Reads a backup of the catalog that stands on a remote. Everything is checked against the hashes of
// the head; nothing of it is trusted before.
//
// Threads: any; each call blocks as the remote does.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
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
  };
  // An error: the remote did not answer. Nothing there is no error.
  Result<Heads> heads(const std::string& library) const;
  // Ids of the libraries that have a backup here.
  Result<std::vector<std::string>> libraries() const;
  // Keys and sizes of the objects of this library's backup, both folders.
  Result<std::map<std::string, uint64_t>> objects(const std::string& library) const;
  // kDataLoss: it is damaged, after a second try; kNotFound: it is not there. `allowed` as in RequestContext.
  Result<std::string> segment(const std::string& library, const backup::Segment& segment,
                              const std::function<Status()>& allowed = {}) const;

 private:
  [[nodiscard]] RequestContext context(uint64_t bytes, const std::function<Status()>& allowed = {}) const;
  Remote& remote_;
  const Clock& clock_;
  CancelToken cancel_;
};

}  // namespace shoebox
