#include "fs/command/remote_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fs/command/escape.h"
#include "fs/command/progress.h"

namespace shoebox {

using nlohmann::json;

json json_of(const std::vector<RemoteStatus>& remotes) {
  json list = json::array();
  for (const RemoteStatus& remote : remotes) {
    list.push_back({{"name", remote.name},
                    {"url", escape_name(remote.url)},
                    {"online", remote.online},
                    {"paused", remote.paused},
                    {"pending_files", remote.pending_files},
                    {"pending_bytes", remote.pending_bytes},
                    {"backed_up_files", remote.confirmed_files},
                    {"backed_up_bytes", remote.confirmed_bytes},
                    {"tidying", remote.tidying},
                    {"sent_bytes", remote.bytes_sent},
                    {"received_bytes", remote.bytes_received},
                    {"requests", remote.requests},
                    {"waiting_for", printable(remote.waiting_for)},
                    {"last_error", printable(remote.last_error)},
                    {"last_error_at", remote.last_error_s}});
  }
  return list;
}

std::string remote_line(const json& remote) {
  const auto pending = remote.value("pending_files", uint64_t{0});
  std::string line = fmt::format("{:<10} {}: {} backed up ({})", remote.value("name", ""),
                                 remote.value("url", ""), remote.value("backed_up_files", uint64_t{0}),
                                 human_bytes(remote.value("backed_up_bytes", uint64_t{0})));
  line += fmt::format(", {} pending", pending);
  if (pending > 0) line += fmt::format(" ({})", human_bytes(remote.value("pending_bytes", uint64_t{0})));
  if (const auto tidying = remote.value("tidying", uint64_t{0}); tidying > 0) {
    line += fmt::format(", {} to be put in their place", tidying);
  }
  if (remote.value("paused", false)) line += ", paused";
  if (!remote.value("online", true)) line += ", offline";
  if (const std::string why = remote.value("waiting_for", ""); !why.empty() && why != "paused") {
    line += ", waits: " + why;
  }
  if (const std::string error = remote.value("last_error", ""); !error.empty()) {
    line += fmt::format("\n{:<10} last error: {}", "", error);
  }
  return line;
}

json UploadProgress::interim(const std::vector<RemoteStatus>& remotes) {
  uint64_t files = 0;
  uint64_t bytes = 0;
  uint64_t tidying = 0;
  std::string why;
  for (const RemoteStatus& remote : remotes) {
    files += remote.pending_files;
    bytes += remote.pending_bytes;
    tidying += remote.tidying;
    if (why.empty() && remote.pending_files > 0) why = remote.waiting_for;
  }
  most_pending_ = std::max(most_pending_, files);
  std::string text = fmt::format("{} to back up, {}", counted(files, "upload"), human_bytes(bytes));
  if (files == 0 && tidying > 0) text = fmt::format("{} to put in place there", counted(tidying, "copy"));
  if (!why.empty()) text += ", waits: " + printable(why);
  return {{"done", most_pending_ - files}, {"total", most_pending_}, {"text", text}};
}

}  // namespace shoebox
