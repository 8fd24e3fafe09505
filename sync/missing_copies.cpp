#include "sync/missing_copies.h"

#include <map>
#include <string>

#include "store/catalog/catalog.h"
#include "store/lost_copies.h"
#include "store/outbox.h"
#include "sync/remote/remote.h"
#include "sync/transfer_deadline.h"

namespace shoebox {

Result<uint64_t> note_missing_copies(Catalog& catalog, Outbox& outbox, Remote& remote, const Clock& clock,
                                     const CancelToken& cancel) {
  std::map<std::string, ContentNo> wanted;  // by key
  Status failed;
  SHOEBOX_TRY(catalog.for_each_content([&](ContentNo number, const ContentRecord& content) {
    if (!is_immutable(content.state) || content.residence == Residence::kLocal) return true;
    const auto copy = catalog.copy(number, remote.name());
    if (!copy) failed = copy.status();
    if (copy && *copy) wanted.emplace((*copy)->key, number);
    return failed.is_ok();
  }));
  SHOEBOX_TRY(failed);
  if (wanted.empty()) return 0;
  const auto context = [&] {
    RequestContext made;
    made.cancel = cancel;
    made.deadline = transfer_deadline(clock, 0);
    return made;
  };
  std::string next;
  do {
    SHOEBOX_ASSIGN(const ListPage page, remote.list("", next, context()));
    for (const RemoteObject& object : page.objects) wanted.erase(object.key);
    next = page.next;
  } while (!next.empty());
  // Not every server lists all that it has. Of a remote that lost everything no more are asked for than can
  // be noted: until that is done no backup goes there.
  CopyVerdicts verdicts;
  uint64_t missing = 0;
  Status stopped;
  for (const auto& [key, content] : wanted) {
    if (verdicts.size() >= kMostLostCopies) break;
    const Result<RemoteObject> there = remote.stat(key, context());
    if (there) continue;
    if (there.code() != Code::kNotFound) {
      stopped = there.status();
      break;
    }
    SHOEBOX_ASSIGN(const auto now, catalog.copy(content, remote.name()));
    if (!now || now->key != key) continue;  // moved on meanwhile
    SHOEBOX_ASSIGN(const auto copies, catalog.copies(content));
    ++missing;
    if (copies.size() > 1)
      SHOEBOX_TRY(outbox.copy_lost(content, remote.name(), key, ""));
    else
      verdicts[{content, remote.name()}] = true;
  }
  SHOEBOX_TRY(note_lost_copies(catalog, verdicts));
  SHOEBOX_TRY(stopped);
  return missing;
}

}  // namespace shoebox
