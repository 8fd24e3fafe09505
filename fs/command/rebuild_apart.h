// A rebuild on the way to a mount (shoebox mount --read-only --from URL).
#pragma once

#include <string>

#include "store/base/result.h"
#include "store/settings.h"

namespace shoebox {

struct FrontEnd;

// Makes `library` from the copy of the catalog on `remote`, unless it was made from there before; goes on
// with a rebuild that was broken off. `id`: which library, where several are backed up there; may be empty.
// In a process of its own, as the mount forks afterwards and no thread may be left by then; that one tells
// how far it is, on stderr, and why it failed. False: it failed, and said why. kInvalid: a library is there
// that was made from another place. REQUIRES: no thread was started.
Result<bool> rebuild_apart(FrontEnd& front, const std::string& library, const RemoteSettings& remote,
                           const std::string& id);

}  // namespace shoebox
