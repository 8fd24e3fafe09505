// Thumbnails by libvips: upright, sRGB, JPEG. libvips stays behind these functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "store/decode/media_decoder.h"

namespace shoebox::decoder {

// Loads libvips and its modules, blocks the loaders that are not made for hostile files, and runs
// the others once so that nothing is left to load. Before the sandbox. False: libvips does not start.
bool start_vips();

struct PictureSize {
  uint32_t width = 0, height = 0;
};
// Of an encoded picture; `orientation` 0: the one in the file, else this one. Empty when it cannot be
// decoded. `size`: as stored, from the header, kept when it is known already.
std::vector<Thumbnail> thumbnails_of(std::string_view encoded, int orientation, PictureSize& size);
// Of pixels, 8-bit RGB without gaps.
std::vector<Thumbnail> thumbnails_of_rgb(std::string_view pixels, uint32_t width, uint32_t height,
                                         int orientation);

}  // namespace shoebox::decoder
