// A folder of Dates went with its last name, and who took that name still sees it (departed_names.h). When
// that program puts something there instead of removing the folder, the folder stands again, with its number.
#include <sys/stat.h>

#include "store/tree/tree_state.h"

namespace shoebox {
namespace {

Status stand_again(Operation& op, InodeNo number, const NameOf& name, InodeRecord record) {
  SHOEBOX_ASSIGN(const Directory above, need_standing_directory(op, name.directory));
  SHOEBOX_TRY(need_free(op.txn, above.number, name.name));
  record.nlink = 2;
  op.txn.put_inode(number, record);
  SHOEBOX_ASSIGN(const ViewPath path, op.core.engine.path_of(op.txn, number));
  SHOEBOX_TRY(op.txn.put_dentry(above.number, name.name, {number, S_IFDIR, NameKind::kGenerated}));
  op.txn.put_view_directory(record.view, ViewRows::joined(path), number);
  return touch_directory(op, above.number, +1);
}

}  // namespace

Result<Directory> need_standing_directory(Operation& op, InodeNo number) {
  auto found = need_directory(op.txn, number);
  if (found.code() != Code::kNotFound || op.caller.pid == 0) return found;
  auto departed = op.core.departed.find(number, op.caller.pid, op.core.clock.steady());
  if (!departed || !S_ISDIR(departed->second.mode)) return found;
  const Status stands = stand_again(op, number, departed->first, std::move(departed->second));
  if (!stands) return found;  // another one has its place by now
  return need_directory(op.txn, number);
}

}  // namespace shoebox
