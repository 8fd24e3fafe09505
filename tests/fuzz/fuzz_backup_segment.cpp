// Segments of backups of the catalog. The input is the rows; they are packed and checksummed here.
#include <zstd.h>

#include "store/base/coding.h"
#include "store/base/hash.h"
#include "store/catalog/backup_segment.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

constexpr std::string_view kMagic = "SBXSEG1\n";
constexpr size_t kHashBytes = 32;

std::vector<std::string> seeds() {
  std::string rows;
  put_u8(rows, 1);
  put_string(rows, "ikey");
  put_string(rows, std::string(300, 'v'));
  put_u8(rows, 0);
  put_string(rows, "dgone");
  put_u8(rows, 0xff);
  put_varint(rows, 2);
  return {rows, std::string("\xff\0", 2)};
}

std::string packed(std::string_view rows) {
  std::string file(kMagic);
  file.resize(kMagic.size() + ZSTD_compressBound(rows.size()));
  const size_t bytes = ZSTD_compress(file.data() + kMagic.size(), file.size() - kMagic.size(), rows.data(),
                                     rows.size(), /*level=*/1);
  file.resize(kMagic.size() + bytes);
  return file;
}

std::string with_hash(std::string file) {
  file.append(sha256(file).view());
  return file;
}

void run(std::string_view bytes) {
  size_t rows = 0;
  const auto each = [&](std::string_view key, std::optional<std::string_view>) {
    holds(!key.empty(), "every row has a key");
    ++rows;
    return Status::ok();
  };
  const Status unchecked = backup::read_segment(bytes, each);
  holds(bytes.size() >= kMagic.size() + kHashBytes || !unchecked, "what is too short is refused");
  const Status read = backup::read_segment(with_hash(packed(bytes)), each);
  holds(read.is_ok() || read.code() == Code::kDataLoss, "damage is told as such");
  holds(rows <= bytes.size(), "no row comes from nowhere");
  // As what zstd unpacks.
  const Status unpacked = backup::read_segment(with_hash(std::string(kMagic) + std::string(bytes)), each);
  holds(unpacked.is_ok() || unpacked.code() == Code::kDataLoss, "what cannot be unpacked is damaged");
}

}  // namespace

const Target kBackupSegment{"backup_segment", seeds, run};

}  // namespace shoebox::fuzz
