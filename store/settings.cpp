// Reads LIBRARY/shoebox.toml. Every refusal names the file, the line, what is wrong and what would
// be right, because a setting that is silently ignored may cost somebody a backup.
#include "store/settings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "store/base/file_io.h"
#include "store/base/plain_text.h"
#include "store/settings_keys.h"

namespace shoebox {
namespace {

// The place of a node, for messages; and typed reads that refuse with it.
class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {
    const size_t slash = path_.rfind('/');
    if (slash != std::string::npos) folder_ = path_.substr(0, slash);
  }

  Status refuse(const toml::source_region& where, const std::string& what) const {
    return {Code::kInvalid, fmt::format("{}:{}: {}", path_, where.begin.line, plain_line(what))};
  }

  Status unknown_key(const toml::key& key, const std::vector<std::string_view>& valid) const {
    if (key.str() == "passphrase" || key.str() == "password2" || key.str() == "salt") {
      const std::string_view word = key.str() == "passphrase" ? "passphrase" : "salt";
      return refuse(
          key.source(),
          fmt::format("\"{}\" is a secret and does not belong here; put it into a file of mode 0600 "
                      "and name that with {}_file, or use {}_command",
                      key.str(), word, word));
    }
    if (names_a_secret(key.str()) && !nearest(key.str(), valid).starts_with("passphrase_")) {
      return refuse(
          key.source(),
          fmt::format("\"{}\" is a secret and does not belong here; put it into a file of mode 0600 and "
                      "name that with credentials_file, or use credentials_command or AWS_ACCESS_KEY_ID",
                      key.str()));
    }
    return refuse(key.source(), fmt::format("unknown key \"{}\"{}", key.str(), suggestion(key.str(), valid)));
  }

  Status string(const toml::key& key, const toml::node& node, std::string& out) const {
    const auto* value = node.as_string();
    if (value == nullptr) {
      return refuse(node.source(), fmt::format("{} must be a text in quotes", key.str()));
    }
    if (value->get().find('\0') != std::string::npos) {
      return refuse(node.source(), fmt::format("{} must not hold a NUL byte", key.str()));
    }
    out = value->get();
    return Status::ok();
  }

  Status filled_string(const toml::key& key, const toml::node& node, std::string& out) const {
    SHOEBOX_TRY(string(key, node, out));
    if (out.empty()) return refuse(node.source(), fmt::format("{} must not be empty", key.str()));
    return Status::ok();
  }

  // A path; relative ones are meant from the folder of shoebox.toml.
  Status path(const toml::key& key, const toml::node& node, std::string& out) const {
    SHOEBOX_TRY(filled_string(key, node, out));
    if (out.front() == '~') {
      return refuse(node.source(), fmt::format("{}: write the whole path, \"~\" is not expanded", key.str()));
    }
    if (out.front() != '/' && !folder_.empty()) out = folder_ + "/" + out;
    return Status::ok();
  }

  Status number(const toml::key& key, const toml::node& node, int64_t least, int64_t most,
                uint32_t& out) const {
    const auto* value = node.as_integer();
    if (value == nullptr || value->get() < least || value->get() > most) {
      return refuse(node.source(),
                    fmt::format("{} must be a whole number from {} to {}", key.str(), least, most));
    }
    out = static_cast<uint32_t>(value->get());
    return Status::ok();
  }

  Status boolean(const toml::key& key, const toml::node& node, bool& out) const {
    const auto* value = node.as_boolean();
    if (value == nullptr) return refuse(node.source(), fmt::format("{} must be true or false", key.str()));
    out = value->get();
    return Status::ok();
  }

 private:
  std::string path_;
  std::string folder_;
};

Status read_cache(const Reader& reader, const toml::key& key, const toml::node& node, Settings& settings) {
  std::string text;
  SHOEBOX_TRY(reader.string(key, node, text));
  const Result<CacheLimit> limit = parse_cache_limit(text);
  if (!limit) return reader.refuse(node.source(), "cache: " + limit.status().message());
  settings.cache = *limit;
  return Status::ok();
}

Status read_durability(const Reader& reader, const toml::key& key, const toml::node& node,
                       Settings& settings) {
  std::string text;
  SHOEBOX_TRY(reader.string(key, node, text));
  if (text == "close") {
    settings.durability = Durability::kClose;
  } else if (text == "fsync") {
    settings.durability = Durability::kFsync;
  } else {
    return reader.refuse(node.source(), fmt::format("durability = \"{}\" is not known{}", text,
                                                    suggestion(text, {"close", "fsync"})));
  }
  return Status::ok();
}

// %Y, %m and %d with text between, one folder a '/'. Each folder needs one of them, the first one the
// year, as a folder states a date that must be told from its name.
bool is_dates_layout(std::string_view text) {
  bool first = true;
  while (true) {
    const std::string_view folder = text.substr(0, text.find('/'));
    bool field = false;
    bool year = false;
    for (size_t at = 0; at < folder.size(); ++at) {
      if (static_cast<unsigned char>(folder[at]) < 0x20) return false;
      if (folder[at] != '%') continue;
      const char what = ++at < folder.size() ? folder[at] : '\0';
      if (what != 'Y' && what != 'm' && what != 'd') return false;
      field = true;
      year = year || what == 'Y';
    }
    if (!field || (first && !year)) return false;
    if (folder.size() == text.size()) return true;
    text.remove_prefix(folder.size() + 1);
    first = false;
  }
}

Status read_dates_layout(const Reader& reader, const toml::key& key, const toml::node& node,
                         Settings& settings) {
  std::string text;
  SHOEBOX_TRY(reader.string(key, node, text));
  if (!is_dates_layout(text)) {
    return reader.refuse(node.source(),
                         fmt::format("dates_layout = \"{}\" is no layout; write folders of %Y, %m and "
                                     "%d, the year first: \"%Y/%m\", \"%Y/%Y-%m-%d\"",
                                     text));
  }
  settings.dates_layout = text;
  return Status::ok();
}

Status read_keep(const Reader& reader, const toml::key& key, const toml::node& node, Settings& settings) {
  std::string text;
  SHOEBOX_TRY(reader.string(key, node, text));
  const Result<int64_t> seconds = parse_duration_s(text);
  if (!seconds) return reader.refuse(node.source(), "keep: " + seconds.status().message());
  if (*seconds % 86400 != 0 || *seconds < 86400 || *seconds > int64_t{36500} * 86400) {
    return reader.refuse(node.source(), "keep must be whole days, at least one: \"30d\"");
  }
  settings.keep_days = static_cast<uint32_t>(*seconds / 86400);
  return Status::ok();
}

Status read_verify(const Reader& reader, const toml::key& key, const toml::node& node, Settings& settings) {
  std::string text;
  SHOEBOX_TRY(reader.string(key, node, text));
  settings.verify_period_s = 0;
  if (text == "never") return Status::ok();
  const Result<int64_t> seconds = parse_duration_s(text);
  if (!seconds) return reader.refuse(node.source(), "verify: " + seconds.status().message());
  if (*seconds < 86400)
    return reader.refuse(node.source(), "verify must be a day or more, \"90d\", or \"never\"");
  settings.verify_period_s = *seconds;
  return Status::ok();
}

Status read_trash_breaker(const Reader& reader, const toml::key& key, const toml::node& node,
                          Settings& settings) {
  std::string text;
  SHOEBOX_TRY(reader.string(key, node, text));
  if (text == "off") {
    settings.trash_breaker_percent = 100;  // nobody can trash more than all
    return Status::ok();
  }
  const Result<CacheLimit> share = parse_cache_limit(text);
  if (!share || share->percent == 0) {
    return reader.refuse(node.source(), "trash_breaker must be a share of the photos, \"10%\", or \"off\"");
  }
  settings.trash_breaker_percent = share->percent;
  return Status::ok();
}

Status check_url(const Reader& reader, const toml::node& node, const std::string& url) {
  const Status checked = check_remote_url(url);
  return checked ? Status::ok() : reader.refuse(node.source(), checked.message());
}

Status read_hours(const Reader& reader, const toml::key& key, const toml::node& node, UploadPolicy& policy) {
  const toml::array* list = node.as_array();
  if (list != nullptr && list->empty()) return reader.refuse(node.source(), "hours must not be empty");
  for (size_t i = 0; i < (list == nullptr ? 1 : list->size()); ++i) {
    const toml::node& one = list == nullptr ? node : (*list)[i];
    std::string text;
    SHOEBOX_TRY(reader.string(key, one, text));
    const Result<HourWindow> window = parse_hours(text);
    if (!window) return reader.refuse(one.source(), "hours: " + window.status().message());
    policy.hours.push_back(*window);
  }
  return Status::ok();
}

Status read_video_quota(const Reader& reader, const toml::key& key, const toml::node& node,
                        UploadPolicy& policy) {
  std::string text;
  SHOEBOX_TRY(reader.string(key, node, text));
  const Result<CacheLimit> limit = parse_cache_limit(text);
  if (!limit) return reader.refuse(node.source(), "video_quota: " + limit.status().message());
  if (limit->percent != 0) return reader.refuse(node.source(), "video_quota must be a size, \"50 GiB\"");
  policy.video_quota_bytes = limit->bytes;
  return Status::ok();
}

// One rate, or a list of them by hours.
Status read_bandwidth(const Reader& reader, const toml::key& key, const toml::node& node,
                      BandwidthPlan& plan) {
  const toml::array* list = node.as_array();
  if (list != nullptr && list->empty())
    return reader.refuse(node.source(), fmt::format("{} must not be empty", key.str()));
  for (size_t i = 0; i < (list == nullptr ? 1 : list->size()); ++i) {
    const toml::node& one = list == nullptr ? node : (*list)[i];
    std::string text;
    SHOEBOX_TRY(reader.string(key, one, text));
    const Status added = add_to_plan(text, plan);
    if (!added) return reader.refuse(one.source(), fmt::format("{}: {}", key.str(), added.message()));
  }
  return Status::ok();
}

// False: no key of the policy.
bool read_policy_key(const Reader& reader, const toml::key& key, const toml::node& node, UploadPolicy& policy,
                     Status& read) {
  const std::string_view name = key.str();
  if (name == "hours") {
    read = read_hours(reader, key, node, policy);
  } else if (name == "on_metered") {
    read = reader.boolean(key, node, policy.on_metered);
  } else if (name == "on_battery") {
    read = reader.boolean(key, node, policy.on_battery);
  } else if (name == "photos_only") {
    read = reader.boolean(key, node, policy.photos_only);
  } else if (name == "manual") {
    read = reader.boolean(key, node, policy.manual);
  } else if (name == "bandwidth") {
    read = read_bandwidth(reader, key, node, policy.bandwidth);
  } else if (name == "bandwidth_down") {
    read = read_bandwidth(reader, key, node, policy.bandwidth_down.emplace());
  } else if (name == "video_quota") {
    read = read_video_quota(reader, key, node, policy);
  } else {
    return false;
  }
  return true;
}

Status read_lease(const Reader& reader, const toml::key& key, const toml::node& node,
                  RemoteSettings& remote) {
  constexpr int64_t kShortest_s = 3, kLongest_s = 3600;  // renewed each third of it
  std::string text;
  SHOEBOX_TRY(reader.string(key, node, text));
  const Result<int64_t> seconds = parse_duration_s(text);
  if (!seconds || *seconds < kShortest_s || *seconds > kLongest_s) {
    return reader.refuse(node.source(), "lease must be from \"3s\" to \"1h\"");
  }
  remote.lease_s = *seconds;
  return Status::ok();
}

Status read_remote_key(const Reader& reader, const toml::key& key, const toml::node& node,
                       RemoteSettings& remote) {
  const std::string_view name = key.str();
  if (name == "name") {
    SHOEBOX_TRY(reader.filled_string(key, node, remote.name));
    const Status checked = check_remote_name(remote.name);
    return checked ? Status::ok() : reader.refuse(node.source(), checked.message());
  }
  if (name == "url") {
    SHOEBOX_TRY(reader.filled_string(key, node, remote.url));
    return check_url(reader, node, remote.url);
  }
  if (name == "endpoint") {
    SHOEBOX_TRY(reader.filled_string(key, node, remote.endpoint));
    if (!remote.endpoint.starts_with("https://") && !remote.endpoint.starts_with("http://")) {
      return reader.refuse(node.source(), "endpoint must start with https:// or http://");
    }
    return Status::ok();
  }
  if (name == "region") return reader.filled_string(key, node, remote.region);
  if (name == "path_style") return reader.boolean(key, node, remote.path_style);
  if (name == "ca_file") return reader.path(key, node, remote.ca_file);
  if (name == "credentials_file") return reader.path(key, node, remote.credentials_file);
  if (name == "credentials_command") return reader.filled_string(key, node, remote.credentials_command);
  if (name == "identity_file") return reader.path(key, node, remote.identity_file);
  if (name == "known_hosts") return reader.path(key, node, remote.known_hosts);
  if (name == "crypt") return reader.boolean(key, node, remote.crypt);
  if (name == "passphrase_file") return reader.path(key, node, remote.passphrase_file);
  if (name == "passphrase_command") return reader.filled_string(key, node, remote.passphrase_command);
  if (name == "salt_file") return reader.path(key, node, remote.salt_file);
  if (name == "salt_command") return reader.filled_string(key, node, remote.salt_command);
  if (name == "connections") return reader.number(key, node, 1, 64, remote.connections);
  if (name == "lease") return read_lease(reader, key, node, remote);
  if (Status read; read_policy_key(reader, key, node, remote.policy, read)) return read;
  return reader.unknown_key(key, remote_keys());
}

Status check_crypt_keys(const Reader& reader, const toml::table& table, const RemoteSettings& remote) {
  if (!remote.passphrase_file.empty() && !remote.passphrase_command.empty()) {
    return reader.refuse(table.source(), "passphrase_file and passphrase_command exclude each other");
  }
  if (!remote.salt_file.empty() && !remote.salt_command.empty()) {
    return reader.refuse(table.source(), "salt_file and salt_command exclude each other");
  }
  const bool secrets = !remote.passphrase_file.empty() || !remote.passphrase_command.empty() ||
                       !remote.salt_file.empty() || !remote.salt_command.empty();
  // Whoever wrote a passphrase believes that the remote is encrypted.
  if (secrets && !remote.crypt) {
    return reader.refuse(table.source(), "this [[remote]] has a passphrase or salt but not crypt = true");
  }
  return Status::ok();
}

Status read_remotes(const Reader& reader, const toml::key& key, const toml::node& node, Settings& settings) {
  const toml::array* array = node.as_array();
  if (array == nullptr ||
      !std::all_of(array->begin(), array->end(), [](const toml::node& n) { return n.is_table(); })) {
    return reader.refuse(key.source(),
                         "a remote is written as a [[remote]] section of its own, with double brackets");
  }
  for (const toml::node& element : *array) {
    const toml::table& table = *element.as_table();
    RemoteSettings remote;
    for (auto&& [remote_key, value] : table) SHOEBOX_TRY(read_remote_key(reader, remote_key, value, remote));
    if (remote.url.empty()) {
      return reader.refuse(table.source(),
                           "this [[remote]] has no url; write url = \"file:///mnt/nas/photos\"");
    }
    if (remote.name.empty()) {
      // A name made up from the position would change when sections are moved, and with it what
      // the catalog knows about the copies there.
      return reader.refuse(table.source(), "this [[remote]] has no name; write name = \"nas\"");
    }
    if (!remote.credentials_file.empty() && !remote.credentials_command.empty()) {
      return reader.refuse(table.source(), "credentials_file and credentials_command exclude each other");
    }
    SHOEBOX_TRY(check_crypt_keys(reader, table, remote));
    for (const RemoteSettings& other : settings.remotes) {
      if (other.name == remote.name) {
        return reader.refuse(table.source(), fmt::format("two remotes are named \"{}\"", remote.name));
      }
      if (other.url == remote.url && other.endpoint == remote.endpoint) {
        // Two names for one place would count one copy as two.
        return reader.refuse(table.source(), fmt::format("remotes \"{}\" and \"{}\" are the same place: {}",
                                                         other.name, remote.name, remote.url));
      }
    }
    settings.remotes.push_back(std::move(remote));
  }
  return Status::ok();
}

Status read_key(const Reader& reader, const toml::key& key, const toml::node& node, Settings& settings) {
  const std::string_view name = key.str();
  if (name == "cache") return read_cache(reader, key, node, settings);
  if (name == "copies") return reader.number(key, node, 1, 16, settings.copies);
  if (name == "durability") return read_durability(reader, key, node, settings);
  if (name == "dates_layout") return read_dates_layout(reader, key, node, settings);
  if (name == "keep") return read_keep(reader, key, node, settings);
  if (name == "trash_breaker") return read_trash_breaker(reader, key, node, settings);
  if (name == "verify") return read_verify(reader, key, node, settings);
  if (name == "remote") return read_remotes(reader, key, node, settings);
  return reader.unknown_key(key, settings_keys());
}

}  // namespace

Result<Settings> Settings::parse(const std::string& text, const std::string& path_for_messages) {
  try {
    const toml::table table = toml::parse(text);
    const Reader reader(path_for_messages);
    Settings settings;
    for (auto&& [key, node] : table) SHOEBOX_TRY(read_key(reader, key, node, settings));
    return settings;
  } catch (const toml::parse_error& error) {
    return Status(Code::kInvalid, fmt::format("{}:{}: {}", path_for_messages, error.source().begin.line,
                                              plain_line(error.description())));
  }
}

Result<Settings> Settings::load(const std::string& path) {
  // Nobody writes a megabyte of settings; a device or a log mistaken for them must not fill memory.
  Result<std::string> text = read_file(path, 1 << 20);
  if (!text) {
    if (text.code() == Code::kNotFound) return Settings{};
    return text.status();
  }
  return parse(*text, path);
}

std::vector<std::string> Settings::warnings() const {
  std::vector<std::string> out;
  if (remotes.empty()) {
    out.push_back("no remote: photos stay on this disk only; add a [[remote]] section");
  } else if (copies > remotes.size()) {
    out.push_back(fmt::format("copies = {} but there {} {} remote{}: nothing will ever be evicted", copies,
                              remotes.size() == 1 ? "is" : "are", remotes.size(),
                              remotes.size() == 1 ? "" : "s"));
  }
  return out;
}

}  // namespace shoebox
