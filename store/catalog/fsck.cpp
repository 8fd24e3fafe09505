#include "store/catalog/fsck.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/catalog/fsck_rows.h"
#include "store/catalog/keys.h"

namespace shoebox {
namespace {

constexpr uint64_t kRowsPerProgress = 4096;
constexpr int kMostPasses = 4;

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

namespace {

// Names before files before the rest: a lost row of an index is made anew before anything that is
// counted with it is put right.
int order_of(const std::string& key) {
  return key.front() == keys::kDentry ? 0 : key.front() == keys::kInode ? 1 : 2;
}

// Keys of rows that look wrong, in the order in which they are to be repaired.
Result<std::vector<std::string>> find_suspects(const Catalog& catalog, const FsckOptions& options,
                                               uint64_t& rows) {
  std::vector<std::string> suspects;
  SHOEBOX_ASSIGN(const auto versions, count_versions(catalog));
  const fsck::Context context{catalog, options, versions};
  Status failure;
  SHOEBOX_TRY(catalog.scan("", "", [&](std::string_view key, std::string_view value) {
    if (++rows % kRowsPerProgress == 0 && options.progress) options.progress(rows);
    const auto findings = fsck::check_row(context, key, value);
    // A damaged row that this one leads to is a suspect by itself, and so is this one.
    const bool disk =
        !findings && findings.code() != Code::kDataLoss && findings.code() != Code::kIncompatible;
    if (disk) failure = findings.status();
    if (!findings || !findings->empty()) suspects.emplace_back(key);
    return !disk;
  }));
  SHOEBOX_TRY(failure);
  std::stable_sort(suspects.begin(), suspects.end(),
                   [](const std::string& a, const std::string& b) { return order_of(a) < order_of(b); });
  return suspects;
}

// The exact look, and the repair, inside a transaction of its own: writers wait for one row only.
Result<std::vector<FsckProblem>> look_again(Catalog& catalog, const FsckOptions& options,
                                            const std::string& key) {
  std::vector<FsckProblem> problems;
  const std::unique_ptr<Transaction> txn = catalog.begin();
  SHOEBOX_ASSIGN(const std::optional<std::string> value, txn->get(key));
  if (!value) return problems;
  SHOEBOX_ASSIGN(const auto versions, count_versions(*txn));
  const auto findings = fsck::check_row({*txn, options, versions}, key, *value);
  if (!findings) return std::vector<FsckProblem>{{findings.status().message()}};
  bool changed = false;
  for (const fsck::Finding& finding : *findings) {
    FsckProblem problem{finding.what, static_cast<bool>(finding.repair), false};
    if (options.repair && finding.repair) {
      SHOEBOX_TRY(finding.repair(*txn));
      changed = problem.repaired = true;
    }
    problems.push_back(std::move(problem));
  }
  if (changed) {
    const Status committed = txn->commit();
    if (!committed) return committed.with_context("fsck: a repair could not be written");
  }
  return problems;
}

}  // namespace

Result<FsckReport> check_catalog(Catalog& catalog, const FsckOptions& options) {
  FsckReport report;
  // A repair can bring another problem to light: a name that is dropped leaves a link count too high.
  for (int pass = 0; pass < kMostPasses; ++pass) {
    report.rows = 0;
    SHOEBOX_ASSIGN(const std::vector<std::string> suspects, find_suspects(catalog, options, report.rows));
    bool repaired = false;
    for (const std::string& key : suspects) {
      SHOEBOX_ASSIGN(std::vector<FsckProblem> problems, look_again(catalog, options, key));
      for (FsckProblem& problem : problems) {
        repaired |= problem.repaired;
        const bool known = std::any_of(report.problems.begin(), report.problems.end(),
                                       [&](const FsckProblem& p) { return p.what == problem.what; });
        if (!known || problem.repaired) report.problems.push_back(std::move(problem));
      }
    }
    if (!repaired) break;
  }
  if (options.repair) SHOEBOX_TRY(catalog.sync());
  return report;
}

}  // namespace shoebox
