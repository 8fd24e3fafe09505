// The settings of a library as its backup keeps them (catalog/BACKUP.md), so that a library that is rebuilt
// has them again: everything but secrets, and commands, which may hold one.
//
// Pure functions but for remember_settings(), which is one transaction. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"
#include "store/settings.h"

namespace shoebox {

class Catalog;

// The row of table `m` that has them.
inline constexpr std::string_view kMetaSettings = "settings";

std::string settings_for_backup(const Settings& settings);

// Puts them into the catalog, where they are not as they were put last.
Status remember_settings(Catalog& catalog, const Settings& settings);

struct RestoredSettings {
  std::string toml;  // a whole shoebox.toml, which this version reads
  // What the owner has to do before the remotes work as they did: one line each.
  std::vector<std::string> to_do;
};

// Of what settings_for_backup() made, here or in another version: lines that this one does not know are kept
// as comments, and so are those that name secrets: which ones are used, and where, is not for a backup to
// say. `from`: the remote that was rebuilt from, reached as it is now. kIncompatible: a newer format.
Result<RestoredSettings> restored_settings(std::string_view backed_up, const RemoteSettings& from);

}  // namespace shoebox
