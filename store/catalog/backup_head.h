// The head of a backup: a small text that names the segments which belong together. It is replaced
// last, so that whatever an upload leaves half done, the head names a whole state. BACKUP.md is the page
// for readers of the format. Untrusted when read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox::backup {

inline constexpr std::string_view kCatalogFolder = ".shoebox/catalog/";
inline constexpr std::string_view kThumbnailFolder = ".shoebox/thumbnails/";

enum class SegmentKind : uint8_t {
  kSnapshot,    // every row, in the order of their keys, over all segments of this kind
  kJournal,     // what changed in (from, to], newest values
  kThumbnails,  // thumbnails of contents numbered (from, to]
};

struct Segment {
  SegmentKind kind = SegmentKind::kSnapshot;
  ContentHash sha256;  // of the object
  uint64_t bytes = 0;  // of the object
  uint64_t rows = 0;
  uint64_t from = 0, to = 0;
  uint32_t level = 0;  // how often it was merged of smaller ones
  auto operator<=>(const Segment&) const = default;
};

struct Head {
  uint64_t schema = 0;            // of the catalog's rows (FORMAT.md)
  std::string library;            // the library's id
  std::string remote;             // the name this remote has in the catalog's rows
  uint64_t counter = 0;           // one more with each head
  int64_t time_s = 0;             // when it was made
  uint64_t sequence = 0;          // the last change in it
  uint64_t snapshot = 0;          // the last change in the snapshot
  uint64_t originals = 0;         // originals that this remote has confirmed
  uint64_t pending = 0;           // originals in the catalog whose upload to this remote is still to come
  std::vector<Segment> segments;  // in the order in which they are applied

  // Sizes of what is of this kind, and how many there are.
  [[nodiscard]] uint64_t bytes_of(SegmentKind kind) const;
  [[nodiscard]] size_t count_of(SegmentKind kind) const;
};

std::string encode(const Head& head);
// kDataLoss: damaged. kIncompatible: of a newer format.
Result<Head> parse_head(std::string_view text);

// Where they stand on a remote. Heads take turns under two keys: one of them is always whole.
std::string head_key(std::string_view library, uint64_t counter);
std::string segment_key(std::string_view library, const Segment& segment);
// A library's id, as far as its shape goes: it becomes part of keys.
bool is_library_id(std::string_view text);

}  // namespace shoebox::backup
