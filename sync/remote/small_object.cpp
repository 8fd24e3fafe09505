#include "sync/remote/small_object.h"

#include <sys/mman.h>

#include <cerrno>

#include "store/base/file_io.h"
#include "store/base/hash.h"

namespace shoebox {

Result<RemoteObject> put_small_object(Remote& remote, const std::string& key, std::string_view bytes,
                                      bool if_absent, const RequestContext& context) {
  const UniqueFd file(::memfd_create("shoebox-object", MFD_CLOEXEC));
  if (!file) return Status::from_errno(errno, "make a file in memory for " + key);
  SHOEBOX_TRY(pwrite_full(file.get(), bytes.data(), bytes.size(), 0));
  PutOptions options;
  options.size = bytes.size();
  options.sha256 = sha256(bytes);
  options.if_absent = if_absent;
  options.save_progress = [](const std::string&) { return Status::ok(); };
  return remote.put(key, file.get(), options, context);
}

Result<std::string> read_small_object(Remote& remote, const RemoteObject& object,
                                      const RequestContext& context) {
  std::string bytes;
  if (object.size == 0) return bytes;
  const auto sink = [&bytes](std::string_view piece) {
    bytes += piece;
    return Status::ok();
  };
  SHOEBOX_TRY(remote.get(object.key, {0, object.size}, object.etag, sink, context));
  return bytes;
}

}  // namespace shoebox
