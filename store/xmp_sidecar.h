// The XMP sidecar of what the owner said about a photo, for any other program: tags, caption, rating,
// date, people, albums, place. What only the file itself says is not repeated.
//
// Formats: XMP is ISO 16684-1; names in dc: and xmp: are its own; PersonInImage is IPTC Extension
// 2.0; TagsList ("People/Anna") is digiKam's, hierarchicalSubject ("People|Anna") Lightroom's, both as
// ExifTool lists them. The namespace "urn:shoebox:xmp:1" holds what has no common name: Albums,
// Favorite, Place, DeniedPeople, DeniedAlbums and DeniedPlace, Original and Photo. store/SIDECARS.md lists
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

class CatalogReader;

// What the owner said.
struct OwnerStatements {
  std::vector<std::string> tags;
  std::string caption;
  int rating = -1;  // 0 to 5; -1: none
  std::optional<LocalDate> date;
  std::vector<std::string> people, denied_people;
  std::vector<std::string> albums, denied_albums;  // '/'-joined paths
  bool favorite = false;
  std::optional<std::string> place;  // as place_text.h spells it; empty: none, whatever the file says

  [[nodiscard]] bool empty() const;
  bool operator==(const OwnerStatements&) const = default;
};

// Reads them from the catalog; any thread.
Result<OwnerStatements> owner_statements(const CatalogReader& reader, PhotoId photo);

// An XMP packet in UTF-8; empty when there is nothing to tell. Bytes that XML cannot hold (invalid
// UTF-8, control characters) become U+FFFD. The same statements give the same bytes. `original`, `photo`: the
// hash and the number of the photo that it belongs to, when these are to be in it.
std::string xmp_sidecar(const OwnerStatements& statements, const ContentHash& original = {},
                        PhotoId photo = {});

// The sidecar of a photo as it stands on remotes: with hash and number, so that no two photos ever have
// equal ones, and what one leaves is not taken for the other's.
Result<std::string> xmp_sidecar_of(const CatalogReader& reader, PhotoId photo);

// More is not parsed.
inline constexpr uint64_t kMostOwnSidecarBytes = 4 << 20;
// What stands in a sidecar that xmp_sidecar() made, as nobody changed it since; none in those of others.
// Untrusted: at most 4 MiB are parsed, entities are not followed.
std::optional<OwnerStatements> parse_xmp_sidecar(std::string_view bytes);

// The original that such a sidecar says it belongs to; zero: it says none.
ContentHash original_of_sidecar(std::string_view bytes);

// Whether xmp_sidecar() made exactly these bytes, with an original and a number in them.
bool is_unchanged_sidecar(std::string_view bytes);

}  // namespace shoebox
