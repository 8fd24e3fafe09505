// Copies that were found missing or damaged although nothing else has the bytes. They stay copies in the
// catalog, as a remote that answered wrongly may have them yet; `shoebox status` tells of them until they are
// found good, replaced, or their file is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class Catalog;
class CatalogReader;

// Whether the copy of a content on a remote is lost, as far as somebody looked.
using CopyVerdicts = std::map<std::pair<ContentNo, std::string>, bool>;

// No more are remembered.
inline constexpr size_t kMostLostCopies = 10'000;

Status note_lost_copies(Catalog& catalog, const CopyVerdicts& verdicts);
// The remotes that lost this one, or may have: see lost_copies.cpp of a list that is full.
Result<std::vector<std::string>> lost_copies_of(const CatalogReader& reader, ContentNo content);
// How many there are on each remote.
Result<std::map<std::string, uint64_t>> count_lost_copies(const CatalogReader& reader);

}  // namespace shoebox
