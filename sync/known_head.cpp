#include "sync/known_head.h"

#include <fmt/format.h>

#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"

namespace shoebox {
namespace {

std::string meta_name(std::string_view remote) { return fmt::format("{}{}", keys::kMetaBackup, remote); }
// No name of a remote holds a slash.
std::string accepted_name(std::string_view remote) {
  return fmt::format("{}accepted/{}", keys::kMetaBackup, remote);
}

std::string hash_of(const backup::Head& head) { return sha256(encode(head)).hex(); }

}  // namespace

bool KnownHead::is(const backup::Head& found) const {
  const std::string encoded = encode(found);
  return (head && encode(*head) == encoded) || intended == sha256(encoded).hex();
}

Result<KnownHead> known_head(const CatalogReader& catalog, std::string_view remote) {
  KnownHead known;
  SHOEBOX_ASSIGN(const std::optional<std::string> text, catalog.meta(meta_name(remote)));
  const size_t end = text ? text->find('\n') : std::string::npos;
  if (end == std::string::npos) return known;
  known.intended = text->substr(0, end);
  Result<backup::Head> head = backup::parse_head(std::string_view(*text).substr(end + 1));
  if (head) known.head = std::move(*head);
  return known;
}

void put_known_head(Transaction& txn, std::string_view remote, const KnownHead& known) {
  txn.put_meta(meta_name(remote), known.intended + "\n" + (known.head ? encode(*known.head) : std::string()));
}

Result<bool> is_accepted_head(const CatalogReader& catalog, std::string_view remote,
                              const backup::Head& head) {
  SHOEBOX_ASSIGN(const std::optional<std::string> hash, catalog.meta(accepted_name(remote)));
  return hash == hash_of(head);
}

void accept_head(Transaction& txn, std::string_view remote, const backup::Head& head) {
  txn.put_meta(accepted_name(remote), hash_of(head));
}

}  // namespace shoebox
