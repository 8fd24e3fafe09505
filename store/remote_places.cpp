#include "store/remote_places.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "store/base/file_io.h"
#include "store/base/mount_type.h"

namespace shoebox {
namespace {

constexpr std::string_view kScheme = "file://";

bool lies_in(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

// Of the folder, or of what there is of its path.
Result<std::string> type_of(std::filesystem::path folder) {
  for (;;) {
    const Result<UniqueFd> fd = open_file(folder.string(), O_PATH);
    if (fd) return mount_type(fd->get());
    if (fd.code() != Code::kNotFound || folder == folder.parent_path()) return std::string();
    folder = folder.parent_path();
  }
}

}  // namespace

Status check_remote_places(const std::string& library, const std::vector<RemoteSettings>& remotes) {
  std::map<std::string, std::string> names;  // by folder
  for (const RemoteSettings& remote : remotes) {
    if (!remote.url.starts_with(kScheme)) continue;
    const auto refused = [&](const std::string& why) {
      return Status(Code::kInvalid, fmt::format("remote \"{}\": {} {}", remote.name, remote.url, why));
    };
    std::error_code error;
    const std::filesystem::path path =
        std::filesystem::weakly_canonical(remote.url.substr(kScheme.size()), error);
    if (error) continue;  // said when it is used
    // "a/b/" has an empty name at its end where b is not there.
    const std::string folder = path.has_filename() ? path.string() : path.parent_path().string();
    if (folder == "/") return refused("is the root of this machine; choose a folder for the backup");
    if (!library.empty() && lies_in(folder, library))
      return refused("lies inside the library itself; choose a folder on another disk");
    SHOEBOX_ASSIGN(const std::string type, type_of(folder));
    if (type == kShoeboxMountType)
      return refused(
          "lies on a Shoebox drive, whose files leave this disk once they count as backed up; choose "
          "a folder on another disk");
    const auto [same, fresh] = names.emplace(folder, remote.name);
    if (!fresh)
      return refused(
          fmt::format("is the folder of remote \"{}\" already, and two copies there are one; remove one "
                      "of them from shoebox.toml",
                      same->second));
  }
  return Status::ok();
}

}  // namespace shoebox
