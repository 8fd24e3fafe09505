#include "store/decode/decoder/raw_preview.h"

#include <exiv2/exiv2.hpp>

#include "store/decode/decoder/containers.h"

namespace shoebox::decoder {

std::string raw_preview(std::string_view file) {
  constexpr uint32_t kEnoughPx = 1024;
  try {
    const auto image = Exiv2::ImageFactory::open(reinterpret_cast<const Exiv2::byte*>(file.data()),
                                                 static_cast<long>(file.size()));
    if (image.get() == nullptr) return {};
    image->readMetadata();
    const Exiv2::PreviewManager previews(*image);
    const Exiv2::PreviewPropertiesList list = previews.getPreviewProperties();  // smallest first
    const Exiv2::PreviewProperties* chosen = nullptr;
    for (const Exiv2::PreviewProperties& preview : list) {
      if (preview.mimeType_ != "image/jpeg") continue;
      chosen = &preview;
      if (std::max(preview.width_, preview.height_) >= kEnoughPx) break;
    }
    if (chosen == nullptr) return {};
    const Exiv2::PreviewImage preview = previews.getPreviewImage(*chosen);
    return {reinterpret_cast<const char*>(preview.pData()), preview.size()};
  } catch (const std::exception&) {
    return {};
  }
}

std::string_view embedded_jpeg(std::string_view file) {
  constexpr int kMaxCandidates = 64;
  std::string_view best;
  uint64_t best_pixels = 0;
  size_t at = file.find("\xff\xd8\xff", 1);
  for (int i = 0; i < kMaxCandidates && at != std::string_view::npos; ++i) {
    const JpegSize size = jpeg_size(file.substr(at));
    if (const uint64_t pixels = uint64_t{size.width} * size.height; pixels > best_pixels) {
      best_pixels = pixels;
      best = file.substr(at);
    }
    at = file.find("\xff\xd8\xff", at + 3);
  }
  return best;
}

}  // namespace shoebox::decoder
