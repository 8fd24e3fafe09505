// The inside of S3Remote that its .cpp files share: which uploads in parts are under way in this process, so
// that none of them is taken for a leftover.
#pragma once

#include "sync/remote/s3_remote.h"

namespace shoebox {

// Objects that tell for moments what the server can.
inline constexpr const char* kS3Probes = ".shoebox/tmp/probe-";

// From before an upload is begun until it is completed, ended, or given up with what is saved of it.
class S3Remote::Sending {
 public:
  Sending(S3Remote& remote, std::string whole_key) : remote_(remote), key_(std::move(whole_key)) {
    const MutexLock lock(remote_.mutex_);
    remote_.sending_.insert(key_);
  }
  ~Sending() {
    const MutexLock lock(remote_.mutex_);
    remote_.sending_.erase(remote_.sending_.find(key_));
  }
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;

 private:
  S3Remote& remote_;
  const std::string key_;
};

}  // namespace shoebox
