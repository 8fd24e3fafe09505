#include "store/doubtful_copies.h"

#include <vector>

#include "store/catalog/catalog.h"
#include "store/outbox.h"

namespace shoebox {
namespace {

// Each stays known as ours: it may stand there after all, and its photo be elsewhere by the time it is sent
// again.
Status doubt_sidecars(Catalog& catalog, Outbox& outbox, const std::string& remote) {
  std::vector<std::pair<PhotoId, std::string>> doubtful;
  Status failed;
  SHOEBOX_TRY(catalog.for_each_photo([&](PhotoId photo, const PhotoRecord&) {
    const auto sent = catalog.sidecar(photo, remote);
    if (!sent) failed = sent.status();
    if (sent && *sent) doubtful.emplace_back(photo, (*sent)->key);
    return failed.is_ok();
  }));
  SHOEBOX_TRY(failed);
  for (const auto& [photo, key] : doubtful) SHOEBOX_TRY(outbox.sidecar_damaged(photo, remote, key));
  return Status::ok();
}

}  // namespace

Result<DoubtfulCopies> doubt_copies(Catalog& catalog, Outbox& outbox, const std::string& remote) {
  DoubtfulCopies found;
  std::vector<ContentNo> doubtful;
  Status failed;
  SHOEBOX_TRY(catalog.for_each_content([&](ContentNo number, const ContentRecord& content) {
    const Result<std::optional<RemoteCopy>> copy = catalog.copy(number, remote);
    if (!copy) failed = copy.status();
    if (!copy || !*copy) return failed.is_ok();
    if (content.state == ContentState::kSealed && content.residence == Residence::kLocal) {
      doubtful.push_back(number);
    } else {
      ++found.only_there;
    }
    return true;
  }));
  SHOEBOX_TRY(failed);
  for (const ContentNo number : doubtful) SHOEBOX_TRY(outbox.copy_lost(number, remote));
  SHOEBOX_TRY(doubt_sidecars(catalog, outbox, remote));
  found.checked_again = doubtful.size();
  return found;
}

}  // namespace shoebox
