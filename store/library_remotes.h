// What changes when the remotes in the settings do: remotes from the command line are written into
// shoebox.toml, a new remote gets every photo queued, and copies on a remote that moved are not
// taken on trust.
#pragma once

#include <string>
#include <vector>

#include "store/base/result.h"
#include "store/settings.h"

namespace shoebox {

class Catalog;
class CatalogReader;
class Outbox;

// Adds `extra` to `settings` (one that stands there already is not new; a nameless one is named)
// and, unless `read_only`, to LIBRARY/shoebox.toml, so that the next mount needs no flag.
Status adopt_remotes(const std::string& library, const std::vector<RemoteSettings>& extra, bool read_only,
                     Settings& settings);

// The settings as shoebox.toml has them now, for a library that is open with `now`. Remotes that left it are
// let go of, unless `read_only`: kBusy as for let_go_of_remote(), and then none is.
Result<Settings> reread_settings(const std::string& library, Catalog& catalog, const Settings& now,
                                 bool read_only);

// Whether copies on `before` are copies on `after`.
bool same_place(const RemoteSettings& before, const RemoteSettings& after);

// Refuses a remote that was encrypted the last time and is not in `settings`, as the catalog remembers it.
Status refuse_unencrypted(const CatalogReader& reader, const Settings& settings);

// Compares the remotes with those of the last time, as the catalog remembers them.
Status reconcile_remotes(Catalog& catalog, Outbox& outbox, const Settings& settings);

}  // namespace shoebox
