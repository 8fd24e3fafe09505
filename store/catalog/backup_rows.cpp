#include "store/catalog/backup_rows.h"

#include "store/catalog/keys.h"
#include "store/catalog/records.h"

namespace shoebox::backup {

bool is_backed_up(std::string_view key) {
  switch (key.empty() ? '\0' : key.front()) {
    case keys::kInode:
    case keys::kDentry:
    case keys::kXattr:
    case keys::kContent:
    case keys::kBlocks:
    case keys::kPhoto:
    case keys::kViewDirectory:
    case keys::kCopy:
    case keys::kSidecar:
    case keys::kTrash:
    case keys::kVersion: return true;
    case keys::kMeta: break;
    default: return false;
  }
  const std::string_view name = key.substr(1);
  // Of this machine: what its remotes hold and where they are, and a pause.
  for (const std::string_view local :
       {keys::kMetaBackup, keys::kMetaErased, std::string_view("remote/"), std::string_view("remote_let_go/"),
        std::string_view("outbox."), keys::kMetaSchema}) {
    if (name.starts_with(local)) return false;
  }
  return true;
}

std::string portable(std::string_view key, std::string_view value) {
  if (key.empty() || key.front() != keys::kContent) return std::string(value);
  Result<ContentRecord> content = decode_content(value);
  if (!content) return std::string(value);
  content->last_access_s = 0;
  content->disk_bytes = 0;
  if (content->state == ContentState::kSealed) content->residence = Residence::kPartial;
  return encode(*content);
}

}  // namespace shoebox::backup
