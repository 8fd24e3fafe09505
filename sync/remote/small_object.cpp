#include "sync/remote/small_object.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>

#include "store/base/hash.h"

namespace shoebox {
namespace {

Result<std::string> read_bounded(Remote& remote, const std::string& key, uint64_t most_bytes,
                                 const std::string& etag, const RequestContext& context) {
  std::string bytes;
  const auto sink = [&](std::string_view piece) {
    if (piece.size() > most_bytes - bytes.size()) {
      return Status(Code::kDataLoss, key + ": longer than it says");
    }
    bytes += piece;
    return Status::ok();
  };
  SHOEBOX_TRY(remote.get(key, {0, most_bytes}, etag, sink, context));
  return bytes;
}

}  // namespace

Result<UniqueFd> file_in_memory(std::string_view bytes, std::string_view what) {
  UniqueFd file(::memfd_create("shoebox-object", MFD_CLOEXEC));
  if (!file) return Status::from_errno(errno, fmt::format("make a file in memory for {}", what));
  SHOEBOX_TRY(pwrite_full(file.get(), bytes.data(), bytes.size(), 0));
  return file;
}

Result<RemoteObject> put_small_object(Remote& remote, const std::string& key, std::string_view bytes,
                                      bool if_absent, const RequestContext& context) {
  SHOEBOX_ASSIGN(const UniqueFd file, file_in_memory(bytes, key));
  PutOptions options;
  options.size = bytes.size();
  options.sha256 = sha256(bytes);
  options.if_absent = if_absent;
  options.save_progress = [](const std::string&) { return Status::ok(); };
  return remote.put(key, file.get(), options, context);
}

Result<std::string> read_small_object(Remote& remote, const std::string& key, uint64_t most_bytes,
                                      const RequestContext& context) {
  return read_bounded(remote, key, most_bytes, "", context);
}

Result<std::string> read_small_object(Remote& remote, const RemoteObject& object,
                                      const RequestContext& context) {
  if (object.size == 0) return std::string();
  return read_bounded(remote, object.key, object.size, object.etag, context);
}

}  // namespace shoebox
