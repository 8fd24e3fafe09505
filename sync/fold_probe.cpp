#include "sync/fold_probe.h"

#include <sys/mman.h>

#include <cerrno>
#include <string_view>

#include "store/base/file_io.h"
#include "store/base/hash.h"

namespace shoebox {

Result<bool> remote_folds_keys(Remote& remote, const std::string& key, const RequestContext& context) {
  constexpr std::string_view kWritten = "a\u00e9";
  if (!key.ends_with(kWritten)) return Status(Code::kInvalid, key + ": no key to probe with");
  const std::string stem = key.substr(0, key.size() - kWritten.size());
  const UniqueFd fd(::memfd_create("shoebox-probe", MFD_CLOEXEC));
  if (!fd) return Status::from_errno(errno, "make a probe");
  SHOEBOX_TRY(pwrite_full(fd.get(), key.data(), key.size(), 0));
  PutOptions options;
  options.size = key.size();
  options.sha256 = sha256(key);
  options.save_progress = [](const std::string&) { return Status::ok(); };
  SHOEBOX_TRY(
      remote.put(key, fd.get(), options, context).status().with_context("try how names are compared"));
  // A capital letter, and the accent as a code point of its own.
  for (const std::string_view letters : {"A\u00e9", "ae\u0301"}) {
    const auto found = remote.stat(stem + std::string(letters), context);
    if (found) return true;
    if (found.code() != Code::kNotFound) return found.status().with_context("try how names are compared");
  }
  return false;
}

}  // namespace shoebox
