#include "store/remote_places.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "store/base/file_io.h"
#include "store/base/mount_table.h"
#include "store/base/paths.h"
#include "store/base/percent.h"

namespace shoebox {
namespace {

constexpr std::string_view kScheme = "file://";

// Of the folder, or of what there is of its path.
Status refuse_path_on_drive(std::filesystem::path folder) {
  for (;;) {
    const Result<UniqueFd> fd = open_file(folder.string(), O_PATH);
    if (fd) return refuse_on_drive(fd->get());
    if (fd.code() != Code::kNotFound || folder == folder.parent_path()) return Status::ok();
    folder = folder.parent_path();
  }
}

}  // namespace

std::string folder_of_url(std::string_view url) {
  url.remove_prefix(kScheme.size());
  constexpr std::string_view kHere = "localhost";
  if (url.starts_with(kHere) && url.substr(kHere.size()).starts_with('/')) url.remove_prefix(kHere.size());
  std::string path = percent_decode(url);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Status refuse_on_drive(int fd) {
  SHOEBOX_ASSIGN(const std::string type, mount_type(fd));
  if (type != kShoeboxMountType) return Status::ok();
  return {
      Code::kInvalid,
      "lies on a Shoebox drive, whose files leave this disk once they count as backed up; choose a folder "
      "on another disk"};
}

Status check_remote_places(const std::string& library, const std::vector<RemoteSettings>& remotes) {
  std::map<std::string, std::string> names;  // by folder
  for (const RemoteSettings& remote : remotes) {
    if (!remote.url.starts_with(kScheme)) continue;
    const auto refused = [&](const std::string& why) {
      return Status(Code::kInvalid, fmt::format("remote \"{}\": {} {}", remote.name, remote.url, why));
    };
    std::error_code error;
    const std::filesystem::path path = std::filesystem::weakly_canonical(folder_of_url(remote.url), error);
    if (error) continue;  // said when it is used
    // "a/b/." ends with an empty name where b is not there.
    const std::string folder = path.has_filename() ? path.string() : path.parent_path().string();
    if (folder == "/") return refused("is the root of this machine; choose a folder for the backup");
    if (!library.empty() && lies_in(folder, library))
      return refused("lies inside the library itself; choose a folder on another disk");
    const Status outside = refuse_path_on_drive(folder);
    if (outside.code() == Code::kInvalid) return refused(outside.message());
    SHOEBOX_TRY(outside);
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
