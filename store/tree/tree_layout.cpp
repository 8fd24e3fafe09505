// Part of Tree: at mount, the rows of all photos follow a layout of Dates that was changed in the
// settings. Before anything is served, so on one thread.

#include <algorithm>

#include "store/base/log.h"
#include "store/tree/tree_state.h"

namespace shoebox {
namespace {

constexpr std::string_view kMetaLayout = "dates_layout";
constexpr size_t kPhotosInABatch = 256;  // keeps a transaction in memory small; a crash repeats few

}  // namespace

Status Tree::follow_layout() {
  Catalog& catalog = state_->catalog;
  const std::string wanted = state_->settings->dates_layout;
  SHOEBOX_ASSIGN(const auto standing, catalog.meta(kMetaLayout));
  if (standing == wanted) return Status::ok();

  std::vector<PhotoId> photos;
  if (standing) {
    SHOEBOX_TRY(catalog.for_each_photo([&](PhotoId id, const PhotoRecord&) {
      photos.push_back(id);
      return true;
    }));
    log::info("folders of Dates change from {} to {}: {} photos", *standing, wanted, photos.size());
  }
  for (size_t begin = 0; begin < photos.size(); begin += kPhotosInABatch) {
    const auto txn = catalog.begin();
    for (size_t at = begin; at < std::min(begin + kPhotosInABatch, photos.size()); ++at) {
      SHOEBOX_TRY(state_->engine.refresh(*txn, photos[at]));
    }
    SHOEBOX_TRY(txn->commit());
  }
  const auto txn = catalog.begin();
  txn->put_meta(kMetaLayout, wanted);
  return txn->commit();
}

}  // namespace shoebox
