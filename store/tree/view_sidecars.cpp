#include "store/tree/view_sidecars.h"

#include <sys/stat.h>

#include <algorithm>

#include "store/tree/name_class.h"
#include "store/tree/view_engine.h"
#include "store/tree/view_home.h"

namespace shoebox {
namespace {

// A photo that stands beside a sidecar, and how their names relate.
struct Neighbour {
  PhotoId photo;
  InodeNo inode;
  SidecarForm form = SidecarForm::kNone;
};

// Files in `directory` whose name starts with `stem` and a dot.
Result<std::vector<DirEntry>> files_with_stem(const CatalogReader& reader, InodeNo directory,
                                              std::string_view stem) {
  std::vector<DirEntry> found;
  const std::string prefix = std::string(stem) + ".";
  SHOEBOX_TRY(reader.for_each_entry(directory, prefix, [&](const DirEntry& entry) {
    if (!entry.name.starts_with(prefix)) return false;
    if ((entry.dentry.type & S_IFMT) == S_IFREG) found.push_back(entry);
    return true;
  }));
  return found;
}

Result<std::vector<Neighbour>> photos_beside(const CatalogReader& reader, InodeNo directory,
                                             std::string_view sidecar) {
  std::vector<Neighbour> photos;
  const auto consider = [&](std::string_view name, InodeNo inode) -> Status {
    const SidecarForm form = sidecar_form(sidecar, name);
    if (form == SidecarForm::kNone || !may_be_photo(name)) return Status::ok();
    SHOEBOX_ASSIGN(const auto record, reader.inode(inode));
    if (record && record->photo) photos.push_back({record->photo, inode, form});
    return Status::ok();
  };
  const std::string_view base = stem_of(sidecar);
  SHOEBOX_ASSIGN(const auto whole, reader.dentry(directory, base));
  if (whole) SHOEBOX_TRY(consider(base, whole->inode));
  SHOEBOX_ASSIGN(const auto others, files_with_stem(reader, directory, base));
  for (const DirEntry& other : others) SHOEBOX_TRY(consider(other.name, other.dentry.inode));
  return photos;
}

// A sidecar that came through a view is filed beside the home of its photo.
Status file_beside_photo(Transaction& txn, const ViewRows& rows, InodeNo sidecar, const Row& anchor,
                         const Neighbour& neighbour, bool* filed) {
  SHOEBOX_ASSIGN(std::vector<Row> photo_rows, rows.of_inode(txn, neighbour.inode));
  const Row* home = ViewRows::representative(photo_rows);
  if (!home || !home->in_library()) {
    SHOEBOX_ASSIGN(photo_rows, rows.of_photo(txn, neighbour.photo));
    home = ViewRows::representative(photo_rows);
  }
  if (!home || !home->in_library()) return Status::ok();
  *filed = true;
  return put_home(txn, rows, home->directory, sidecar_name(anchor.name, neighbour.form, home->name), sidecar);
}

}  // namespace

Result<std::set<InodeNo>> sidecars_beside(const CatalogReader& reader, InodeNo directory,
                                          std::string_view name) {
  std::set<InodeNo> sidecars;
  SHOEBOX_ASSIGN(const auto files, files_with_stem(reader, directory, stem_of(name)));
  for (const DirEntry& file : files) {
    if (file.dentry.kind == NameKind::kGiven && sidecar_form(file.name, name) != SidecarForm::kNone) {
      sidecars.insert(file.dentry.inode);
    }
  }
  return sidecars;
}

Result<std::vector<DirEntry>> sidecar_rows_beside(const CatalogReader& reader, InodeNo directory,
                                                  std::string_view name) {
  SHOEBOX_ASSIGN(auto files, files_with_stem(reader, directory, stem_of(name)));
  std::erase_if(files, [&](const DirEntry& file) {
    return file.dentry.kind != NameKind::kGenerated || sidecar_form(file.name, name) == SidecarForm::kNone;
  });
  return files;
}

bool is_xmp_name(std::string_view name) {
  constexpr std::string_view kExtension = ".xmp";
  const std::string_view extension = extension_of(name);
  return is_sidecar(name) &&
         std::equal(extension.begin(), extension.end(), kExtension.begin(), kExtension.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

Result<std::set<ContentNo>> xmp_beside(const CatalogReader& reader, InodeNo directory,
                                       std::string_view name) {
  std::set<ContentNo> contents;
  SHOEBOX_ASSIGN(const auto files, files_with_stem(reader, directory, stem_of(name)));
  for (const DirEntry& file : files) {
    if (file.dentry.kind != NameKind::kGiven || !is_xmp_name(file.name)) continue;
    if (sidecar_form(file.name, name) == SidecarForm::kNone) continue;
    SHOEBOX_ASSIGN(const auto inode, reader.inode(file.dentry.inode));
    if (inode && inode->content) contents.insert(inode->content);
  }
  return contents;
}

Result<std::set<PhotoId>> photos_of_sidecar(const CatalogReader& reader, InodeNo directory,
                                            std::string_view sidecar) {
  std::set<PhotoId> photos;
  SHOEBOX_ASSIGN(const auto neighbours, photos_beside(reader, directory, sidecar));
  for (const Neighbour& neighbour : neighbours) photos.insert(neighbour.photo);
  return photos;
}

namespace {

// A name that somebody gave it in Dates goes when its photos left that folder, as names of photos do.
bool is_left_behind(const ViewRows& rows, const Row& row, const std::set<InodeNo>& with_photos) {
  if (!row.in_view() || row.kind != NameKind::kGiven || with_photos.contains(row.directory)) return false;
  return std::any_of(rows.views().begin(), rows.views().end(),
                     [&](const auto& view) { return view->id() == row.view && !view->stating(); });
}

}  // namespace

Status refresh_sidecar(Transaction& txn, const ViewRows& rows, InodeNo sidecar) {
  SHOEBOX_ASSIGN(const auto record, txn.inode(sidecar));
  if (!record || record->photo) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<Row> standing, rows.of_inode(txn, sidecar));
  bool filed = false;
  for (const Row& row : standing) filed |= row.in_library() && row.lives();

  std::set<NameOf> wanted;
  std::set<InodeNo> with_photos;  // folders
  for (const Row& anchor : standing) {
    if (!anchor.lives()) continue;
    SHOEBOX_ASSIGN(const auto neighbours, photos_beside(txn, anchor.directory, anchor.name));
    for (const Neighbour& neighbour : neighbours) {
      if (!filed) SHOEBOX_TRY(file_beside_photo(txn, rows, sidecar, anchor, neighbour, &filed));
      SHOEBOX_ASSIGN(const auto photo_rows, rows.of_photo(txn, neighbour.photo));
      for (const Row& row : photo_rows) {
        with_photos.insert(row.directory);
        if (!row.in_view()) continue;
        // Whoever put a twin there put its own sidecar beside it, or none.
        if (row.kind == NameKind::kGiven && row.inode != neighbour.inode) continue;
        wanted.insert({row.directory, sidecar_name(anchor.name, neighbour.form, row.name)});
      }
    }
  }

  const auto stays_beside_its_photo = [&](const Row& row) {
    return row.in_library() && row.lives() && with_photos.contains(row.directory);
  };
  const bool stays = std::any_of(standing.begin(), standing.end(), stays_beside_its_photo);
  for (const Row& row : standing) {
    const bool generated = row.in_view() && row.kind == NameKind::kGenerated;
    if (!generated && !(stays && is_left_behind(rows, row, with_photos))) continue;
    if (wanted.contains({row.directory, row.name})) continue;
    SHOEBOX_TRY(rows.erase(txn, row.directory, row.name, Notice::kTell));
  }
  for (const NameOf& place : wanted) {
    SHOEBOX_ASSIGN(const auto taken, txn.folded_match(place.directory, place.name));
    if (taken) continue;  // its own row, or somebody's file: never displaced
    SHOEBOX_TRY(rows.put(txn, place.directory, place.name, sidecar, NameKind::kGenerated, Notice::kTell));
  }
  return rows.recount(txn, sidecar);
}

Status refresh_sidecars_of(Transaction& txn, const ViewRows& rows, const std::vector<Row>& photo_rows) {
  std::set<InodeNo> sidecars;
  for (const Row& row : photo_rows) {
    if (!row.lives()) continue;
    SHOEBOX_ASSIGN(auto beside, sidecars_beside(txn, row.directory, row.name));
    sidecars.merge(beside);
  }
  for (const InodeNo sidecar : sidecars) SHOEBOX_TRY(refresh_sidecar(txn, rows, sidecar));
  return Status::ok();
}

Status ViewEngine::sidecars_changed(Transaction& txn, InodeNo directory, std::string_view name) const {
  SHOEBOX_ASSIGN(const auto beside, sidecars_beside(txn, directory, name));
  for (const InodeNo sidecar : beside) SHOEBOX_TRY(refresh_sidecar(txn, rows_, sidecar));
  SHOEBOX_ASSIGN(const auto dentry, txn.dentry(directory, name));
  if (classify_name(name) == NameClass::kSidecar) {
    if (dentry) SHOEBOX_TRY(refresh_sidecar(txn, rows_, dentry->inode));
    return sidecar_said(txn, directory, name);
  }
  if (!dentry) return Status::ok();
  SHOEBOX_ASSIGN(const auto inode, txn.inode(dentry->inode));
  return inode && inode->photo ? heed_sidecars(txn, inode->photo) : Status::ok();
}

}  // namespace shoebox
