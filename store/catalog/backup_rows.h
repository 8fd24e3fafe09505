// Which rows of the catalog go into a backup, and in which form: what stands on this disk only does
// not matter to another machine. BACKUP.md is the page for readers. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace shoebox::backup {

// Whether the table (and, among the settings that the program keeps, the name) is backed up. Indexes
// are not: they are made anew.
bool is_backed_up(std::string_view key);

// The value without what only this disk knows: whether the bytes are here, and when they were read.
std::string portable(std::string_view key, std::string_view value);

}  // namespace shoebox::backup
