// ln: a further home in Library; in a view the statement that its folder makes.
#include <fmt/format.h>
#include <sys/stat.h>

#include "store/tree/tree_state.h"

namespace shoebox {

Result<Entry> Tree::link(InodeNo inode, InodeNo directory, std::string_view name, const Caller& caller) {
  SHOEBOX_TRY(check_new_name(name));
  Operation op(*state_, caller);
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  if (S_ISDIR(record.mode)) return not_permitted("link", name, "folders have one name");
  if (record.nlink == 0) return Status(Code::kNotFound, fmt::format("link {}: the file is deleted", name));
  SHOEBOX_ASSIGN(const auto trash, op.txn.trash(inode));
  if (trash) return not_permitted("link", name, "the file lies in Trash; move it out first");
  SHOEBOX_ASSIGN(const Directory parent, need_standing_directory(op, directory));
  SHOEBOX_TRY(need_free(op.txn, directory, name));

  if (parent.place == Place::kView) {
    if (!S_ISREG(record.mode)) return not_permitted("link", name, "views hold photos and plain files only");
    SHOEBOX_TRY(state_->engine.name_added(op.txn, directory, name, inode));
  } else if (parent.place == Place::kLibrary) {
    SHOEBOX_TRY(check_links(record, name));
    SHOEBOX_TRY(op.txn.put_dentry(directory, name, {inode, record.mode & S_IFMT, NameKind::kGiven},
                                  Notice::kKernelKnows));
    SHOEBOX_TRY(touch_directory(op, directory));
    SHOEBOX_TRY(relink(op, inode));
    SHOEBOX_TRY(become_real(op, inode, name));
    // A twin that has a home now may stand for the photo in the views.
    if (record.photo) SHOEBOX_TRY(op.core.engine.refresh(op.txn, record.photo));
    SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, directory, name));
  } else {
    return not_permitted("link", name, "links go into Library or a view");
  }
  SHOEBOX_ASSIGN(auto now, need_inode(op.txn, inode));
  SHOEBOX_TRY(op.commit());
  return Entry{inode, std::move(now)};
}

}  // namespace shoebox
