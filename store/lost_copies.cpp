#include "store/lost_copies.h"

#include <fmt/format.h>

#include <set>
#include <sstream>

#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

// A line each, "CONTENT REMOTE".
constexpr std::string_view kMetaLost = "copies.lost";
constexpr size_t kMost = 10'000;

using Lost = std::set<std::pair<ContentNo, std::string>>;

Result<Lost> read_lost(const CatalogReader& reader) {
  SHOEBOX_ASSIGN(const std::optional<std::string> text, reader.meta(kMetaLost));
  Lost lost;
  std::istringstream words(text.value_or(""));
  uint64_t content = 0;
  std::string remote;
  while (words >> content >> remote) {
    SHOEBOX_ASSIGN(const std::optional<RemoteCopy> copy, reader.copy(ContentNo(content), remote));
    if (copy) lost.emplace(ContentNo(content), remote);
  }
  return lost;
}

}  // namespace

Status note_lost_copies(Catalog& catalog, const CopyVerdicts& verdicts) {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  SHOEBOX_ASSIGN(Lost lost, read_lost(*txn));
  for (const auto& [copy, is_lost] : verdicts) {
    if (!is_lost) {
      lost.erase(copy);
    } else if (lost.size() < kMost) {
      lost.insert(copy);
    }
  }
  std::string text;
  for (const auto& [content, remote] : lost) text += fmt::format("{} {}\n", content.value, remote);
  // As written, not as read: a mark whose copy has gone would count again once that is sent anew.
  SHOEBOX_ASSIGN(const std::optional<std::string> before, txn->meta(kMetaLost));
  if (text == before.value_or("")) return Status::ok();
  txn->put_meta(kMetaLost, text);
  return txn->commit();
}

Result<std::vector<std::string>> lost_copies_of(const CatalogReader& reader, ContentNo content) {
  SHOEBOX_ASSIGN(const Lost lost, read_lost(reader));
  std::vector<std::string> remotes;
  for (auto at = lost.lower_bound({content, ""}); at != lost.end() && at->first == content; ++at) {
    remotes.push_back(at->second);
  }
  return remotes;
}

Result<std::map<std::string, uint64_t>> count_lost_copies(const CatalogReader& reader) {
  SHOEBOX_ASSIGN(const Lost lost, read_lost(reader));
  std::map<std::string, uint64_t> counts;
  for (const auto& [content, remote] : lost) ++counts[remote];
  return counts;
}

}  // namespace shoebox
