// What a file is, by its first bytes; its name decides only where bytes cannot.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/catalog/records.h"

namespace shoebox::decoder {

enum class Format : uint8_t {
  kNone,  // no format that is decoded here
  kJpeg,
  kPng,
  kGif,
  kWebp,
  kTiff,  // also the RAW formats that are TIFF inside
  kRaw,   // RAF, ORF, RW2, MRW, CRW, X3F ...: metadata and embedded previews
  kCr3,
  kHeif,  // HEIC, HEIF, AVIF
  kJxl,
  kJp2,
  kBmp,
  kPsd,
  kVideo,
  kXmp,  // a sidecar: kOther, with what it states
};

struct Sniffed {
  Format format = Format::kNone;
  MediaKind kind = MediaKind::kOther;
  std::string mime;
};

// `head`: at least the first 4 KiB, when there are so many. A file of no known format whose name says photo
// or video is kUndecodable; otherwise kOther.
Sniffed sniff(std::string_view head, std::string_view name);

}  // namespace shoebox::decoder
