// How settings are written into shoebox.toml: what is as it would be without the key is left out.
#include <fmt/format.h>

#include "store/settings.h"

namespace shoebox {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// `one` alone, or a list.
std::string list_of(const std::vector<std::string>& texts) {
  if (texts.size() == 1) return quoted(texts.front());
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + quoted(text);
  return "[" + list + "]";
}

std::string toml_of(const UploadPolicy& policy) {
  std::string out;
  const auto line = [&out](const char* key, const std::string& value) {
    out += fmt::format("{} = {}\n", key, value);
  };
  if (policy.bandwidth.limits()) line("bandwidth", list_of(plan_texts(policy.bandwidth)));
  if (policy.bandwidth_down) line("bandwidth_down", list_of(plan_texts(*policy.bandwidth_down)));
  if (!policy.hours.empty()) {
    std::vector<std::string> windows;
    for (const HourWindow& window : policy.hours) windows.push_back(hours_text(window));
    line("hours", list_of(windows));
  }
  if (!policy.on_metered) line("on_metered", "false");
  if (!policy.on_battery) line("on_battery", "false");
  if (policy.photos_only) line("photos_only", "true");
  if (policy.video_quota_bytes) line("video_quota", quoted(size_text(*policy.video_quota_bytes)));
  if (policy.manual) line("manual", "true");
  return out;
}

}  // namespace

std::string toml_of(const RemoteSettings& remote) {
  std::string out = "[[remote]]\n";
  out += fmt::format("name = {}\nurl = {}\n", quoted(remote.name), quoted(remote.url));
  const RemoteSettings defaults;
  if (!remote.endpoint.empty()) out += fmt::format("endpoint = {}\n", quoted(remote.endpoint));
  if (remote.region != defaults.region) out += fmt::format("region = {}\n", quoted(remote.region));
  if (remote.path_style != defaults.path_style) out += fmt::format("path_style = {}\n", remote.path_style);
  if (!remote.ca_file.empty()) out += fmt::format("ca_file = {}\n", quoted(remote.ca_file));
  if (!remote.credentials_file.empty())
    out += fmt::format("credentials_file = {}\n", quoted(remote.credentials_file));
  if (!remote.credentials_command.empty()) {
    out += fmt::format("credentials_command = {}\n", quoted(remote.credentials_command));
  }
  if (!remote.identity_file.empty()) out += fmt::format("identity_file = {}\n", quoted(remote.identity_file));
  if (!remote.known_hosts.empty()) out += fmt::format("known_hosts = {}\n", quoted(remote.known_hosts));
  if (remote.crypt) out += "crypt = true\n";
  for (const auto& [key, value] :
       {std::pair("passphrase_file", &remote.passphrase_file),
        std::pair("passphrase_command", &remote.passphrase_command),
        std::pair("salt_file", &remote.salt_file), std::pair("salt_command", &remote.salt_command)}) {
    if (!value->empty()) out += fmt::format("{} = {}\n", key, quoted(*value));
  }
  if (remote.lease_s != defaults.lease_s) out += fmt::format("lease = \"{}s\"\n", remote.lease_s);
  if (remote.connections != defaults.connections)
    out += fmt::format("connections = {}\n", remote.connections);
  return out + toml_of(remote.policy);
}

std::string toml_of_library(const Settings& settings) {
  const Settings defaults;
  std::string out;
  if (settings.cache != defaults.cache) {
    out += settings.cache.percent != 0 ? fmt::format("cache = \"{}%\"\n", settings.cache.percent)
                                       : fmt::format("cache = \"{}\"\n", size_text(settings.cache.bytes));
  }
  if (settings.copies != defaults.copies) out += fmt::format("copies = {}\n", settings.copies);
  if (settings.durability == Durability::kFsync) out += "durability = \"fsync\"\n";
  if (settings.dates_layout != defaults.dates_layout)
    out += fmt::format("dates_layout = {}\n", quoted(settings.dates_layout));
  if (settings.keep_days != defaults.keep_days) out += fmt::format("keep = \"{}d\"\n", settings.keep_days);
  if (settings.verify_period_s != defaults.verify_period_s) {
    out += settings.verify_period_s == 0 ? std::string("verify = \"never\"\n")
                                         : fmt::format("verify = \"{}s\"\n", settings.verify_period_s);
  }
  if (settings.trash_breaker_percent == 100) {
    out += "trash_breaker = \"off\"\n";
  } else if (settings.trash_breaker_percent != defaults.trash_breaker_percent) {
    out += fmt::format("trash_breaker = \"{}%\"\n", settings.trash_breaker_percent);
  }
  return out;
}

}  // namespace shoebox
