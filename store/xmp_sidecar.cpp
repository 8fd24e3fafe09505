#include "store/xmp_sidecar.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>

#include "store/catalog/catalog.h"
#include "store/tree/date_text.h"
#include "store/tree/place_text.h"

namespace shoebox {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// What XML 1.0 (section 2.2) admits; the rest would make the whole sidecar unreadable.
std::string xml_text(std::string_view bytes) {
  std::string text;
  const auto* data = reinterpret_cast<const utf8proc_uint8_t*>(bytes.data());
  for (size_t at = 0; at < bytes.size();) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(data + at, static_cast<utf8proc_ssize_t>(bytes.size() - at), &point);
    const size_t step = length > 0 ? static_cast<size_t>(length) : 1;
    const bool control = point < 0x20 && point != '\t' && point != '\n' && point != '\r';
    if (length > 0 && !control && point != 0xFFFE && point != 0xFFFF)
      text += bytes.substr(at, step);
    else
      text += kReplacement;
    at += step;
  }
  return text;
}

void add_list(pugi::xml_node& description, const char* name, const char* kind,
              const std::vector<std::string>& values) {
  if (values.empty()) return;
  pugi::xml_node list = description.append_child(name).append_child(kind);
  for (const std::string& value : values) list.append_child("rdf:li").text().set(xml_text(value).c_str());
}

void add_text(pugi::xml_node& description, const char* name, const std::string& value) {
  description.append_child(name).text().set(value.c_str());
}

std::vector<std::string> with_prefix(const std::string& prefix, const std::vector<std::string>& values) {
  std::vector<std::string> out;
  out.reserve(values.size());
  for (const std::string& value : values) out.push_back(prefix + value);
  return out;
}

std::vector<std::string> split_tags(std::string_view text) {
  std::vector<std::string> tags;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view tag = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!tag.empty() && tag.front() == ' ') tag.remove_prefix(1);
    while (!tag.empty() && tag.back() == ' ') tag.remove_suffix(1);
    if (!tag.empty()) tags.emplace_back(tag);
  }
  return tags;
}

// Only in sidecars that tell a place: the bytes of the others stay what they were before there were places.
void add_place(pugi::xml_node& description, const std::string& place) {
  if (place.empty()) return add_text(description, "shoebox:DeniedPlace", "True");
  if (const auto position = parse_position(place)) {
    add_text(description, "exif:GPSLatitude", xmp_degrees(position->latitude, 'N', 'S'));
    add_text(description, "exif:GPSLongitude", xmp_degrees(position->longitude, 'E', 'W'));
  } else {
    description.append_attribute("xmlns:Iptc4xmpCore") = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/";
    const PlaceNames names = place_names(place);
    for (const auto& [name, level] : std::initializer_list<std::pair<const char*, const std::string&>>{
             {"photoshop:Country", names.country},
             {"photoshop:State", names.state},
             {"photoshop:City", names.city},
             {"Iptc4xmpCore:Location", names.location}}) {
      if (!level.empty()) add_text(description, name, xml_text(level));
    }
  }
  add_text(description, "shoebox:Place", xml_text(place));
}

struct TextWriter final : pugi::xml_writer {
  std::string text;
  void write(const void* data, size_t size) override { text.append(static_cast<const char*>(data), size); }
};

}  // namespace

bool OwnerStatements::empty() const {
  return tags.empty() && caption.empty() && rating < 0 && !date && people.empty() && denied_people.empty() &&
         albums.empty() && denied_albums.empty() && !favorite && !place;
}

Result<OwnerStatements> owner_statements(const CatalogReader& reader, PhotoId id) {
  OwnerStatements said;
  SHOEBOX_ASSIGN(const std::optional<PhotoRecord> photo, reader.photo(id));
  if (!photo) return said;
  said.date = photo->stated_date;
  said.place = photo->stated_place;
  for (const auto& [value, statement] : photo->statements) {
    const bool asserted = statement == Statement::kAsserted;
    if (value.view == ViewId::kPeople) (asserted ? said.people : said.denied_people).push_back(value.value);
    if (value.view == ViewId::kAlbums) (asserted ? said.albums : said.denied_albums).push_back(value.value);
    if (value.view == ViewId::kFavorites && asserted) said.favorite = true;
  }
  // These attributes stand on all inodes of the photo alike.
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, reader.inodes_of_photo(id));
  if (inodes.empty()) return said;
  SHOEBOX_ASSIGN(const auto tags, reader.xattr(inodes.front(), "user.xdg.tags"));
  if (tags) said.tags = split_tags(*tags);
  SHOEBOX_ASSIGN(const auto comment, reader.xattr(inodes.front(), "user.xdg.comment"));
  if (comment) said.caption = *comment;
  SHOEBOX_ASSIGN(const auto rating, reader.xattr(inodes.front(), "user.baloo.rating"));
  if (rating) {
    // Baloo counts half stars, 0 to 10.
    int half_stars = 0;
    const auto [end, error] = std::from_chars(rating->data(), rating->data() + rating->size(), half_stars);
    if (error == std::errc() && end == rating->data() + rating->size() && half_stars >= 0 && half_stars <= 10)
      said.rating = (half_stars + 1) / 2;
  }
  return said;
}

Result<std::string> xmp_sidecar_of(const CatalogReader& reader, PhotoId id) {
  SHOEBOX_ASSIGN(const OwnerStatements said, owner_statements(reader, id));
  if (said.empty()) return std::string();
  SHOEBOX_ASSIGN(const std::optional<PhotoRecord> photo, reader.photo(id));
  if (!photo) return std::string();
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, reader.content(photo->content));
  return xmp_sidecar(said, content ? content->sha256 : ContentHash(), id);
}

std::string xmp_sidecar(const OwnerStatements& said, const ContentHash& original, PhotoId photo) {
  if (said.empty()) return {};
  pugi::xml_document document;
  pugi::xml_node meta = document.append_child("x:xmpmeta");
  meta.append_attribute("xmlns:x") = "adobe:ns:meta/";
  pugi::xml_node rdf = meta.append_child("rdf:RDF");
  rdf.append_attribute("xmlns:rdf") = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
  pugi::xml_node description = rdf.append_child("rdf:Description");
  description.append_attribute("rdf:about") = "";
  for (const auto& [prefix, uri] : std::initializer_list<std::pair<const char*, const char*>>{
           {"xmlns:dc", "http://purl.org/dc/elements/1.1/"},
           {"xmlns:xmp", "http://ns.adobe.com/xap/1.0/"},
           {"xmlns:exif", "http://ns.adobe.com/exif/1.0/"},
           {"xmlns:photoshop", "http://ns.adobe.com/photoshop/1.0/"},
           {"xmlns:Iptc4xmpExt", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"},
           {"xmlns:digiKam", "http://www.digikam.org/ns/1.0/"},
           {"xmlns:lr", "http://ns.adobe.com/lightroom/1.0/"},
           {"xmlns:shoebox", "urn:shoebox:xmp:1"}}) {
    description.append_attribute(prefix) = uri;
  }
  add_list(description, "dc:subject", "rdf:Bag", said.tags);
  if (!said.caption.empty()) {
    pugi::xml_node item =
        description.append_child("dc:description").append_child("rdf:Alt").append_child("rdf:li");
    item.append_attribute("xml:lang") = "x-default";
    item.text().set(xml_text(said.caption).c_str());
  }
  if (said.rating >= 0) add_text(description, "xmp:Rating", fmt::format("{}", said.rating));
  if (said.date) {
    add_text(description, "exif:DateTimeOriginal", date_text(*said.date));
    add_text(description, "photoshop:DateCreated", date_text(*said.date));
  }
  add_list(description, "Iptc4xmpExt:PersonInImage", "rdf:Bag", said.people);
  std::vector<std::string> tags_list = said.tags;
  for (std::string& person : with_prefix("People/", said.people)) tags_list.push_back(std::move(person));
  add_list(description, "digiKam:TagsList", "rdf:Seq", tags_list);
  add_list(description, "lr:hierarchicalSubject", "rdf:Bag", with_prefix("People|", said.people));
  add_list(description, "shoebox:Albums", "rdf:Bag", said.albums);
  add_list(description, "shoebox:DeniedPeople", "rdf:Bag", said.denied_people);
  add_list(description, "shoebox:DeniedAlbums", "rdf:Bag", said.denied_albums);
  if (said.place) add_place(description, *said.place);
  if (said.favorite) add_text(description, "shoebox:Favorite", "True");
  if (!original.is_zero()) add_text(description, "shoebox:Original", original.hex());
  if (photo) add_text(description, "shoebox:Photo", fmt::format("{}", photo.value));
  TextWriter writer;
  document.save(writer, " ", pugi::format_indent | pugi::format_no_declaration, pugi::encoding_utf8);
  // The packet wrapper of ISO 16684-1, 7.3.2; "r": not to be rewritten in place.
  return "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" + writer.text +
         "<?xpacket end=\"r\"?>\n";
}

}  // namespace shoebox
