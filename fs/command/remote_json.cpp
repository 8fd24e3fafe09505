#include "fs/command/remote_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <tuple>

#include "fs/command/escape.h"
#include "fs/command/progress.h"

namespace shoebox {

using nlohmann::json;

json json_of(const RemoteOwner& owner) {
  return {{"known", owner.known},
          {"this_library", owner.this_library},
          {"host", printable(owner.host)},
          {"user", printable(owner.user)},
          {"since", owner.since_s},
          {"library", printable(owner.library)},
          {"problem", printable(owner.problem)}};
}

json json_of(const std::vector<RemoteStatus>& remotes) {
  json list = json::array();
  for (const RemoteStatus& remote : remotes) {
    json damaged = json::array();
    for (const DamagedOriginal& one : remote.damaged)
      damaged.push_back({{"path", escape_name(one.path)}, {"what", one.what}});
    list.push_back({{"name", remote.name},
                    {"url", escape_name(remote.url)},
                    {"online", remote.online},
                    {"paused", remote.paused},
                    {"pending_files", remote.pending_files},
                    {"pending_bytes", remote.pending_bytes},
                    {"damaged_files", remote.damaged_files},
                    {"damaged", damaged},
                    {"backed_up_files", remote.confirmed_files},
                    {"backed_up_bytes", remote.confirmed_bytes},
                    {"lost_files", remote.lost_files},
                    {"tidying", remote.tidying},
                    {"sidecars", remote.sidecars},
                    {"sidecars_waiting_for", printable(remote.sidecars_waiting_for)},
                    {"tidying_waiting_for", printable(remote.tidying_waiting_for)},
                    {"sent_bytes", remote.bytes_sent},
                    {"received_bytes", remote.bytes_received},
                    {"requests", remote.requests},
                    {"limited_bytes_per_second", remote.limited_bytes_s},
                    {"waiting_for", printable(remote.waiting_for)},
                    {"last_error", printable(remote.last_error)},
                    {"last_error_at", remote.last_error_s},
                    {"catalog_backed_up_at", remote.catalog_backed_up_s},
                    {"catalog_pending_changes", remote.catalog_pending},
                    {"catalog_waiting_for", printable(remote.catalog_waiting_for)},
                    {"catalog_error", printable(remote.catalog_error)},
                    {"owner", json_of(remote.owner)}});
  }
  return list;
}

namespace {

std::string to_the_second(int64_t when_s) {
  const auto seconds = static_cast<time_t>(when_s);
  struct tm parts {};
  char text[32] = "";
  if (::localtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%F %T", &parts);
  return text;
}

std::string catalog_line(const json& remote) {
  const auto when = remote.value("catalog_backed_up_at", int64_t{0});
  std::string line = when > 0 ? "catalog backed up " + to_the_second(when) : "catalog not backed up yet";
  if (const auto pending = remote.value("catalog_pending_changes", uint64_t{0}); when > 0 && pending > 0) {
    line += fmt::format(", {} since", counted(pending, "change"));
  }
  const std::string problem = remote.value("owner", json::object()).value("problem", "");
  if (const std::string why = remote.value("catalog_waiting_for", "");
      !why.empty() && why != "paused" && why != problem) {
    line += ", waits: " + why;
  }
  if (const std::string error = remote.value("catalog_error", ""); !error.empty() && error != problem) {
    line += ", last error: " + error;
  }
  return line;
}

}  // namespace

std::string remote_line(const json& remote) {
  const auto pending = remote.value("pending_files", uint64_t{0});
  std::string line = fmt::format("{:<10} {}: {} backed up ({})", remote.value("name", ""),
                                 remote.value("url", ""), remote.value("backed_up_files", uint64_t{0}),
                                 human_bytes(remote.value("backed_up_bytes", uint64_t{0})));
  line += fmt::format(", {} pending", pending);
  if (pending > 0) line += fmt::format(" ({})", human_bytes(remote.value("pending_bytes", uint64_t{0})));
  const auto spoiled = remote.value("damaged_files", uint64_t{0});
  if (spoiled > 0) line += fmt::format(", {} of them damaged on this disk", spoiled);
  for (const auto& [key, one, more] :
       {std::tuple("tidying", "to be put in its place", "to be put in their place"),
        std::tuple("sidecars", "sidecar of what you said to send", "sidecars of what you said to send")}) {
    const auto count = remote.value(key, uint64_t{0});
    if (count == 0) continue;
    line += fmt::format(", {} {}", count, count == 1 ? one : more);
    const std::string why = remote.value(std::string(key) + "_waiting_for", "");
    if (!why.empty() && why != "paused" && why != remote.value("waiting_for", ""))
      line += " (waits: " + why + ")";
  }
  if (remote.value("paused", false)) line += ", paused";
  if (!remote.value("online", true)) line += ", offline";
  if (const auto limit = remote.value("limited_bytes_per_second", uint64_t{0}); limit > 0) {
    line += fmt::format(", slowed down to {}/s by its bandwidth", human_bytes(limit));
  }
  const std::string problem = remote.value("owner", json::object()).value("problem", "");
  if (const std::string why = remote.value("waiting_for", "");
      !why.empty() && why != "paused" && why != problem) {
    line += ", waits: " + why;
  }
  if (!problem.empty()) line += fmt::format("\n{:<10} {}", "", problem);
  if (const auto lost = remote.value("lost_files", uint64_t{0}); lost > 0) {
    line += fmt::format(
        "\n{:<10} LOST: {} missing or damaged there and whole nowhere else; shoebox verify --all tells "
        "which",
        "", counted(lost, "original"));
  }
  const json damaged = remote.value("damaged", json::array());
  for (const json& one : damaged)
    line += fmt::format("\n{:<10} {}: {}", "", one.value("path", ""), one.value("what", ""));
  if (!damaged.empty() && spoiled > damaged.size())
    line += fmt::format("\n{:<10} and {} more that are damaged", "", spoiled - damaged.size());
  line += fmt::format("\n{:<10} {}", "", catalog_line(remote));
  if (const std::string error = remote.value("last_error", ""); !error.empty() && error != problem) {
    const auto when = remote.value("last_error_at", int64_t{0});
    line += fmt::format("\n{:<10} last error{}: {}", "", when > 0 ? " " + to_the_second(when) : "", error);
  }
  return line;
}

json UploadProgress::interim(const std::vector<RemoteStatus>& remotes) {
  uint64_t files = 0;
  uint64_t bytes = 0;
  uint64_t tidying = 0;
  uint64_t sidecars = 0;
  uint64_t changes = 0;
  std::string why;
  for (const RemoteStatus& remote : remotes) {
    files += remote.pending_files;
    bytes += remote.pending_bytes;
    tidying += remote.tidying;
    sidecars += remote.sidecars;
    changes += remote.catalog_pending;
    if (why.empty() && remote.catalog_pending > 0) why = remote.catalog_waiting_for;
    if (why.empty() && remote.pending_files > 0) why = remote.waiting_for;
  }
  most_pending_ = std::max(most_pending_, files);
  std::string text = fmt::format("{} to back up, {}", counted(files, "upload"), human_bytes(bytes));
  if (files == 0 && tidying > 0) text = fmt::format("{} to put in place there", counted(tidying, "copy"));
  if (files == 0 && tidying == 0 && sidecars > 0) text = counted(sidecars, "sidecar") + " to send";
  if (files == 0 && changes > 0) text = "the catalog to back up, " + counted(changes, "change");
  if (!why.empty()) text += ", waits: " + printable(why);
  return shoebox::interim(most_pending_ - files, most_pending_, text);
}

}  // namespace shoebox
