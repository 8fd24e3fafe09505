// What a rebuild does beyond adopting where a part of the catalog's backup was damaged: the catalog is sound
// and older than what stands on the remote. Copies whose objects went elsewhere since are found again, and
// what the owner said since is taken from the sidecars that the catalog does not know.
//
// Belongs to one run of Adopter and its thread. Nothing on the remote is changed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/catalog/records.h"
#include "store/xmp_sidecar.h"
#include "sync/adopt.h"
#include "sync/adopt_fetch.h"

namespace shoebox {

// A sidecar of Shoebox's own that stands on a remote.
struct SaidThere {
  std::string path;  // of the photo, as its key tells
  OwnerStatements said;
  ContentHash original;  // zero: it tells none
  SidecarObject object;
};

// The owner had said exactly this about the photo of a file, as its sidecar spells it: what it does not tell
// was taken back. False: the catalog says so already.
Result<bool> set_statements(Tree& tree, const CatalogReader& catalog, InodeNo number,
                            const OwnerStatements& said);

class CatalogMend {
 public:
  CatalogMend(const Adopter::Dependencies& dependencies, Remote& remote)
      : deps_(dependencies), remote_(remote) {}

  // Before all others: what the catalog has of this remote.
  Status load();
  // Objects outside Library/ are the library's where it adopted any there, else somebody else's.
  [[nodiscard]] bool adopted_elsewhere() const { return adopted_elsewhere_; }
  // The catalog has what this one tells: it need not be read.
  [[nodiscard]] bool knows_sidecar(const RemoteObject& object) const;

  // Copies that do not stand under their keys any more, or whose keys have other bytes, are looked for among
  // the objects that the catalog does not know, by size, first and last block; their files follow them:
  // renamed, or back from Trash. One that went to Trash is in its place again. Returns how many were found.
  Result<uint64_t> follow_copies(const AdoptFetch& fetch) const;

  // A sidecar was written after what the sound part of the catalog says: it counts.
  enum class Said { kNew, kKnown, kNoPhoto };
  Result<Said> say(const SaidThere& there) const;

 private:
  struct Listed;
  Result<Listed> compare(const AdoptFetch& fetch) const;
  [[nodiscard]] bool may_be_original(std::string_view key) const;
  Result<bool> find_moved(const AdoptFetch& fetch, Listed& listed, ContentNo content, bool displaced) const;
  Result<bool> is_gone(const AdoptFetch& fetch, const std::string& key) const;
  Result<bool> follow(ContentNo content, const RemoteCopy& former, const RemoteObject& object) const;
  Status follow_name(InodeNo number, const std::string& former_key, const std::string& key) const;
  Status put_copy(ContentNo content, const RemoteCopy& former, const RemoteObject& object) const;
  Result<InodeNo> photo_of(const SaidThere& there) const;

  const Adopter::Dependencies& deps_;
  Remote& remote_;
  std::map<std::string, SidecarObject> sidecars_;  // by key
  std::map<ContentHash, PhotoId> sent_;  // sidecars by their bytes, of which no two photos have equal ones
  bool adopted_elsewhere_ = false;
};

}  // namespace shoebox
