#include "store/catalog/backup_cut.h"

#include "store/base/hash.h"
#include "store/catalog/backup_rows.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/keys.h"

namespace shoebox::backup {
namespace {

// FNV-1a, finished by a mix: the low bits of short keys must be as good as random.
uint64_t key_hash(std::string_view key) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  return hash ^ hash >> 33;
}

constexpr keys::Table kTables[] = {keys::kVersion, keys::kBlocks,        keys::kContent, keys::kDentry,
                                   keys::kInode,   keys::kMeta,          keys::kPhoto,   keys::kCopy,
                                   keys::kTrash,   keys::kViewDirectory, keys::kXattr};

}  // namespace

Segment describe(SegmentKind kind, const std::string& file, uint64_t rows) {
  Segment segment;
  segment.kind = kind;
  segment.sha256 = sha256(file);
  segment.bytes = file.size();
  segment.rows = rows;
  return segment;
}

Status cut_snapshot(const CatalogMoment& moment, const CutSizes& sizes, const SegmentSink& sink) {
  SegmentWriter writer;
  const auto cut = [&]() -> Status {
    if (writer.rows() == 0) return Status::ok();
    const uint64_t rows = writer.rows();
    SHOEBOX_ASSIGN(const std::string file, writer.finish());
    return sink(describe(SegmentKind::kSnapshot, file, rows), file);
  };
  for (const keys::Table table : kTables) {
    const std::string prefix = keys::table(table);
    Status failure;
    SHOEBOX_TRY(moment.scan(prefix, prefix, [&](std::string_view key, std::string_view value) {
      if (!is_backed_up(key)) return true;
      const std::string carried = portable(key, value);
      const size_t next = writer.raw_bytes() + key.size() + carried.size();
      const bool here = writer.raw_bytes() >= sizes.least_bytes && key_hash(key) % sizes.rows_per_cut == 0;
      if (here || next > sizes.most_bytes) failure = cut();
      if (failure) writer.put(key, carried);
      return failure.is_ok();
    }));
    SHOEBOX_TRY(failure);
  }
  return cut();
}

Status cut_changes(const CatalogMoment& moment, uint64_t after, uint32_t level, const CutSizes& sizes,
                   const SegmentSink& sink) {
  SHOEBOX_ASSIGN(const std::set<std::string> changed, moment.changed_keys(after));
  SegmentWriter writer;
  const auto cut = [&]() -> Status {
    const uint64_t rows = writer.rows();
    SHOEBOX_ASSIGN(const std::string file, writer.finish());
    Segment segment = describe(SegmentKind::kJournal, file, rows);
    segment.from = after;
    segment.to = moment.sequence();
    segment.level = level;
    return sink(segment, file);
  };
  for (const std::string& key : changed) {
    if (writer.raw_bytes() >= sizes.most_bytes) SHOEBOX_TRY(cut());
    SHOEBOX_ASSIGN(const std::optional<std::string> value, moment.get(key));
    if (value) {
      writer.put(key, portable(key, *value));
    } else {
      writer.erase(key);
    }
  }
  return writer.rows() > 0 ? cut() : Status::ok();
}

}  // namespace shoebox::backup
