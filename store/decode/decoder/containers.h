// Where metadata stands in each container: walks the segments, chunks or boxes within bounds and
// hands what it finds to the TagSet. A file that ends early gives what came before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shoebox::decoder {

class SourceFile;
class TagSet;

void read_jpeg(std::string_view file, TagSet& tags);
void read_png(std::string_view file, TagSet& tags);
void read_webp(std::string_view file, TagSet& tags);
void read_bmp(std::string_view file, TagSet& tags);
void read_psd(std::string_view file, TagSet& tags);
// ISO boxes: HEIF and AVIF items, CR3's CMT boxes, JPEG XL's boxes, XMP of MP4 and MOV.
void read_boxes(const SourceFile& file, TagSet& tags);
// The JPEG preview of a CR3 (its PRVW box); empty when there is none.
std::string cr3_preview(const SourceFile& file);
// Width and height of a JPEG stream, 0 when it has no frame header.
struct JpegSize {
  uint32_t width = 0, height = 0;
};
JpegSize jpeg_size(std::string_view jpeg);

}  // namespace shoebox::decoder
