// The JPEG that a camera puts into its RAW file: what a photo looked like on the camera's screen.
#pragma once

#include <string>
#include <string_view>

namespace shoebox::decoder {

// The smallest preview whose longer side is at least 1024 px, else the largest. Empty: none.
std::string raw_preview(std::string_view file);
// The largest JPEG stream found by its signature; for formats that Exiv2 does not know. A view into `file`.
std::string_view embedded_jpeg(std::string_view file);

}  // namespace shoebox::decoder
