// Cuts one moment of the catalog, or what changed until then, into segments.
//
// Snapshots are cut where the keys say so, not by counting: a snapshot of a catalog that changed a
// little repeats most segments of the one before, byte for byte, and they need not be sent again.
// Any thread; nothing is locked.
#pragma once

#include <functional>
#include <string>

#include "store/base/result.h"
#include "store/catalog/backup_head.h"
#include "store/catalog/catalog.h"

namespace shoebox::backup {

struct CutSizes {
  size_t least_bytes = 256 << 10;  // uncompressed: a smaller segment is not worth an object
  size_t most_bytes = 8 << 20;
  uint32_t rows_per_cut = 4096;  // on average, once there are least_bytes
};

// Takes a finished segment; an error ends the cutting.
using SegmentSink = std::function<Status(const Segment& segment, const std::string& file)>;

Status cut_snapshot(const CatalogMoment& moment, const CutSizes& sizes, const SegmentSink& sink);

// What changed after number `after`, as it is now; each segment says `level`. kNotFound: the list of changes
// does not reach back so far.
Status cut_changes(const CatalogMoment& moment, uint64_t after, uint32_t level, const CutSizes& sizes,
                   const SegmentSink& sink);

// Describes `file`.
Segment describe(SegmentKind kind, const std::string& file, uint64_t rows);

}  // namespace shoebox::backup
