#include "sync/leftovers.h"

#include <string>

#include "store/catalog/catalog.h"
#include "sync/remote/remote.h"
#include "sync/remote/temporary.h"
#include "sync/remote_test.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

constexpr std::string_view kOurs = ".shoebox/";

bool has_word(std::string_view text, std::string_view word) {
  const auto ends = [&](size_t at) { return at >= text.size() || text[at] == ' ' || text[at] == '\n'; };
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    if ((at == 0 || ends(at - 1)) && ends(at + word.size())) return true;
  }
  return false;
}

// Whether some upload will go on with it.
Result<bool> is_noted(const Catalog& catalog, const std::string& remote, const std::string& id) {
  bool noted = false;
  SHOEBOX_TRY(catalog.for_each_job(remote, ContentNo(), [&](const UploadJob& job) {
    noted = has_word(job.progress, id);
    return !noted;
  }));
  return noted;
}

Result<bool> is_our_key(const Catalog& catalog, const std::string& remote, const std::string& key) {
  if (key.starts_with(kOurs)) return true;
  SHOEBOX_ASSIGN(const auto loose, catalog.loose(remote, key));
  if (loose) return !loose->keep;
  SHOEBOX_ASSIGN(const auto holder, catalog.content_of_remote_key(remote, key));
  return holder.has_value();
}

// Whoever tests a remote by hand removes its probe at once, unless it is killed.
Result<uint64_t> remove_probes(Remote& remote, const Catalog& catalog, const RequestContext& context) {
  uint64_t removed = 0;
  std::string next;
  do {
    SHOEBOX_ASSIGN(ListPage page, remote.list(kProbes, next, context));
    for (const RemoteObject& object : page.objects) {
      SHOEBOX_ASSIGN(const auto loose, catalog.loose(remote.name(), object.key));
      if (loose || is_temporary_of_this_process(object.key)) continue;  // tidying removes it, or its maker
      SHOEBOX_TRY(remote.remove(object.key, context));
      ++removed;
    }
    next = std::move(page.next);
  } while (!next.empty());
  return removed;
}

}  // namespace

Result<uint64_t> remove_leftovers(Remote& remote, const Catalog& catalog, const Clock& clock,
                                  const CancelToken& cancel) {
  RequestContext context;
  context.cancel = cancel;
  context.deadline = transfer_deadline(clock, 0);
  const auto given_up = [&](const Leftover& left) -> Result<bool> {
    SHOEBOX_ASSIGN(const bool noted, is_noted(catalog, remote.name(), left.id));
    if (noted) return false;
    return left.key.empty() ? Result<bool>(true) : is_our_key(catalog, remote.name(), left.key);
  };
  SHOEBOX_ASSIGN(const uint64_t uploads, remote.remove_leftovers("", given_up, context));
  SHOEBOX_ASSIGN(const uint64_t probes, remove_probes(remote, catalog, context));
  return uploads + probes;
}

}  // namespace shoebox
