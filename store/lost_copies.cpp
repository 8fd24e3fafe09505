#include "store/lost_copies.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

// A line each, "CONTENT REMOTE".
constexpr std::string_view kMetaLost = "copies.lost";

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
    } else if (lost.size() < kMostLostCopies) {
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

// Asked for each file of an import: only copies of this one are read.
Result<std::vector<std::string>> lost_copies_of(const CatalogReader& reader, ContentNo content) {
  SHOEBOX_ASSIGN(const std::optional<std::string> meta, reader.meta(kMetaLost));
  std::vector<std::string> remotes;
  if (!meta || meta->empty()) return remotes;
  const std::string text = '\n' + *meta;
  // A list that is full does not tell of all: what is only there, on a remote that lost so many, may be lost.
  bool any = static_cast<size_t>(std::count(meta->begin(), meta->end(), '\n')) >= kMostLostCopies;
  if (any) {
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, reader.content(content));
    any = record && record->residence != Residence::kLocal;
  }
  SHOEBOX_ASSIGN(const auto copies, reader.copies(content));
  for (const auto& [remote, copy] : copies) {
    const bool listed = text.find(fmt::format("\n{} {}\n", content.value, remote)) != std::string::npos;
    if (listed || (any && text.find(fmt::format(" {}\n", remote)) != std::string::npos))
      remotes.push_back(remote);
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
