// Taking a remote out of LIBRARY/shoebox.toml, and what must be so before. Adding one: adopt_remotes().
// Threads: any; the file is written beside and renamed into place.
#pragma once

#include <string>
#include <string_view>

#include "store/base/result.h"
#include "store/settings.h"

namespace shoebox {

class Catalog;
class CatalogReader;

// `text` without the [[remote]] section of this name; comments and the order of the rest stay.
// kNotFound: there is none.
Result<std::string> without_remote(const std::string& text, const std::string& name);

// From the commit on no original is evicted on the strength of a copy there. kBusy, with how many and
// what to do: the remote holds the only copy of something. `remotes`: those of the settings.
Status let_go_of_remote(Catalog& catalog, const std::vector<RemoteSettings>& remotes,
                        const std::string& name);
// The same for several, all of them or none.
Status let_go_of_remotes(Catalog& catalog, const std::vector<RemoteSettings>& remotes,
                         const std::vector<std::string>& names);
// Undoes it: the remote is in the settings (again).
Status take_remote_back(Catalog& catalog, const std::string& name);
// Whether let_go_of_remote() was the last word about this remote.
Result<bool> remote_is_let_go(const CatalogReader& reader, std::string_view name);

}  // namespace shoebox
