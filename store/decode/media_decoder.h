// Decoding as the store sees it: one call, one answer, whatever the file does.
#pragma once

#include <string>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

struct Thumbnail {
  uint32_t size_px = 0;  // the longer side is at most this: 256 or 1024
  std::string jpeg;      // upright, sRGB
};

struct DecodedMedia {
  MediaInfo info;
  std::vector<Thumbnail> thumbnails;
};

// Thread-safe. Implementations: DecoderPool (processes), fakes in tests.
class MediaDecoder {
 public:
  virtual ~MediaDecoder() = default;
  // Reads the file behind `fd` (read-only, seekable; not closed). `name` only helps to guess a format.
  // Blocks up to about 10 s. kDataLoss: the decoder crashed or ran out of time on this file;
  // kUnavailable: no decoder can be started; kCancelled: cancel() was called. A file that is no photo is not
  // an error: kOther.
  virtual Result<DecodedMedia> decode(int fd, const std::string& name) = 0;
  // The same for a file of which `hole` is not there and reads as zeros: what its metadata says, and a
  // thumbnail where that holds one.
  virtual Result<DecodedMedia> decode_part(int fd, const std::string& name, ByteRange hole) = 0;
  // Nobody waits any more: what is being decoded ends, and whatever is asked for from now on fails, at once.
  virtual void cancel() {}
};

}  // namespace shoebox
