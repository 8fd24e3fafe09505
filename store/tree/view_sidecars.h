// Sidecars (x.jpg.xmp, x.xmp, .AAE, .THM) follow their photo: where the photo shows in a view, the
// sidecar shows beside it under the name that matches the photo's name there. It does not follow to a name
// that somebody gave to a twin: what was copied there is what is read there.
//
// A sidecar has no PhotoId: it belongs to the photos that stand beside one of its given names.
// Part of ViewEngine, private to store/tree. Runs inside the caller's transaction.
#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "store/tree/view_rows.h"

namespace shoebox {

// Sidecars that belong to a photo called `name` in this directory.
Result<std::set<InodeNo>> sidecars_beside(const CatalogReader& reader, InodeNo directory,
                                          std::string_view name);
// Rows that the view itself made for sidecars of a photo called `name` in this directory.
Result<std::vector<DirEntry>> sidecar_rows_beside(const CatalogReader& reader, InodeNo directory,
                                                  std::string_view name);
// As sidecars_beside(), with their bytes and only of the kind that states something: XMP.
Result<std::set<ContentNo>> xmp_beside(const CatalogReader& reader, InodeNo directory, std::string_view name);
// Photos that a sidecar called `sidecar` in this directory belongs to.
Result<std::set<PhotoId>> photos_of_sidecar(const CatalogReader& reader, InodeNo directory,
                                            std::string_view sidecar);
[[nodiscard]] bool is_xmp_name(std::string_view name);
// Makes the generated rows of one sidecar what the rows of its photos say, and files it beside its
// photo's home if it has none in Library.
Status refresh_sidecar(Transaction& txn, const ViewRows& rows, InodeNo sidecar);
// The same for all sidecars beside the names that these rows give.
Status refresh_sidecars_of(Transaction& txn, const ViewRows& rows, const std::vector<Row>& photo_rows);

}  // namespace shoebox
