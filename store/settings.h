// LIBRARY/shoebox.toml: every key optional, unknown keys and bad values refused with file, line
// and the nearest valid key. Values of secrets never stand here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/base/result.h"
#include "store/policy_settings.h"

namespace shoebox {

// A size in bytes, or a share of the disk in percent.
struct CacheLimit {
  uint64_t bytes = 0;
  uint32_t percent = 0;  // of the file system under LIBRARY; used when not 0
  [[nodiscard]] uint64_t in_bytes(uint64_t disk_total_bytes) const;
  bool operator==(const CacheLimit&) const = default;
};

struct RemoteSettings {
  std::string name;
  std::string url;       // file:///…, s3://bucket/prefix, davs://host/path, sftp://user@host/path
  std::string endpoint;  // s3: https://host:port; default AWS
  std::string region = "us-east-1";
  bool path_style = true;        // s3
  std::string ca_file;           // s3, davs: private CA
  std::string credentials_file;  // must be 0600; lines access_key = "…", secret_key = "…"; user, password
  std::string credentials_command;
  std::string identity_file;    // sftp: private key
  std::string known_hosts;      // sftp: default ~/.ssh/known_hosts
  uint32_t connections = 4;     // parallel uploads
  int64_t lease_s = 60;         // how long this library may write there without making sure again
  bool crypt = false;           // encrypted as rclone's crypt does
  std::string passphrase_file;  // must be 0600; its first line
  std::string passphrase_command;
  std::string salt_file;  // must be 0600; rclone's password2
  std::string salt_command;
  UploadPolicy policy;
  bool operator==(const RemoteSettings&) const = default;
};

enum class Durability { kClose, kFsync };

struct Settings {
  CacheLimit cache{.bytes = 0, .percent = 20};
  uint32_t copies = 1;
  Durability durability = Durability::kClose;
  std::string dates_layout = "%Y/%m";
  uint32_t keep_days = 30;  // trash and versions ("30d")
  uint32_t trash_breaker_percent = 10;
  int64_t verify_period_s = 90 * 86400;  // every copy is read back once in it; 0: never by itself
  std::vector<RemoteSettings> remotes;

  // `path_for_messages` is named in errors ("shoebox.toml:7: unknown key "cahce"; did you mean "cache"?").
  static Result<Settings> parse(const std::string& text, const std::string& path_for_messages);
  // Defaults when the file is not there.
  static Result<Settings> load(const std::string& path);
  // What is allowed but surely not wanted ("copies = 2 but there is 1 remote…").
  [[nodiscard]] std::vector<std::string> warnings() const;
};

// Why a url or a name of a remote is refused, or ok.
Status check_remote_url(const std::string& url);
Status check_remote_name(const std::string& name);
// The [[remote]] section that parse() reads back as `remote`.
std::string toml_of(const RemoteSettings& remote);
// What stands above the remotes, where it is not as without the file; parse() reads it back.
std::string toml_of_library(const Settings& settings);

// "50 GiB", "1500 B": what parse_cache_limit() reads back as exactly so many bytes.
std::string size_text(uint64_t bytes);
// "50 GiB", "500 MB", "20%".
Result<CacheLimit> parse_cache_limit(const std::string& text);
// "30d", "12h", "90s" -> seconds.
Result<int64_t> parse_duration_s(const std::string& text);

}  // namespace shoebox
