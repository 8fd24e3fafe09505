// Arguments of a service, read as the untrusted input that they are, and what paths among them name.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "store/base/cancel.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/tree/tree.h"

namespace shoebox {

class Library;

// Absent is the default; of another type is kInvalid.
Result<bool> flag_argument(const nlohmann::json& arguments, const char* key);
Result<std::optional<std::string>> text_argument(const nlohmann::json& arguments, const char* key);
Result<std::optional<int64_t>> number_argument(const nlohmann::json& arguments, const char* key);
// Paths and names, unescaped (escape.h). A single text counts as a list of one.
Result<std::vector<std::string>> names_argument(const nlohmann::json& arguments, const char* key);

// A regular file with bytes, found below a path that was named.
struct FoundFile {
  std::string path;  // below the mount point
  InodeNo inode;
  ContentNo content;
  uint64_t size = 0;
};

// Resolves each path and walks folders, without following symlinks. A content that several names
// show comes once. kNotFound names the path; kCancelled when `cancel` was raised.
Result<std::vector<FoundFile>> files_below(Library& library, const std::vector<std::string>& paths,
                                           const CancelToken& cancel);
// The entry at a path below the mount point; the message names the path.
Result<Entry> entry_at(Library& library, const std::string& path);

// Brings every block of a content to this disk, some at a time so that each fetch meets its
// deadline. Blocks; never call it from a FUSE worker. Ok at once when all is there.
Status fetch_whole(Library& library, ContentNo content, uint64_t size, const CancelToken& cancel);

}  // namespace shoebox
