// Cuts the small thumbnails of contents that are not in a backup yet into segments, so that a rebuilt
// library can be looked through before any original is there.
//
// Contents are taken in the order of their numbers; the segments name the ranges they cover. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "store/catalog/backup_cut.h"

namespace shoebox {

class Thumbnails;

// What stands in a segment's key for a thumbnail.
std::string thumbnail_key(const ContentHash& sha256, uint32_t size_px);
// kDataLoss: it is no such key.
Status parse_thumbnail_key(std::string_view key, ContentHash& sha256, uint32_t& size_px);

struct ThumbnailRange {
  uint64_t after = 0;       // contents with greater numbers
  int64_t now_s = 0;        // what waits for the decoder for long is not waited for
  uint64_t most_bytes = 0;  // more than this waits for the next call
};

// Whether more than that is there.
Result<bool> cut_thumbnails(const CatalogMoment& moment, const Thumbnails& thumbnails,
                            const ThumbnailRange& range, const backup::SegmentSink& sink);

}  // namespace shoebox
