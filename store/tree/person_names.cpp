#include "store/tree/person_names.h"

#include <string>
#include <utility>

#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/tree/sidecar_facts.h"

namespace shoebox {
namespace {

std::string meta_name(std::string_view person) { return "person/" + std::string(person); }

}  // namespace

Status remember_person_renamed(Transaction& txn, std::string_view earlier, std::string_view now) {
  if (earlier == now) return Status::ok();
  const std::string prefix = keys::meta(meta_name(""));
  std::vector<std::string> also;
  SHOEBOX_TRY(txn.scan(prefix, prefix, [&](std::string_view key, std::string_view value) {
    if (value == earlier) also.emplace_back(key.substr(prefix.size()));
    return true;
  }));
  for (const std::string& name : also) {
    if (name != now) txn.put_meta(meta_name(name), now);
  }
  txn.put_meta(meta_name(earlier), now);
  return forget_earlier_name(txn, now);
}

Status forget_earlier_name(Transaction& txn, std::string_view name) {
  SHOEBOX_ASSIGN(const auto standing, txn.meta(meta_name(name)));
  if (standing && !standing->empty()) txn.put_meta(meta_name(name), "");
  return Status::ok();
}

Status use_present_names(const CatalogReader& reader, std::vector<std::string>& people) {
  bool renamed = false;
  for (std::string& person : people) {
    SHOEBOX_ASSIGN(auto now, reader.meta(meta_name(person)));
    if (!now || now->empty()) continue;
    person = *std::move(now);
    renamed = true;
  }
  if (renamed) tidy(people);
  return Status::ok();
}

}  // namespace shoebox
