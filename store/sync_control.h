// What commands ask of sync. The store declares it so that fs/ need not know sync/.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "store/base/cancel.h"
#include "store/base/result.h"

namespace shoebox {

struct RemoteStatus {
  std::string name;
  std::string url;
  bool online = true;
  bool paused = false;
  uint64_t pending_files = 0;
  uint64_t pending_bytes = 0;
  uint64_t confirmed_files = 0;
  uint64_t confirmed_bytes = 0;
  uint64_t tidying = 0;          // copies to be moved to the key of their name, and objects to be removed
  uint64_t tidying_untried = 0;  // of those, how many have not failed yet
  uint64_t bytes_sent = 0;       // since the mount
  uint64_t bytes_received = 0;   // since the mount
  uint64_t requests = 0;         // since the mount
  std::string waiting_for;       // why something waits: "paused", "retry in 12 s", …
  std::string last_error;
  int64_t last_error_s = 0;
};

struct RemoteSettings;

class SyncControl {
 public:
  virtual ~SyncControl() = default;
  virtual Result<std::vector<RemoteStatus>> status() = 0;
  virtual Status pause() = 0;  // durable: stands after a remount
  virtual Status resume() = 0;
  // Writes, reads and removes a small object; blocks. The remote need not be one of status().
  virtual Status test(const RemoteSettings& remote, CancelToken cancel) = 0;
  virtual Status run_now() = 0;  // no back-off, no 5 s of quiet
  // Until nothing is pending, nor to be tidied that did not fail before, or `cancel`; `progress` about once a
  // second. Fails when a remote refuses for good (credentials, no space) with its message.
  virtual Status wait(CancelToken cancel,
                      const std::function<void(const std::vector<RemoteStatus>&)>& progress) = 0;
};

}  // namespace shoebox
