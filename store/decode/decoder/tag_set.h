// All metadata of one file in one bag: EXIF, XMP and IPTC as Exiv2 reads them, and texts that a
// container has of its own. Parsing adds to the bag; malformed parts add nothing.
//
// Exiv2 stays behind this class (tag_set.cpp, raw_preview.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shoebox::decoder {

class TagSet {
 public:
  TagSet();
  ~TagSet();
  TagSet(const TagSet&) = delete;
  TagSet& operator=(const TagSet&) = delete;

  void add_exif(std::string_view tiff);  // from "II*" or "MM*"
  void add_xmp(std::string_view packet);
  void add_iptc(std::string_view iim);
  // Photoshop's "8BIM" resources: IPTC (0x0404), EXIF (0x0422), XMP (0x0424).
  void add_photoshop(std::string_view resources);
  // Everything Exiv2 finds in a file of a format that it knows; also its pixel size and previews.
  void add_image(std::string_view file);
  void add_text(const std::string& key, std::string_view value);  // "png.CreationTime", "av.creation_time"

  // Text of the first value under this key ("Exif.Photo.DateTimeOriginal"); empty when absent.
  [[nodiscard]] std::string exif(const char* key) const;
  [[nodiscard]] std::optional<int64_t> exif_number(const char* key) const;
  [[nodiscard]] std::vector<double> exif_rationals(const char* key) const;
  [[nodiscard]] std::string xmp(const char* key) const;
  // All values whose key begins with `prefix`, arrays item by item, as (key, value).
  void each_xmp(std::string_view prefix,
                const std::function<void(const std::string& key, const std::string& value)>& fn) const;
  [[nodiscard]] std::string iptc(const char* key) const;
  void each_iptc(const char* key, const std::function<void(const std::string& value)>& fn) const;
  [[nodiscard]] std::string text(const std::string& key) const;

  // The JPEG that EXIF holds, as it stands there; empty when there is none.
  [[nodiscard]] std::string thumbnail() const;

  [[nodiscard]] bool empty() const;
  uint32_t width = 0, height = 0;  // as stored, when a parser came across them

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Starts what Exiv2 starts once, and silences it. Before the sandbox.
void start_exiv2();
// Valid UTF-8 of bytes in UTF-8, else in Latin-1; surrounding blanks and NULs are cut.
std::string clean_text(std::string_view bytes);

}  // namespace shoebox::decoder
