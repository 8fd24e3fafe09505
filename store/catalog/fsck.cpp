#include "store/catalog/fsck.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/catalog/fsck_rows.h"
#include "store/catalog/keys.h"

namespace shoebox {
namespace {

constexpr uint64_t kRowsPerProgress = 4096;

Result<std::unordered_map<ContentNo, uint32_t>> count_versions(const CatalogReader& reader) {
  std::unordered_map<ContentNo, uint32_t> counts;
  const std::string prefix = keys::table(keys::kVersion);
  SHOEBOX_TRY(reader.scan(prefix, prefix, [&](std::string_view key, std::string_view) {
    ++counts[ContentNo(keys::split(key, 2).second)];
    return true;
  }));
  return counts;
}

}  // namespace

uint64_t FsckReport::unrepaired() const {
  return static_cast<uint64_t>(
      std::count_if(problems.begin(), problems.end(), [](const FsckProblem& p) { return !p.repaired; }));
}

Result<FsckReport> check_catalog(Catalog& catalog, const FsckOptions& options) {
  FsckReport report;
  std::vector<std::string> suspects;
  {
    SHOEBOX_ASSIGN(const auto versions, count_versions(catalog));
    const fsck::Context context{catalog, options, versions};
    Status failure;
    SHOEBOX_TRY(catalog.scan("", "", [&](std::string_view key, std::string_view value) {
      if (++report.rows % kRowsPerProgress == 0 && options.progress) options.progress(report.rows);
      const auto findings = fsck::check_row(context, key, value);
      if (!findings) {
        // A damaged row that another one leads to: that row is a suspect by itself.
        if (findings.code() != Code::kDataLoss && findings.code() != Code::kIncompatible) {
          failure = findings.status();
          return false;
        }
        suspects.emplace_back(key);
      } else if (!findings->empty()) {
        suspects.emplace_back(key);
      }
      return true;
    }));
    SHOEBOX_TRY(failure);
  }
  // A second, exact look. Each repair is a transaction of its own: writers wait for one row only.
  for (const std::string& key : suspects) {
    const std::unique_ptr<Transaction> txn = catalog.begin();
    SHOEBOX_ASSIGN(const std::optional<std::string> value, txn->get(key));
    if (!value) continue;
    SHOEBOX_ASSIGN(const auto versions, count_versions(*txn));
    const auto findings = fsck::check_row({*txn, options, versions}, key, *value);
    if (!findings) {
      report.problems.push_back({findings.status().message()});
      continue;
    }
    bool changed = false;
    const size_t first = report.problems.size();
    for (const fsck::Finding& finding : *findings) {
      FsckProblem problem{finding.what, static_cast<bool>(finding.repair), false};
      if (options.repair && finding.repair) {
        SHOEBOX_TRY(finding.repair(*txn));
        changed = problem.repaired = true;
      }
      report.problems.push_back(std::move(problem));
    }
    if (!changed) continue;
    const Status committed = txn->commit();
    if (!committed) {
      for (size_t i = first; i < report.problems.size(); ++i) report.problems[i].repaired = false;
      return committed.with_context("fsck: a repair could not be written");
    }
  }
  if (options.repair) SHOEBOX_TRY(catalog.sync());
  return report;
}

}  // namespace shoebox
