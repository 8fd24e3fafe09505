#include "store/settings_backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/catalog/catalog.h"
#include "store/settings_keys.h"

namespace shoebox {
namespace {

constexpr std::string_view kFirstLine = "shoebox-settings ";
constexpr int kFormat = 1;
constexpr std::string_view kRemoteHeader = "[[remote]]";
constexpr std::string_view kHead =
    "# Settings of this Shoebox library, from its backup. Every key is optional; store/SETTINGS.md tells "
    "them "
    "all.\n";

// "https://user:secret@host/" without "user:secret@"; "sftp://anna@host" has no secret.
std::string without_password(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const size_t begin = scheme + 3;
  const size_t at = url.substr(0, url.find_first_of("/?#", begin)).rfind('@');
  if (at == std::string::npos || at < begin) return url;
  const size_t colon = url.find(':', begin);
  return colon < at ? url.substr(0, begin) + url.substr(at + 1) : url;
}

// Commands, by the key that names them.
std::vector<std::pair<const char*, std::string*>> commands_of(RemoteSettings& remote) {
  return {{"credentials_command", &remote.credentials_command},
          {"passphrase_command", &remote.passphrase_command},
          {"salt_command", &remote.salt_command}};
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// "shoebox-settings 1".
Status check_format(std::string_view line) {
  int format = 0;
  const bool named = line.starts_with(kFirstLine);
  if (named) line.remove_prefix(kFirstLine.size());
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), format);
  if (!named || error != std::errc() || end != line.data() + line.size() || format < 1)
    return {Code::kDataLoss, "the settings in the backup cannot be read"};
  if (format > kFormat)
    return {Code::kIncompatible, "the settings in the backup were written by a newer Shoebox"};
  return Status::ok();
}

// "credentials_file" of `credentials_file = "…"`; empty: it is no such line.
std::string_view key_of(std::string_view line) {
  const std::string_view key = line.substr(0, std::min(line.find(" = "), line.size()));
  const bool plain =
      std::all_of(key.begin(), key.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return plain && key.size() < line.size() ? key : std::string_view();
}

// Whoever can write to the remote can write a backup: it must not choose which secrets of this machine are
// used, nor what runs here.
bool is_for_the_owner(std::string_view key) {
  constexpr std::string_view kKeys[] = {"credentials_file", "credentials_command", "identity_file",
                                        "passphrase_file",  "passphrase_command",  "salt_file",
                                        "salt_command"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

// Takes over line after line. What this version does not understand, and what the owner has to decide, is
// left as a comment.
class Section {
 public:
  // `start` is understood, unless it is empty; `keys` may stand in it.
  Section(std::string start, const std::vector<std::string_view>& keys)
      : text_(std::move(start)), keys_(keys) {}
  void add(std::string_view line) {
    const bool was_command = line.starts_with("# ");
    if (was_command) line.remove_prefix(2);
    const std::string_view key = key_of(line);
    std::string plain(line);
    std::replace_if(
        plain.begin(), plain.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    if (key.empty() || std::find(keys_.begin(), keys_.end(), key) == keys_.end()) {
      if (!line.empty()) text_ += fmt::format("# not known to this version: {}\n", plain);
      return;
    }
    if (was_command || is_for_the_owner(key)) {
      missing_.emplace_back(key);
      text_ += fmt::format("# {}\n", plain);
      return;
    }
    const std::string with = text_ + std::string(line) + "\n";
    text_ = Settings::parse(with, "") ? with : text_ + fmt::format("# not understood: {}\n", plain);
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<std::string>& missing() const { return missing_; }

 private:
  std::string text_;
  const std::vector<std::string_view>& keys_;
  std::vector<std::string> missing_;
};

// How this machine reaches the remote now, and what was said of it before.
RemoteSettings reached_as(const RemoteSettings& now, const RemoteSettings& before) {
  RemoteSettings merged = now;
  const RemoteSettings defaults;
  if (now.policy == defaults.policy) merged.policy = before.policy;
  if (now.connections == defaults.connections) merged.connections = before.connections;
  if (now.lease_s == defaults.lease_s) merged.lease_s = before.lease_s;
  return merged;
}

// A section of another remote, as it reads without what is not here. Empty: it cannot be used at all.
Result<RemoteSettings> parse_remote(const std::string& text) {
  SHOEBOX_ASSIGN(const Settings settings, Settings::parse(text, "the settings in the backup"));
  if (settings.remotes.size() != 1) return Status(Code::kInvalid, "no remote");
  return settings.remotes.front();
}

std::string to_do_of(const std::string& name, const std::vector<std::string>& missing) {
  return fmt::format(
      "remote {}: nothing can be done there before you look at its section of shoebox.toml and write {} "
      "again",
      name, fmt::join(missing, ", "));
}

}  // namespace

std::string settings_for_backup(const Settings& settings) {
  std::string text = fmt::format("{}{}\n{}", kFirstLine, kFormat, toml_of_library(settings));
  for (RemoteSettings remote : settings.remotes) {
    std::string commands;
    for (const auto& [key, command] : commands_of(remote)) {
      if (!command->empty()) commands += fmt::format("# {} = \"\"\n", key);
      command->clear();
    }
    remote.url = without_password(remote.url);
    remote.endpoint = without_password(remote.endpoint);
    text += toml_of(remote) + commands;
  }
  return text;
}

Status remember_settings(Catalog& catalog, const Settings& settings) {
  const std::string text = settings_for_backup(settings);
  SHOEBOX_ASSIGN(const std::optional<std::string> known, catalog.meta(kMetaSettings));
  if (known == text) return Status::ok();
  const std::unique_ptr<Transaction> txn = catalog.begin();
  txn->put_meta(kMetaSettings, text);
  return txn->commit();
}

Result<RestoredSettings> restored_settings(std::string_view backed_up, const RemoteSettings& from) {
  const std::vector<std::string_view> lines = lines_of(backed_up);
  SHOEBOX_TRY(check_format(lines.empty() ? std::string_view() : lines.front()));
  RestoredSettings restored;
  RemoteSettings first = from;
  std::vector<std::string_view> keys = settings_keys();
  std::erase(keys, "remote");
  Section library("", keys);
  size_t at = 1;
  for (; at < lines.size() && lines[at] != kRemoteHeader; ++at) library.add(lines[at]);
  std::string others;
  while (at < lines.size()) {
    size_t end = at + 1;
    while (end < lines.size() && lines[end] != kRemoteHeader) ++end;
    // Its name and url come first, and it is nothing without them.
    std::string start(kRemoteHeader);
    size_t key = at + 1;
    for (; key < std::min(end, at + 3); ++key) start += "\n" + std::string(lines[key]);
    start += "\n";
    const bool usable = parse_remote(start).is_ok();
    Section section(usable ? start : std::string(), remote_keys());
    for (; usable && key < end; ++key) section.add(lines[key]);
    at = end;
    if (!usable) {
      restored.to_do.emplace_back("one remote in the backup is of a kind that this version does not know");
      continue;
    }
    SHOEBOX_ASSIGN(const RemoteSettings remote, parse_remote(section.text()));
    if (remote.name == from.name) {
      first = reached_as(from, remote);
      continue;
    }
    if (remote.url == from.url && remote.endpoint == from.endpoint) continue;  // the same place, once
    others += "\n" + section.text();
    if (!section.missing().empty()) restored.to_do.push_back(to_do_of(remote.name, section.missing()));
  }
  restored.toml = fmt::format("{}{}\n{}{}", kHead, library.text(), toml_of(first), others);
  SHOEBOX_TRY(Settings::parse(restored.toml, "the settings in the backup").status());
  return restored;
}

}  // namespace shoebox
