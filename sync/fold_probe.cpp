#include "sync/fold_probe.h"

#include <string_view>

#include "sync/remote/small_object.h"

namespace shoebox {

Result<bool> remote_folds_keys(Remote& remote, const std::string& key, const RequestContext& context) {
  constexpr std::string_view kWritten = "a\u00e9";
  if (!key.ends_with(kWritten)) return Status(Code::kInvalid, key + ": no key to probe with");
  const std::string stem = key.substr(0, key.size() - kWritten.size());
  SHOEBOX_TRY(put_small_object(remote, key, key, /*if_absent=*/false, context)
                  .status()
                  .with_context("try how names are compared"));
  // A capital letter, and the accent as a code point of its own.
  for (const std::string_view letters : {"A\u00e9", "ae\u0301"}) {
    const auto found = remote.stat(stem + std::string(letters), context);
    if (found) return true;
    if (found.code() != Code::kNotFound) return found.status().with_context("try how names are compared");
  }
  return false;
}

}  // namespace shoebox
