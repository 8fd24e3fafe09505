// Where remotes may stand: promise 2 counts copies, and what looks like two places must not be one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"
#include "store/settings.h"

namespace shoebox {

// The folder that a file:// URL names: decoded, without the slashes at its end.
std::string folder_of_url(std::string_view url);

// kInvalid when the open file lies on a Shoebox drive; the message begins with "lies on".
Status refuse_on_drive(int fd);

// Refuses directory remotes that lie in the library or on a Shoebox drive (the copy would go when the
// original leaves this disk), that are the root of this machine, or two that are one folder, however they are
// spelled. `library`: canonical; empty where none is known. Looks at the disk; a folder that is not there yet
// is no error.
Status check_remote_places(const std::string& library, const std::vector<RemoteSettings>& remotes);

}  // namespace shoebox
