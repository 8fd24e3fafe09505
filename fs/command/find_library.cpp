#include "fs/command/find_library.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>

#include "fs/command/escape.h"
#include "store/base/paths.h"

namespace shoebox {
namespace {

namespace filesystem = std::filesystem;

// Follows symlinks up to the last component, which may be a symlink of the library itself or missing.
std::string resolve_parent(const std::string& path) {
  const filesystem::path whole(path);
  std::error_code error;
  const filesystem::path parent = filesystem::weakly_canonical(whole.parent_path(), error);
  return error ? path : absolute_path((parent / whole.filename()).string(), "/");
}

std::optional<LibraryMount> mount_of(const std::string& path, const std::vector<LibraryMount>& mounts) {
  std::optional<LibraryMount> best;
  for (const LibraryMount& mount : mounts) {
    // A later mount on the same place hides the earlier one.
    if (lies_in(path, mount.mountpoint) && (!best || mount.mountpoint.size() >= best->mountpoint.size())) {
      best = mount;
    }
  }
  return best;
}

bool looks_like_library(const std::string& folder) {
  struct stat st {};
  return ::stat((folder + "/catalog/CURRENT").c_str(), &st) == 0 &&
         ::stat((folder + "/objects").c_str(), &st) == 0;
}

// A library that somebody named by its own folder or by where it is mounted.
FoundLibrary named(const LibraryQuery& query, const std::string& name) {
  const std::string typed = absolute_path(name, query.working_directory);
  std::error_code error;
  const filesystem::path real = filesystem::weakly_canonical(typed, error);
  FoundLibrary found{error ? typed : absolute_path(real.string(), "/"), ""};
  for (const LibraryMount& mount : query.mounts) {
    if (mount.mountpoint == found.library) return {mount.library, mount.mountpoint};
  }
  for (const LibraryMount& mount : query.mounts) {
    if (mount.library == found.library) found.mountpoint = mount.mountpoint;
  }
  return found;
}

}  // namespace

std::vector<LibraryMount> library_mounts(const std::vector<MountedFs>& mounts) {
  std::vector<LibraryMount> found;
  for (const MountedFs& mount : mounts) {
    if (mount.type == kShoeboxMountType) found.push_back({mount.source, mount.mountpoint});
  }
  return found;
}

std::vector<LibraryMount> mounted_libraries() {
  const Result<std::vector<MountedFs>> mounts = mounted_file_systems();
  return mounts ? library_mounts(*mounts) : std::vector<LibraryMount>();
}

std::string absolute_path(const std::string& path, const std::string& working_directory) {
  const filesystem::path joined = filesystem::path(working_directory) / path;  // an absolute path wins
  std::string text = joined.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  // lexically_normal keeps the two slashes of a POSIX root name.
  while (text.size() > 1 && text[0] == '/' && text[1] == '/') text.erase(0, 1);
  return text;
}

Result<FoundLibrary> find_library(const LibraryQuery& query) {
  if (!query.option.empty()) return named(query, query.option);
  if (!query.environment.empty()) return named(query, query.environment);
  std::vector<std::string> places = query.paths;
  places.emplace_back(".");
  for (const std::string& place : places) {
    const std::string path = resolve_parent(absolute_path(place, query.working_directory));
    if (const auto mount = mount_of(path, query.mounts))
      return FoundLibrary{mount->library, mount->mountpoint};
  }
  for (filesystem::path folder(query.working_directory); folder.has_relative_path();
       folder = folder.parent_path()) {
    if (looks_like_library(folder.string())) return named(query, folder.string());
  }
  if (query.mounts.size() == 1) return FoundLibrary{query.mounts[0].library, query.mounts[0].mountpoint};
  if (query.mounts.empty()) {
    return Status(Code::kNotFound, "no library is mounted; name one with --library DIR");
  }
  std::string all;
  for (const LibraryMount& mount : query.mounts) {
    all += (all.empty() ? "" : ", ") + printable(mount.library);
  }
  return Status(Code::kInvalid,
                fmt::format("several libraries are mounted; name one with --library: {}", all));
}

Result<std::string> path_in_library(const FoundLibrary& found, const std::string& path,
                                    const std::string& working_directory) {
  if (path.empty()) return Status(Code::kInvalid, "an empty path names nothing");
  if (!found.mountpoint.empty()) {
    const std::string real = resolve_parent(absolute_path(path, working_directory));
    if (real == found.mountpoint) return std::string();
    if (lies_in(real, found.mountpoint)) {
      return real.substr(found.mountpoint == "/" ? 1 : found.mountpoint.size() + 1);
    }
    const bool inside = lies_in(resolve_parent(absolute_path("x", working_directory)), found.mountpoint);
    if (path.front() == '/' || inside) {
      return Status(Code::kInvalid, fmt::format("{} is not below the mount point {}", printable(path),
                                                printable(found.mountpoint)));
    }
  }
  const std::string whole = absolute_path(path, "/");
  const filesystem::path plain = filesystem::path(path).relative_path().lexically_normal();
  if (plain.begin() != plain.end() && *plain.begin() == "..") {
    return Status(Code::kInvalid, fmt::format("{} leads out of the library", printable(path)));
  }
  return whole.substr(1);
}

}  // namespace shoebox
