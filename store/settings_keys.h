// The keys that shoebox.toml knows, and which of them somebody meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shoebox {

// Keys of the file itself and of each [[remote]], in the order of SETTINGS.md.
const std::vector<std::string_view>& settings_keys();
const std::vector<std::string_view>& remote_keys();

// Whether a key's name says that its value is a secret, which has no place in shoebox.toml.
bool names_a_secret(std::string_view key);

// Edits (insert, delete, replace) that turn one word into the other.
size_t edit_distance(std::string_view a, std::string_view b);
// The candidate nearest to `word`, or empty when none is near enough to have been meant.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);
// `; did you mean "x"?`, or `; valid are a, b, c` when nothing is near.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace shoebox
