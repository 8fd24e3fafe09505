// shoebox verify: reads copies back from the remotes and compares their hashes.
// Arguments {"remote", "sample", "all", "repair"}; answer {"to_check", "checked", "checked_bytes", "missing",
// "damaged", "unchecked", "queued_again", "sidecars", "catalog_objects", "leftovers", "findings": [{"remote",
// "key", "what", "why"}]}.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/verb.h"
#include "store/library.h"
#include "store/settings.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

using nlohmann::json;

constexpr double kUsualShare = 0.05;

Result<double> share_of(const std::optional<std::string>& sample, bool all) {
  if (all && sample) return Status(Code::kInvalid, "--sample and --all exclude each other");
  if (all) return 1.0;
  if (!sample) return kUsualShare;
  const Result<CacheLimit> share = parse_cache_limit(*sample);
  if (!share || share->percent == 0) {
    return Status(Code::kInvalid,
                  fmt::format("--sample {}: write a share from 1% to 100%", printable(*sample)));
  }
  return share->percent / 100.0;
}

json json_of_report(const VerifyReport& report) {
  json findings = json::array();
  for (const VerifyReport::Finding& one : report.findings) {
    findings.push_back({{"remote", one.remote},
                        {"key", escape_name(one.key)},
                        {"what", one.what},
                        {"why", printable(one.why)}});
  }
  return {{"to_check", report.to_check},
          {"checked", report.checked},
          {"checked_bytes", report.checked_bytes},
          {"missing", report.missing},
          {"damaged", report.damaged},
          {"unchecked", report.unchecked},
          {"queued_again", report.queued_again},
          {"sidecars", report.sidecars},
          {"catalog_objects", report.catalog_objects},
          {"leftovers", report.leftovers},
          {"findings", std::move(findings)}};
}

Result<json> verify(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const std::optional<std::string> remote, text_argument(arguments, "remote"));
  SHOEBOX_ASSIGN(const std::optional<std::string> sample, text_argument(arguments, "sample"));
  SHOEBOX_ASSIGN(const bool all, flag_argument(arguments, "all"));
  VerifyRequest request;
  request.remote = remote.value_or("");
  SHOEBOX_ASSIGN(request.share, share_of(sample, all));
  SHOEBOX_ASSIGN(request.repair, flag_argument(arguments, "repair"));
  if (context.library.read_only()) return Status(Code::kReadOnly, "the library is read-only");
  size_t told = 0;
  const auto progress = [&](const VerifyReport& report) {
    for (; told < report.findings.size(); ++told) {
      const VerifyReport::Finding& one = report.findings[told];
      context.progress(interim_note(
          fmt::format("{} on {}: {}: {}", escape_name(one.key), one.remote, one.what, printable(one.why))));
    }
    context.progress(interim(report.checked_bytes, report.bytes_to_check,
                             fmt::format("{} of {} copies, {}", report.checked, report.to_check,
                                         human_bytes(report.checked_bytes))));
  };
  SHOEBOX_ASSIGN(const VerifyReport report, context.sync.verify(request, context.cancel, progress));
  return json_of_report(report);
}

void print_verify(const json& result, const json&) {
  const auto count = [&](const char* key) { return result.value(key, uint64_t{0}); };
  std::string more;
  if (count("sidecars") > 0) more += fmt::format(", {}", counted(count("sidecars"), "sidecar"));
  if (count("catalog_objects") > 0)
    more += fmt::format(", {} of the backup of the catalog", counted(count("catalog_objects"), "object"));
  std::string line =
      fmt::format("{}{} read back ({}): {} missing, {} damaged",
                  count("checked") == 1 ? "1 copy" : fmt::format("{} copies", count("checked")), more,
                  human_bytes(count("checked_bytes")), count("missing"), count("damaged"));
  if (count("queued_again") > 0) line += fmt::format(", {} sent again", count("queued_again"));
  if (count("leftovers") > 0)
    line += fmt::format(", {} of broken-off uploads removed", counted(count("leftovers"), "leftover"));
  if (count("unchecked") > 0) line += fmt::format(", {} not checked", count("unchecked"));
  say(line);
}

// Bad copies that are on their way again are a success.
int exit_code(const json& result) {
  const auto count = [&](const char* key) { return result.value(key, uint64_t{0}); };
  return count("missing") + count("damaged") > count("queued_again") || count("unchecked") > 0 ? 1 : 0;
}

}  // namespace

Verb verify_verb() {
  Verb verb;
  verb.name = "verify";
  verb.summary = "read copies back from the remotes and compare them with what was sent";
  verb.examples =
      "  shoebox verify                           5% of the copies, chosen at random\n"
      "  shoebox verify --all --repair            every copy; send again what is missing or damaged\n"
      "  shoebox verify --remote nas --sample 20%\n";
  verb.options = {
      {"--remote", "remote", OptionSpec::Kind::kText, "NAME", "only copies on this remote"},
      {"--sample", "sample", OptionSpec::Kind::kText, "SHARE", "share of the copies to read (default: 5%)"},
      {"--all", "all", OptionSpec::Kind::kFlag, "", "every copy"},
      {"--repair", "repair", OptionSpec::Kind::kFlag, "",
       "also fetch evicted originals from another remote, to send them again"},
  };
  verb.service = verify;
  verb.needs_background = true;
  verb.print = print_verify;
  verb.exit_code = exit_code;
  return verb;
}

}  // namespace shoebox
