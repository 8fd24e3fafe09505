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
  // Whoever tests a remote by hand removes its probe at once, unless it is killed.
  const auto is_for_tidying = [&](const std::string& key) -> Result<bool> {
    SHOEBOX_ASSIGN(const auto loose, catalog.loose(remote.name(), key));
    return loose.has_value();
  };
  SHOEBOX_ASSIGN(const uint64_t probes, remove_temporaries(remote, kProbes, is_for_tidying, context));
  return uploads + probes;
}

}  // namespace shoebox
