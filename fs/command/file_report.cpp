#include "fs/command/file_report.h"

#include <fmt/format.h>

#include "fs/command/escape.h"
#include "fs/command/progress.h"

namespace shoebox {
namespace {

constexpr size_t kMostListed = 20'000;

}  // namespace

FileReport::FileReport(ServiceContext& context, std::vector<std::string> counts) : context_(context) {
  for (std::string& key : counts) counts_.emplace(std::move(key), 0);
}

void FileReport::list(const std::string& path, const std::string& what, const std::string& why) {
  context_.progress(interim_note(
      fmt::format("{}: {}{}{}", escape_name(path), what, why.empty() ? "" : ": ", printable(why))));
  if (list_.size() < kMostListed) {
    list_.push_back({{"path", escape_name(path)}, {"what", what}, {"why", printable(why)}});
  } else {
    cut_ = true;
  }
}

nlohmann::json FileReport::result() const {
  nlohmann::json out = {{"list", list_}, {"list_is_cut", cut_}};
  for (const auto& [key, number] : counts_) out[key] = number;
  return out;
}

}  // namespace shoebox
