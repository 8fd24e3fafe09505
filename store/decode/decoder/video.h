// Videos by FFmpeg's libav: what the container says, and one frame. libav stays behind this function.
#pragma once

#include <string>
#include <vector>

#include "store/decode/media_decoder.h"

namespace shoebox::decoder {

class SourceFile;
class TagSet;

void start_libav();

struct VideoFacts {
  bool opened = false;     // libav knows the container
  bool has_video = false;  // sound alone is no video
  uint32_t width = 0, height = 0;
  double duration_s = 0;
  std::vector<Thumbnail> thumbnails;
};
// Texts of the container go to `tags` as "av.KEY"; its creation time as "av.creation_time_utc" or,
// where the format stores local time, "av.creation_time_local"; its rotation as "av.orientation".
VideoFacts read_video(const SourceFile& file, const std::string& name, TagSet& tags);

// The picture in a BMP or PSD file, for which libvips has no loader of its own.
std::vector<Thumbnail> still_by_libav(const SourceFile& file, bool psd, int orientation);

}  // namespace shoebox::decoder
