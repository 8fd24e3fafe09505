// Adopting as the commands adopt and rebuild do it: the objects, then what their heads say. Used by one
// thread, that of the command.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "store/adopt.h"
#include "store/base/cancel.h"
#include "store/base/result.h"

namespace shoebox {

class Library;
class SyncControl;

// Ends when all is decoded as well. In a command's own process the importer is started for it.
Result<AdoptReport> run_adoption(Library& library, SyncControl& sync, const AdoptRequest& request,
                                 const CancelToken& cancel,
                                 const std::function<void(const AdoptReport&)>& on_report,
                                 const std::function<void(const nlohmann::json&)>& progress);

// Interim answers: how far it is, and each finding once as a note.
class AdoptProgress {
 public:
  void tell(const AdoptReport& report, const std::function<void(const nlohmann::json&)>& progress);

 private:
  size_t told_ = 0;
};

nlohmann::json json_of(const AdoptReport& report);

}  // namespace shoebox
