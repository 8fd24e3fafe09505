// A photo that goes to Trash from every folder (rm in Dates) takes its sidecars along, and brings them back.
// In Library a file is a file: rm of a photo there leaves what stands beside it.
#include <algorithm>

#include "store/tree/name_class.h"
#include "store/tree/tree_trash.h"
#include "store/tree/view_sidecars.h"

namespace shoebox {

Result<std::set<InodeNo>> sidecars_of(Operation& op, InodeNo photo) {
  std::set<InodeNo> sidecars;
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, photo));
  for (const Row& row : rows) {
    if (!row.lives()) continue;
    SHOEBOX_ASSIGN(auto beside, sidecars_beside(op.txn, row.directory, row.name));
    sidecars.merge(beside);
  }
  return sidecars;
}

Result<bool> is_left_alone(Operation& op, InodeNo sidecar) {
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, sidecar));
  bool lives = false;
  for (const Row& row : rows) {
    if (!row.lives()) continue;
    lives = true;
    SHOEBOX_ASSIGN(const auto photos, photos_of_sidecar(op.txn, row.directory, row.name));
    if (!photos.empty()) return false;
  }
  return lives;
}

Status trash_sidecars(Operation& op, InodeNo photo_in_trash, const std::set<InodeNo>& sidecars) {
  std::vector<InodeNo> gone;
  for (const InodeNo sidecar : sidecars) {
    SHOEBOX_ASSIGN(const bool alone, is_left_alone(op, sidecar));
    if (!alone) continue;
    SHOEBOX_ASSIGN(const InodeNo in_trash, trash_along(op, sidecar));
    gone.push_back(in_trash);
  }
  if (gone.empty()) return Status::ok();
  SHOEBOX_ASSIGN(auto trash, op.txn.trash(photo_in_trash));
  if (!trash) return Status::ok();
  trash->sidecars = std::move(gone);
  op.txn.put_trash(photo_in_trash, *trash);
  return Status::ok();
}

Status restore_sidecars(Operation& op, const TrashRecord& trash, const Directory& to, std::string_view name) {
  if (trash.sidecars.empty()) return Status::ok();
  op.txn.tell_all_names();  // whoever asked for the photo did not ask for these
  const std::string photo = base_name(trash.path);
  const bool moved = to.number != trash.directory || name != photo;
  for (const InodeNo sidecar : trash.sidecars) {
    SHOEBOX_ASSIGN(const auto record, op.txn.trash(sidecar));
    if (!record) continue;  // for good, or restored by itself
    const std::string own = base_name(record->path);
    const SidecarForm form = sidecar_form(own, photo);
    if (moved && record->directory == trash.directory && form != SidecarForm::kNone) {
      const std::string beside = sidecar_name(own, form, name);
      SHOEBOX_ASSIGN(const auto taken, op.txn.folded_match(to.number, beside));
      SHOEBOX_ASSIGN(const auto names, op.txn.names_of(sidecar));
      if (!taken && !names.empty()) {
        SHOEBOX_TRY(restore_file(op, sidecar, names.front(), to, beside));
        continue;
      }
    }
    SHOEBOX_TRY(restore_to_original(op, sidecar, *record));
  }
  return Status::ok();
}

}  // namespace shoebox
