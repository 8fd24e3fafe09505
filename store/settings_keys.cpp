#include "store/settings_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace shoebox {

const std::vector<std::string_view>& settings_keys() {
  static const std::vector<std::string_view> keys = {"cache", "copies",        "durability", "dates_layout",
                                                     "keep",  "trash_breaker", "verify",     "remote"};
  return keys;
}

const std::vector<std::string_view>& remote_keys() {
  static const std::vector<std::string_view> keys = {
      "name",        "url",          "endpoint",         "region",
      "path_style",  "ca_file",      "credentials_file", "credentials_command",
      "connections", "crypt",        "passphrase_file",  "passphrase_command",
      "salt_file",   "salt_command", "identity_file",    "known_hosts",
      "hours",       "on_metered",   "on_battery",       "photos_only",
      "video_quota", "manual",       "bandwidth",        "bandwidth_down",
      "lease"};
  return keys;
}

bool names_a_secret(std::string_view key) {
  std::string lower(key);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(c)); });
  for (const std::string_view word : {"access_key", "secret", "password", "passwd", "passphrase", "token"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  // Longer words were compared for nothing: nobody mistypes by that much.
  if (word.size() > 64) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    // "credentials" for "credentials_file": the start was typed right.
    const bool prefix = word.size() >= 4 && candidate.starts_with(word);
    const size_t score = prefix ? std::min<size_t>(distance, 2) : distance;
    if (score < best_distance) {
      best = candidate;
      best_distance = score;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (const std::string_view best = nearest(word, candidates); !best.empty()) {
    return fmt::format("; did you mean \"{}\"?", best);
  }
  return fmt::format("; valid are {}", fmt::join(candidates, ", "));
}

}  // namespace shoebox
