#include "store/decode/decoder/image.h"

#include <vips/vips.h>

#include <algorithm>
#include <memory>

#include "store/decode/decoder/processor_time.h"

namespace shoebox::decoder {
namespace {

constexpr int kLargePx = 1024;
constexpr int kSmallPx = 256;
// Good enough to look at on any screen at these sizes; a step of 5 costs about 15 % more bytes.
constexpr int kJpegQuality = 80;
// Of processor time. A picture that takes longer gets no thumbnail, but keeps its date: the parent's
// deadline (10 s) would take both.
constexpr double kLongestDecode_s = 6;

struct Unref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};
using Image = std::unique_ptr<VipsImage, Unref>;

void stop_when_late(VipsImage* image, VipsProgress*, const double* deadline_s) {
  if (processor_time_s() > *deadline_s) vips_image_set_kill(image, TRUE);
}

// Computes all pixels now, once.
Image computed(Image lazy) {
  if (!lazy) return lazy;
  double deadline_s = processor_time_s() + kLongestDecode_s;
  vips_image_set_progress(lazy.get(), TRUE);
  const gulong handler = g_signal_connect(lazy.get(), "eval", G_CALLBACK(stop_when_late), &deadline_s);
  Image out(vips_image_copy_memory(lazy.get()));
  g_signal_handler_disconnect(lazy.get(), handler);
  return out;
}

bool save(VipsImage* image, uint32_t size_px, std::vector<Thumbnail>& out) {
  // Transparent parts become white, as a page would show them.
  VipsArrayDouble* white = vips_array_double_newv(1, 255.0);
  void* bytes = nullptr;
  size_t length = 0;
  const int failed = vips_jpegsave_buffer(image, &bytes, &length, "Q", kJpegQuality, "strip", TRUE,
                                          "background", white, nullptr);
  vips_area_unref(VIPS_AREA(white));
  if (failed != 0) return false;
  out.push_back({size_px, std::string(static_cast<const char*>(bytes), length)});
  g_free(bytes);
  return true;
}

// Both sizes from the larger one, so that the file is decoded once.
std::vector<Thumbnail> save_both(Image large) {
  std::vector<Thumbnail> out;
  if (!large) return out;
  VipsImage* small = nullptr;
  // A quarter of the full size is the mean of 4 x 4 pixels: cheap, and as good as any filter.
  constexpr int kRatio = kLargePx / kSmallPx;
  const bool full_size =
      std::max(vips_image_get_width(large.get()), vips_image_get_height(large.get())) == kLargePx &&
      std::min(vips_image_get_width(large.get()), vips_image_get_height(large.get())) >= kRatio;
  const int failed = full_size && !vips_image_hasalpha(large.get())
                         ? vips_shrink(large.get(), &small, kRatio, kRatio, nullptr)
                         : vips_thumbnail_image(large.get(), &small, kSmallPx, "height", kSmallPx, "size",
                                                VIPS_SIZE_DOWN, "no_rotate", TRUE, nullptr);
  if (failed != 0) return out;
  const Image owner(small);
  if (!save(small, kSmallPx, out) || !save(large.get(), kLargePx, out)) out.clear();
  return out;
}

// Upright by `orientation`; 0: by what the image itself says.
Image turned(Image image, int orientation) {
  if (!image) return image;
  if (orientation == 0) orientation = vips_image_get_orientation(image.get());
  if (orientation <= 1) return image;
  VipsImage* marked = nullptr;
  if (vips_copy(image.get(), &marked, nullptr) != 0) return image;
  const Image owner(marked);
  vips_image_set_int(marked, VIPS_META_ORIENTATION, orientation);
  VipsImage* upright = nullptr;
  if (vips_autorot(marked, &upright, nullptr) != 0) return image;
  return Image(upright);
}

// JPEG is what photos are: libjpeg reduces by 2, 4 or 8 while it decodes, as far as the wanted size allows,
// and only the rest is left to resample. vips_thumbnail() keeps twice the pixels at that step: half as fast,
// for a difference that nobody sees at these sizes.
Image reduced_jpeg(std::string_view encoded, PictureSize size, bool convert) {
  const uint32_t longer = std::max(size.width, size.height);
  int shrink = 1;
  while (shrink < 8 && longer / static_cast<uint32_t>(shrink * 2) >= kLargePx) shrink *= 2;
  VipsImage* loaded = nullptr;
  if (vips_jpegload_buffer(const_cast<char*>(encoded.data()), encoded.size(), &loaded, "shrink", shrink,
                           "access", VIPS_ACCESS_SEQUENTIAL, nullptr) != 0) {
    return nullptr;
  }
  Image image(loaded);
  const int left = std::max(vips_image_get_width(loaded), vips_image_get_height(loaded));
  if (left > kLargePx) {
    VipsImage* small = nullptr;
    if (vips_resize(image.get(), &small, static_cast<double>(kLargePx) / left, "kernel", VIPS_KERNEL_LINEAR,
                    nullptr) != 0)
      return nullptr;
    image.reset(small);
  }
  if (convert) {
    VipsImage* srgb = nullptr;
    if (vips_icc_transform(image.get(), &srgb, "srgb", "embedded", TRUE, "depth", 8, nullptr) == 0)
      image.reset(srgb);
  }
  return image;
}

bool tells_srgb(VipsImage* image) {
  const void* profile = nullptr;
  size_t length = 0;
  if (vips_image_get_typeof(image, VIPS_META_ICC_NAME) == 0) return true;  // none: meant for sRGB
  if (vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &length) != 0) return false;
  const std::string_view bytes(static_cast<const char*>(profile), length);
  // The name as ASCII, and as the UTF-16 of version 4 profiles.
  return bytes.find("sRGB") != std::string_view::npos ||
         bytes.find(std::string_view("s\0R\0G\0B", 7)) != std::string_view::npos;
}

// Loads each kind once, so that code, tables and plug-ins are in memory before the sandbox closes.
void warm_up() {
  VipsImage* black = nullptr;
  if (vips_black(&black, 32, 32, "bands", 3, nullptr) != 0) return;
  const Image owner(black);
  for (const char* suffix : {".jpg", ".png", ".webp", ".tif", ".gif", ".heic", ".avif", ".jxl", ".jp2"}) {
    void* bytes = nullptr;
    size_t length = 0;
    if (vips_image_write_to_buffer(black, suffix, &bytes, &length, nullptr) == 0) {
      PictureSize size;
      (void)thumbnails_of({static_cast<const char*>(bytes), length}, 0, size);
      g_free(bytes);
    }
  }
  vips_error_clear();
}

}  // namespace

bool start_vips() {
  if (VIPS_INIT("shoebox-decoder") != 0) return false;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_block_untrusted_set(TRUE);
  // Only what is meant to be decoded; ImageMagick aborts the process on some files.
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (const char* loader :
       {"VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadNsgif", "VipsForeignLoadWebp",
        "VipsForeignLoadTiff", "VipsForeignLoadHeif", "VipsForeignLoadJxl", "VipsForeignLoadJp2k"}) {
    vips_operation_block_set(loader, FALSE);
  }
  warm_up();
  return true;
}

std::vector<Thumbnail> thumbnails_of(std::string_view encoded, int orientation, PictureSize& size) {
  vips_error_clear();
  void* data = const_cast<char*>(encoded.data());
  // The header first: its size, and whether colours need converting.
  const Image header(vips_image_new_from_buffer(data, encoded.size(), "", nullptr));
  if (!header) return {};
  const PictureSize own{static_cast<uint32_t>(vips_image_get_width(header.get())),
                        static_cast<uint32_t>(vips_image_get_height(header.get()))};
  if (size.width == 0) size = own;
  const bool cmyk = vips_image_get_interpretation(header.get()) == VIPS_INTERPRETATION_CMYK;
  const bool convert = cmyk || !tells_srgb(header.get());
  if (encoded.starts_with("\xff\xd8\xff") && !cmyk) {
    return save_both(turned(computed(reduced_jpeg(encoded, own, convert)), orientation));
  }
  VipsImage* lazy = nullptr;
  const int failed =
      convert ? vips_thumbnail_buffer(data, encoded.size(), &lazy, kLargePx, "height", kLargePx, "size",
                                      VIPS_SIZE_DOWN, "no_rotate", orientation != 0, "export_profile", "srgb",
                                      nullptr)
              : vips_thumbnail_buffer(data, encoded.size(), &lazy, kLargePx, "height", kLargePx, "size",
                                      VIPS_SIZE_DOWN, "no_rotate", orientation != 0, nullptr);
  if (failed != 0) return {};
  Image large = computed(Image(lazy));
  return save_both(orientation != 0 ? turned(std::move(large), orientation) : std::move(large));
}

std::vector<Thumbnail> thumbnails_of_rgb(std::string_view pixels, uint32_t width, uint32_t height,
                                         int orientation) {
  if (width == 0 || height == 0 || pixels.size() != size_t{3} * width * height) return {};
  Image image(vips_image_new_from_memory(pixels.data(), pixels.size(), static_cast<int>(width),
                                         static_cast<int>(height), 3, VIPS_FORMAT_UCHAR));
  if (!image) return {};
  image->Type = VIPS_INTERPRETATION_sRGB;
  VipsImage* lazy = nullptr;
  if (vips_thumbnail_image(image.get(), &lazy, kLargePx, "height", kLargePx, "size", VIPS_SIZE_DOWN,
                           nullptr) != 0)
    return {};
  return save_both(turned(computed(Image(lazy)), orientation));
}

}  // namespace shoebox::decoder
