// The marker of remotes that are folders, which people edit.
#include "sync/remote/remote_marker.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

std::vector<std::string> seeds() { return {std::string(remote_marker_text()), "format = 2\n", "format = "}; }

void run(std::string_view bytes) {
  const Status status = check_remote_marker(bytes, "/nas/.shoebox/remote");
  if (!status) refused_well(status, {Code::kIncompatible});
  const bool below =
      bytes.starts_with(kRemoteTemporaries) && (bytes.size() == std::string_view(kRemoteTemporaries).size() ||
                                                bytes[std::string_view(kRemoteTemporaries).size()] == '/');
  holds(is_reserved_key(bytes) == (bytes == kRemoteMarker || below), "only these keys are kept");
}

}  // namespace

const Target kMarkerOfRemote{"remote_marker", seeds, run};

}  // namespace shoebox::fuzz
