// Reads back what xmp_sidecar() wrote.
#include <charconv>
#include <cstring>
#include <pugixml.hpp>

#include "store/base/hash.h"
#include "store/tree/computed_xattr.h"
#include "store/tree/place_text.h"
#include "store/tree/sidecar_facts.h"
#include "store/xmp_sidecar.h"

namespace shoebox {
namespace {

// What can be said: an attribute holds 64 KiB, so as many tags of one letter, or one tag of which XML holds
// no byte and each became three. An album in 256 folders with the longest names is no longer.
constexpr size_t kMostValues = 32 << 10;
constexpr size_t kMostValueBytes = 3 * (64 << 10);
constexpr const char* kNamespace = "urn:shoebox:xmp:1";

std::vector<std::string> list_of(const pugi::xml_node& description, const char* name) {
  std::vector<std::string> values;
  for (const pugi::xml_node kind : description.child(name).children()) {
    for (const pugi::xml_node item : kind.children("rdf:li")) {
      if (values.size() == kMostValues) break;
      const std::string value = item.text().get();
      if (value.size() <= kMostValueBytes) values.push_back(value);
    }
  }
  tidy(values);
  return values;
}

// Of a sidecar that Shoebox wrote; null of any other text.
pugi::xml_node load_description(pugi::xml_document& document, std::string_view bytes) {
  if (bytes.size() > kMostOwnSidecarBytes || bytes.find(kNamespace) == std::string_view::npos) return {};
  // pugixml follows no entity but the five of XML itself.
  if (!document.load_buffer(bytes.data(), bytes.size())) return {};
  const pugi::xml_node description = document.child("x:xmpmeta").child("rdf:RDF").child("rdf:Description");
  const bool ours = std::strcmp(description.attribute("xmlns:shoebox").value(), kNamespace) == 0;
  return ours ? description : pugi::xml_node();
}

OwnerStatements statements_of(const pugi::xml_node& description) {
  OwnerStatements said;
  said.tags = list_of(description, "dc:subject");
  said.caption = description.child("dc:description").child("rdf:Alt").child("rdf:li").text().get();
  if (const pugi::xml_node rating = description.child("xmp:Rating")) {
    const int stars = rating.text().as_int(-1);
    if (stars >= 0 && stars <= 5) said.rating = stars;
  }
  if (const pugi::xml_node date = description.child("exif:DateTimeOriginal")) {
    const auto parsed = parse_stated_date(date.text().get());
    if (parsed) said.date = *parsed;
  }
  said.people = list_of(description, "Iptc4xmpExt:PersonInImage");
  said.albums = list_of(description, "shoebox:Albums");
  said.denied_people = list_of(description, "shoebox:DeniedPeople");
  said.denied_albums = list_of(description, "shoebox:DeniedAlbums");
  if (const pugi::xml_node place = description.child("shoebox:Place")) {
    const auto parsed = parse_stated_place(place.text().get());
    if (parsed && !parsed->empty()) said.place = *parsed;
  } else if (std::strcmp(description.child("shoebox:DeniedPlace").text().get(), "True") == 0) {
    said.place.emplace();
  }
  said.favorite = std::strcmp(description.child("shoebox:Favorite").text().get(), "True") == 0;
  return said;
}

}  // namespace

std::optional<OwnerStatements> parse_xmp_sidecar(std::string_view bytes) {
  pugi::xml_document document;
  const pugi::xml_node description = load_description(document, bytes);
  return description ? std::optional(statements_of(description)) : std::nullopt;
}

ContentHash original_of_sidecar(std::string_view bytes) {
  pugi::xml_document document;
  const pugi::xml_node description = load_description(document, bytes);
  const auto original = parse_hash(description.child("shoebox:Original").text().get());
  return original ? *original : ContentHash();
}

bool is_unchanged_sidecar(std::string_view bytes) {
  pugi::xml_document document;
  const pugi::xml_node description = load_description(document, bytes);
  if (!description) return false;
  const auto original = parse_hash(description.child("shoebox:Original").text().get());
  const std::string_view number = description.child("shoebox:Photo").text().get();
  uint64_t photo = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), photo);
  if (!original || read.ec != std::errc()) return false;
  return xmp_sidecar(statements_of(description), *original, PhotoId(photo)) == bytes;
}

}  // namespace shoebox
