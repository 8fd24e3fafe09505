// Reads the backup of the catalog on a remote back, as a verification does: what rots there would be noticed
// only on the day it is needed, and a new snapshot would go on naming it.
//
// Threads: any; a call blocks as the remote does.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/sync_control.h"
#include "sync/remote/remote.h"

namespace shoebox {

class Catalog;

struct BackupCheck {
  Catalog& catalog;
  Remote& remote;
  const Clock& clock;

  // Reads a share of the segments that the head confirmed last names; what is wrong is added to `report`.
  // Gives the keys of those that are missing or damaged, for CatalogBackup::send_again(). No error: what the
  // remote does not answer for counts as unchecked.
  [[nodiscard]] Result<std::set<std::string>> run(
      double share, const CancelToken& cancel, VerifyReport& report,
      const std::function<void(const VerifyReport&)>& progress) const;
  // Whether that is due: the last time that all was read and good is longer ago than this. The first call for
  // a remote only notes the time.
  [[nodiscard]] Result<bool> due(int64_t period_s) const;
  [[nodiscard]] Status note_good() const;
};

}  // namespace shoebox
