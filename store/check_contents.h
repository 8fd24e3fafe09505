// Whether the bytes on this disk are what was recorded: every file there and of its size, and with
// `read_data` every block hashed again.
//
// Reads only; runs beside a mounted drive, on the caller's thread, which is no FUSE worker.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "store/base/cancel.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

class Catalog;
class ContentStore;

// Whether the files of this content are there and of the size that its record says.
Result<bool> has_files(const ContentStore& contents, ContentNo number, const ContentRecord& record);

// What of all contents is on this disk, by their records and what their files occupy.
Result<uint64_t> count_local(const Catalog& catalog, const ContentStore& contents);

// Local blocks of a sealed content whose hash is not the recorded one; blocks that are only partly
// here cannot be told and are left out. `on_bytes` counts what was read.
Result<uint64_t> count_rotten(const Catalog& catalog, const ContentStore& contents, ContentNo number,
                              const ContentRecord& record, const CancelToken& cancel,
                              const std::function<void(uint64_t bytes)>& on_bytes);

}  // namespace shoebox
