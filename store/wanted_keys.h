// Under which keys the copy of a content belongs on a remote, as the catalog is now. Reads only; any
// thread, also inside a transaction.
//
// A content with a name in Library (else in a view) belongs under that path; one with several, under
// any of them. One that only Trash or a version holds belongs under .shoebox/versions/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"
#include "store/upload_key.h"

namespace shoebox {

class CatalogReader;

// The keys that will do, best first; never empty. The first is the one of its path, the others are for
// when another content has that. `current`: where the copy stands, empty for none; a key that is as
// good as any comes first then.
Result<std::vector<std::string>> wanted_keys(const CatalogReader& reader, ContentNo content,
                                             const ContentHash& sha256, std::string_view current,
                                             const KeyLimits& limits = {});

// Another content's copy that has `key`, also under another spelling of it where the remote takes the
// two for one, or may.
struct KeyHolder {
  ContentNo content;
  std::string key;
};
Result<std::optional<KeyHolder>> other_holder(const CatalogReader& reader, std::string_view remote,
                                              std::string_view key, ContentNo content,
                                              const KeyLimits& limits);

// A loose object that is in the way at `key`, likewise; none that `content` makes.
struct LooseAt {
  LooseObject object;
  std::string key;
};
Result<std::optional<LooseAt>> loose_in_the_way(const CatalogReader& reader, std::string_view remote,
                                                std::string_view key, ContentNo content,
                                                const KeyLimits& limits);

// Whether the copy of `content` at `key` of `remote` was found there and stays: always while its hashes are
// not known, as nothing could tell then that a copy of it is right; later as long as a file with its bytes
// has the path under which it was adopted.
Result<bool> lies_where_found(const CatalogReader& reader, std::string_view remote, ContentNo content,
                              std::string_view key);

// Whether the copy of `content` that stands at `key` of `remote` belongs there: its own key, or one
// beside it while another content is at home there.
Result<bool> belongs_at(const CatalogReader& reader, std::string_view remote, ContentNo content,
                        std::string_view key, const KeyLimits& limits = {});

}  // namespace shoebox
