#include "store/bring_back.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/lost_copies.h"
#include "store/outbox.h"

namespace shoebox {
namespace {

constexpr int kMostFills = 2;

// Its object is gone from this disk; unless it left and came back since somebody looked.
Status note_missing(Catalog& catalog, const ContentStore& contents, ContentNo content) {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  SHOEBOX_ASSIGN(std::optional<ContentRecord> now, txn->content(content));
  if (!now || contents.open_local(content)) return Status::ok();
  now->residence = Residence::kPartial;
  txn->put_content(content, *now);
  return txn->commit();
}

}  // namespace

Status bring_back(Catalog& catalog, ContentStore& contents, Outbox& outbox, ContentNo content, int fd,
                  const std::function<Status(uint64_t blocks_read)>& go_on) {
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, catalog.content(content));
  if (!record || record->state != ContentState::kSealed) return Status::ok();
  SHOEBOX_ASSIGN(const bool damaged, catalog.is_known_damaged(content));
  if (damaged) return Status::ok();  // told as such: it gives way, and is not mended
  SHOEBOX_ASSIGN(const std::vector<std::string> lost, lost_copies_of(catalog, content));
  bool whole = record->residence == Residence::kLocal;
  if (const Result<UniqueFd> here = contents.open_local(content);
      !here && here.code() == Code::kNotFound && whole) {
    SHOEBOX_TRY(note_missing(catalog, contents, content));
    whole = false;
  }
  // Whoever finds a photo broken copies it in again, too.
  if (whole) {
    SHOEBOX_ASSIGN(const uint64_t rotten, contents.discard_rotten(content, /*fill_follows=*/true, go_on));
    whole = rotten == 0;
  }
  // What the disk spoiled of a part that had stayed here is found, and dropped, when the whole is looked at.
  for (int fills = 0; !whole && fills < kMostFills; ++fills) {
    SHOEBOX_TRY(contents.fill(content, fd, go_on));
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> now, catalog.content(content));
    whole = !now || now->residence == Residence::kLocal;
  }
  if (!whole)
    return {Code::kBusy, fmt::format("content {}: its bytes did not stay on this disk", content.value)};
  CopyVerdicts sent_again;
  for (const std::string& remote : lost) {
    SHOEBOX_TRY(outbox.copy_lost(content, remote));
    sent_again[{content, remote}] = false;
    log::info("content {}: lost on {} and copied in again: it is sent there once more", content.value,
              remote);
  }
  return sent_again.empty() ? Status::ok() : note_lost_copies(catalog, sent_again);
}

}  // namespace shoebox
