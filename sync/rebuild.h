// Makes a library from the backup that stands on a remote: catalog, thumbnails and settings; originals
// come later, when they are read.
//
// Runs in a command, before anything has the library open. LIBRARY/rebuild/ holds what is fetched and is
// there until finish_rebuild(): a run that was killed goes on where it was.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/rebuild.h"
#include "sync/remote/remote.h"

namespace shoebox {

// kExists: the folder holds a library, or something else. kNotFound: the remote has no backup that can be
// used.
Result<RebuildResult> rebuild_library(
    const RebuildPlan& plan, const Clock& clock,
    const std::function<Result<std::unique_ptr<Remote>>(const RemoteSettings&)>& make_remote);
// The library is complete, as far as it was asked for.
Status finish_rebuild(const std::string& library);

}  // namespace shoebox
