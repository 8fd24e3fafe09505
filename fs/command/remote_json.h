// How remotes and their uploads are told by status, backup and import.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "store/sync_control.h"

namespace shoebox {

// The array "remotes" that STATUS.md documents.
nlohmann::json json_of(const std::vector<RemoteStatus>& remotes);
// Its "owner".
nlohmann::json json_of(const RemoteOwner& owner);
// One line for a person, from an element of that array.
std::string remote_line(const nlohmann::json& remote);

// Turns the state of the queue into {"done", "total", "text"}: what was pending when the wait began,
// and what came on top, is the total.
class UploadProgress {
 public:
  nlohmann::json interim(const std::vector<RemoteStatus>& remotes);

 private:
  uint64_t most_pending_ = 0;
};

}  // namespace shoebox
