#include "fs/command/adopt_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "store/importer.h"
#include "store/library.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kTick(200);

}  // namespace

Result<AdoptReport> run_adoption(Library& library, SyncControl& sync, const AdoptRequest& request,
                                 const CancelToken& cancel,
                                 const std::function<void(const AdoptReport&)>& on_report,
                                 const std::function<void(const json&)>& progress) {
  Importer& importer = library.importer();
  if (!request.dry_run) importer.start();
  SHOEBOX_ASSIGN(AdoptReport report, sync.adopt(request, cancel, on_report));
  while (!request.dry_run && !importer.drain_for(kTick)) {
    if (cancel.cancelled())
      return Status(Code::kCancelled, "interrupted; run the same command again to go on");
    progress(interim(0, 0, fmt::format("{} to be decoded", importer.pending())));
  }
  return report;
}

void AdoptProgress::tell(const AdoptReport& report, const std::function<void(const json&)>& progress) {
  for (; told_ < report.findings.size(); ++told_) {
    const AdoptReport::Finding& one = report.findings[told_];
    progress(interim_note(fmt::format("{}: {}: {}", escape_name(one.key), one.what, printable(one.why))));
  }
  progress(interim(0, 0,
                   fmt::format("{} listed, {} adopted, {} received in {}", counted(report.listed, "object"),
                               report.photos + report.videos + report.others,
                               human_bytes(report.received_bytes), counted(report.requests, "request"))));
}

json json_of(const AdoptReport& report) {
  json list = json::array();
  for (const AdoptReport::Finding& one : report.findings) {
    list.push_back({{"key", escape_name(one.key)}, {"what", one.what}, {"why", printable(one.why)}});
  }
  return {{"listed", report.listed},
          {"already_there", report.already},
          {"photos", report.photos},
          {"videos", report.videos},
          {"others", report.others},
          {"changed", report.changed},
          {"skipped", report.skipped},
          {"failed", report.failed},
          {"original_bytes", report.original_bytes},
          {"requests", report.requests},
          {"received_bytes", report.received_bytes},
          {"list", std::move(list)}};
}

}  // namespace shoebox
