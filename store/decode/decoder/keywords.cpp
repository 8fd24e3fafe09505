// Keywords, ratings and captions.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "store/decode/decoder/facts.h"
#include "store/decode/decoder/tag_set.h"

namespace shoebox::decoder {
namespace {

void add_once(std::vector<std::string>& tags, std::string tag) {
  if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
}

std::set<std::string> components(const std::vector<std::string>& hierarchies) {
  std::set<std::string> out;
  for (const std::string& tag : hierarchies) {
    for (size_t begin = 0; begin <= tag.size();) {
      const size_t end = std::min(tag.find('/', begin), tag.size());
      out.insert(tag.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> tags_of(const TagSet& tags) {
  std::vector<std::string> out;
  std::set<std::string> people;  // digiKam repeats "People/Anna" as the plain keyword "Anna"
  const auto add_tree = [&](std::string tag, char separator) {
    std::replace(tag.begin(), tag.end(), separator, '/');
    if (tag.starts_with("People/")) {
      people.insert(tag.substr(tag.rfind('/') + 1));
      people.insert("People");
    } else {
      add_once(out, std::move(tag));
    }
  };
  tags.each_xmp("Xmp.digiKam.TagsList",
                [&](const std::string&, const std::string& value) { add_tree(value, '/'); });
  tags.each_xmp("Xmp.lr.hierarchicalSubject",
                [&](const std::string&, const std::string& value) { add_tree(value, '|'); });
  tags.each_xmp("Xmp.MicrosoftPhoto.LastKeywordXMP",
                [&](const std::string&, const std::string& value) { add_tree(value, '/'); });
  tags.each_xmp("Xmp.mediapro.CatalogSets",
                [&](const std::string&, const std::string& value) { add_tree(value, '|'); });
  std::set<std::string> known = components(out);
  known.merge(people);
  const auto add_flat = [&](const std::string& tag) {
    if (!known.contains(tag)) add_once(out, tag);
  };
  tags.each_xmp("Xmp.dc.subject", [&](const std::string&, const std::string& value) { add_flat(value); });
  tags.each_iptc("Iptc.Application2.Keywords", add_flat);
  return out;
}

int8_t rating_of(const TagSet& tags) {
  const auto stars = [](double value) {
    return std::isfinite(value) && value >= 0 && value <= 5 ? static_cast<int8_t>(std::lround(value))
                                                            : int8_t{-1};
  };
  if (const std::string text = tags.xmp("Xmp.xmp.Rating"); !text.empty())
    return stars(std::strtod(text.c_str(), nullptr));
  if (const auto number = tags.exif_number("Exif.Image.Rating")) return stars(static_cast<double>(*number));
  if (const std::string text = tags.xmp("Xmp.MicrosoftPhoto.Rating"); !text.empty()) {
    // Percent: 1, 25, 50, 75 and 99 stand for one to five stars.
    const double percent = std::strtod(text.c_str(), nullptr);
    return percent >= 1 && percent <= 100 ? stars(1 + std::round((percent - 1) / 24.5)) : stars(percent);
  }
  if (const auto number = tags.exif_number("Exif.Fujifilm.Rating"))
    return stars(static_cast<double>(*number));
  return -1;
}

std::string caption_of(const TagSet& tags) {
  if (std::string text = tags.xmp("Xmp.dc.description"); !text.empty()) return text;
  if (std::string text = tags.iptc("Iptc.Application2.Caption"); !text.empty()) return text;
  std::string text = tags.exif("Exif.Image.ImageDescription");
  // What cameras write there by themselves.
  for (const std::string_view own : {"OLYMPUS DIGITAL CAMERA", "SONY DSC", "KONICA MINOLTA DIGITAL CAMERA",
                                     "MINOLTA DIGITAL CAMERA", "DCIM", "Untitled"}) {
    if (text.starts_with(own)) return {};
  }
  return text;
}

}  // namespace shoebox::decoder
