#include "store/decode/decoder/tag_set.h"

#include <cmath>
#include <exiv2/exiv2.hpp>
#include <map>

#include "store/decode/decoder/bytes.h"
#include "store/decode/wire.h"

namespace shoebox::decoder {
namespace {

// Debian 12 has Exiv2 0.27, Debian 13 has 0.28, which renamed this.
int64_t number_of(const Exiv2::Exifdatum& datum) {
#if EXIV2_TEST_VERSION(0, 28, 0)
  return datum.toInt64(0);
#else
  return datum.toLong(0);
#endif
}

constexpr size_t kMaxPacketBytes = 16 << 20;  // an XMP packet larger than this is not parsed

const Exiv2::byte* as_bytes(std::string_view bytes) {
  return reinterpret_cast<const Exiv2::byte*>(bytes.data());
}

// Exiv2 throws for whatever it does not like: that part of the file then says nothing.
template <typename Parse>
void tolerate(const Parse& parse) {
  try {
    parse();
  } catch (const std::exception&) {
  }
}

// The text in the default language, else in whatever language there is.
std::string default_text(const Exiv2::LangAltValue& value) {
  std::string text = value.toString(0);
  return text.empty() && !value.value_.empty() ? value.value_.begin()->second : text;
}

// UTF-16 packets become UTF-8; others stay.
std::string to_utf8(std::string_view packet) {
  const bool little = packet.starts_with("\xff\xfe");
  if (!little && !packet.starts_with("\xfe\xff")) return std::string(packet);
  std::string out;
  for (size_t i = 2; i + 1 < packet.size(); i += 2) {
    const auto unit = [&](size_t at) {
      return static_cast<uint32_t>(little ? le(packet, at, 2) : be(packet, at, 2));
    };
    uint32_t c = unit(i);
    if (c >= 0xd800 && c < 0xdc00 && i + 3 < packet.size()) {
      c = 0x10000 + ((c - 0xd800) << 10) + ((unit(i + 2) - 0xdc00) & 0x3ff);
      i += 2;
    }
    if (c < 0x80) {
      out.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
      out += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 0x3f))};
    } else if (c < 0x10000) {
      out += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3f)),
              static_cast<char>(0x80 | (c & 0x3f))};
    } else {
      out += {static_cast<char>(0xf0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3f)),
              static_cast<char>(0x80 | (c >> 6 & 0x3f)), static_cast<char>(0x80 | (c & 0x3f))};
    }
  }
  return out;
}

}  // namespace

struct TagSet::State {
  Exiv2::ExifData exif;
  Exiv2::XmpData xmp;
  Exiv2::IptcData iptc;
  std::map<std::string, std::string> texts;

  void merge(const Exiv2::ExifData& more) {
    if (exif.empty()) {
      exif = more;
      return;
    }
    for (const Exiv2::Exifdatum& datum : more) {
      if (exif.findKey(Exiv2::ExifKey(datum.key())) == exif.end()) exif.add(datum);
    }
  }
};

TagSet::TagSet() : state_(std::make_unique<State>()) {}
TagSet::~TagSet() = default;

void TagSet::add_exif(std::string_view tiff) {
  tolerate([&] {
    Exiv2::ExifData data;
    if (tiff.size() >= 8) Exiv2::ExifParser::decode(data, as_bytes(tiff), static_cast<uint32_t>(tiff.size()));
    state_->merge(data);
  });
}

void TagSet::add_xmp(std::string_view packet) {
  if (packet.empty() || packet.size() > kMaxPacketBytes) return;
  tolerate([&] {
    Exiv2::XmpData data;
    if (Exiv2::XmpParser::decode(data, to_utf8(packet)) != 0) return;
    for (const Exiv2::Xmpdatum& datum : data) {
      if (state_->xmp.findKey(Exiv2::XmpKey(datum.key())) == state_->xmp.end()) state_->xmp.add(datum);
    }
  });
}

void TagSet::add_iptc(std::string_view iim) {
  tolerate([&] {
    Exiv2::IptcData data;
    if (Exiv2::IptcParser::decode(data, as_bytes(iim), static_cast<uint32_t>(iim.size())) != 0) return;
    for (const Exiv2::Iptcdatum& datum : data) state_->iptc.add(datum);
  });
}

void TagSet::add_photoshop(std::string_view resources) {
  size_t at = 0;
  while (part(resources, at, 4).size() == 4) {
    const std::string_view signature = part(resources, at, 4);
    if (signature != "8BIM" && signature != "AgHg" && signature != "DCSR" && signature != "PHUT" &&
        signature != "MeSa")
      return;
    const uint64_t id = be(resources, at + 4, 2);
    const size_t name = (1 + be(resources, at + 6, 1) + 1) & ~size_t{1};  // Pascal string, padded
    const uint64_t bytes = be(resources, at + 6 + name, 4);
    const std::string_view data = part(resources, at + 10 + name, bytes);
    if (data.size() < bytes) return;
    if (id == 0x0404) add_iptc(data);
    if (id == 0x0422) add_exif(data);
    if (id == 0x0424) add_xmp(data);
    at += 10 + name + ((bytes + 1) & ~uint64_t{1});
  }
}

void TagSet::add_image(std::string_view file) {
  tolerate([&] {
    const auto image = Exiv2::ImageFactory::open(as_bytes(file), static_cast<long>(file.size()));
    if (image.get() == nullptr) return;
    image->readMetadata();
    state_->merge(image->exifData());
    for (const Exiv2::Xmpdatum& datum : image->xmpData()) state_->xmp.add(datum);
    for (const Exiv2::Iptcdatum& datum : image->iptcData()) state_->iptc.add(datum);
    width = static_cast<uint32_t>(std::max<int64_t>(0, image->pixelWidth()));
    height = static_cast<uint32_t>(std::max<int64_t>(0, image->pixelHeight()));
  });
}

void TagSet::add_text(const std::string& key, std::string_view value) { state_->texts.emplace(key, value); }

std::string TagSet::exif(const char* key) const {
  std::string out;
  tolerate([&] {
    const auto found = state_->exif.findKey(Exiv2::ExifKey(key));
    if (found != state_->exif.end()) out = clean_text(found->toString());
  });
  return out;
}

std::optional<int64_t> TagSet::exif_number(const char* key) const {
  std::optional<int64_t> out;
  tolerate([&] {
    const auto found = state_->exif.findKey(Exiv2::ExifKey(key));
    if (found != state_->exif.end() && found->count() > 0) out = number_of(*found);
  });
  return out;
}

std::vector<double> TagSet::exif_rationals(const char* key) const {
  std::vector<double> out;
  tolerate([&] {
    const auto found = state_->exif.findKey(Exiv2::ExifKey(key));
    if (found == state_->exif.end()) return;
    const auto count = std::min<long>(static_cast<long>(found->count()), 8);
    for (long i = 0; i < count; ++i) {
      const Exiv2::Rational value = found->toRational(i);
      out.push_back(value.second != 0 ? static_cast<double>(static_cast<uint32_t>(value.first)) /
                                            static_cast<uint32_t>(value.second)
                                      : NAN);
    }
  });
  return out;
}

std::string TagSet::xmp(const char* key) const {
  std::string out;
  tolerate([&] {
    const auto found = state_->xmp.findKey(Exiv2::XmpKey(key));
    if (found == state_->xmp.end()) return;
    if (const auto* text = dynamic_cast<const Exiv2::LangAltValue*>(&found->value())) {
      out = clean_text(default_text(*text));
    } else {
      out = clean_text(found->count() > 0 ? found->toString(0) : found->toString());
    }
  });
  return out;
}

void TagSet::each_xmp(std::string_view prefix,
                      const std::function<void(const std::string&, const std::string&)>& fn) const {
  for (const Exiv2::Xmpdatum& datum : state_->xmp) {
    tolerate([&] {
      const std::string key = datum.key();
      if (!key.starts_with(prefix)) return;
      if (datum.typeId() == Exiv2::langAlt) {
        const auto* text = dynamic_cast<const Exiv2::LangAltValue*>(&datum.value());
        if (text != nullptr) fn(key, clean_text(default_text(*text)));
        return;
      }
      for (long i = 0; i < static_cast<long>(datum.count()); ++i) {
        if (std::string value = clean_text(datum.toString(i)); !value.empty()) fn(key, value);
      }
    });
  }
}

std::string TagSet::iptc(const char* key) const {
  std::string out;
  each_iptc(key, [&out](const std::string& value) {
    if (out.empty()) out = value;
  });
  return out;
}

void TagSet::each_iptc(const char* key, const std::function<void(const std::string&)>& fn) const {
  tolerate([&] {
    const std::string wanted = Exiv2::IptcKey(key).key();
    for (const Exiv2::Iptcdatum& datum : state_->iptc) {
      if (datum.key() != wanted) continue;
      if (std::string value = clean_text(datum.toString()); !value.empty()) fn(value);
    }
  });
}

std::string TagSet::text(const std::string& key) const {
  const auto found = state_->texts.find(key);
  return found == state_->texts.end() ? std::string() : found->second;
}

std::string TagSet::thumbnail() const {
  std::string jpeg;
  tolerate([&] {
    const Exiv2::ExifThumbC thumbnail(state_->exif);
    const Exiv2::DataBuf bytes = thumbnail.copy();
#if EXIV2_TEST_VERSION(0, 28, 0)
    if (!bytes.empty()) jpeg.assign(reinterpret_cast<const char*>(bytes.c_data()), bytes.size());
#else
    if (bytes.size_ > 0)
      jpeg.assign(reinterpret_cast<const char*>(bytes.pData_), static_cast<size_t>(bytes.size_));
#endif
  });
  return jpeg;
}

bool TagSet::empty() const {
  return state_->exif.empty() && state_->xmp.empty() && state_->iptc.empty() && state_->texts.empty();
}

void start_exiv2() {
  Exiv2::LogMsg::setLevel(Exiv2::LogMsg::mute);
  Exiv2::XmpParser::initialize();
}

std::string clean_text(std::string_view bytes) {
  const auto blank = [](char c) { return c == ' ' || c == '\0' || c == '\n' || c == '\r' || c == '\t'; };
  while (!bytes.empty() && blank(bytes.back())) bytes.remove_suffix(1);
  while (!bytes.empty() && blank(bytes.front())) bytes.remove_prefix(1);
  if (wire::is_utf8(bytes)) return std::string(bytes);
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      out += {static_cast<char>(0xc0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3f))};
    }
  }
  return out;
}

}  // namespace shoebox::decoder
