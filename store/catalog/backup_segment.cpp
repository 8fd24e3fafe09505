#include "store/catalog/backup_segment.h"

#include <fmt/format.h>
#include <zstd.h>

#include "store/base/coding.h"
#include "store/base/hash.h"

namespace shoebox::backup {
namespace {

constexpr std::string_view kMagic = "SBXSEG1\n";
constexpr size_t kHashBytes = 32;
constexpr uint8_t kPut = 1, kErase = 0, kEnd = 0xff;

Status damaged_segment(std::string_view why) {
  return {Code::kDataLoss, fmt::format("backup segment: {}", why)};
}

}  // namespace

void SegmentWriter::put(std::string_view key, std::string_view value) {
  put_u8(rows_, kPut);
  put_string(rows_, key);
  put_string(rows_, value);
  ++count_;
}

void SegmentWriter::erase(std::string_view key) {
  put_u8(rows_, kErase);
  put_string(rows_, key);
  ++count_;
}

Result<std::string> SegmentWriter::finish() {
  put_u8(rows_, kEnd);
  put_varint(rows_, count_);
  std::string file(kMagic);
  const size_t bound = ZSTD_compressBound(rows_.size());
  file.resize(kMagic.size() + bound);
  const size_t got = ZSTD_compress(file.data() + kMagic.size(), bound, rows_.data(), rows_.size(), level_);
  if (ZSTD_isError(got) != 0) {
    return Status(Code::kIo, fmt::format("compress a backup segment: {}", ZSTD_getErrorName(got)));
  }
  file.resize(kMagic.size() + got);
  file.append(sha256(file).view());
  rows_.clear();
  count_ = 0;
  return file;
}

Status read_segment(
    std::string_view file,
    const std::function<Status(std::string_view key, std::optional<std::string_view> value)>& fn) {
  if (file.size() < kMagic.size() + kHashBytes) return damaged_segment("cut short");
  const std::string_view body = file.substr(0, file.size() - kHashBytes);
  if (sha256(body).view() != file.substr(body.size())) return damaged_segment("its checksum is wrong");
  if (!body.starts_with(kMagic)) {
    return {Code::kIncompatible, "backup segment: of a format this version does not know; update Shoebox"};
  }
  const std::string_view packed = body.substr(kMagic.size());
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > kMostSegmentBytes) {
    return damaged_segment("its size is not believable");
  }
  std::string rows(size, '\0');
  const size_t got = ZSTD_decompress(rows.data(), rows.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != rows.size()) return damaged_segment("it cannot be unpacked");

  Decoder in(rows);
  uint64_t count = 0;
  for (;;) {
    const uint8_t what = in.u8();
    if (what == kEnd && in.ok()) break;
    const std::string_view key = in.string();
    std::optional<std::string_view> value;
    if (what == kPut) value = in.string();
    if (!in.ok() || key.empty() || (what != kPut && what != kErase))
      return damaged_segment("a row is damaged");
    SHOEBOX_TRY(fn(key, value));
    ++count;
  }
  if (in.varint() != count || !in.done()) return damaged_segment("rows are missing");
  return Status::ok();
}

}  // namespace shoebox::backup
