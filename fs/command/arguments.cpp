#include "fs/command/arguments.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "fs/command/escape.h"
#include "store/content/content_source.h"
#include "store/content/content_store.h"
#include "store/library.h"

namespace shoebox {
namespace {

using nlohmann::json;

Status wrong_type(const char* key, const char* wanted) {
  return {Code::kInvalid, fmt::format("argument \"{}\" must be {}", key, wanted)};
}

Result<std::string> clean_name(const std::string& escaped) {
  SHOEBOX_ASSIGN(std::string name, unescape_name(escaped));
  if (name.find('\0') != std::string::npos) return Status(Code::kInvalid, "a name cannot hold a NUL byte");
  return name;
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

}  // namespace

Result<bool> flag_argument(const json& arguments, const char* key) {
  const auto it = arguments.find(key);
  if (it == arguments.end()) return false;
  if (!it->is_boolean()) return wrong_type(key, "true or false");
  return it->get<bool>();
}

Result<std::optional<std::string>> text_argument(const json& arguments, const char* key) {
  const auto it = arguments.find(key);
  if (it == arguments.end()) return std::optional<std::string>();
  if (!it->is_string()) return wrong_type(key, "a text");
  SHOEBOX_ASSIGN(std::string text, clean_name(it->get<std::string>()));
  return std::optional(std::move(text));
}

Result<std::optional<int64_t>> number_argument(const json& arguments, const char* key) {
  const auto it = arguments.find(key);
  if (it == arguments.end()) return std::optional<int64_t>();
  if (!it->is_number_integer()) return wrong_type(key, "a whole number");
  return std::optional(it->get<int64_t>());
}

Result<std::vector<std::string>> names_argument(const json& arguments, const char* key) {
  const auto it = arguments.find(key);
  std::vector<std::string> names;
  if (it == arguments.end()) return names;
  const json list = it->is_string() ? json::array({*it}) : *it;
  if (!list.is_array()) return wrong_type(key, "a list of texts");
  for (const json& element : list) {
    if (!element.is_string()) return wrong_type(key, "a list of texts");
    SHOEBOX_ASSIGN(std::string name, clean_name(element.get<std::string>()));
    names.push_back(std::move(name));
  }
  return names;
}

Result<Entry> entry_at(Library& library, const std::string& path) {
  if (path.empty()) {
    SHOEBOX_ASSIGN(InodeRecord root, library.tree().getattr(kRootInode));
    return Entry{kRootInode, std::move(root)};
  }
  Result<Entry> entry = library.tree().resolve(path);
  if (!entry && entry.code() == Code::kNotFound) {
    return Status(Code::kNotFound, fmt::format("{}: no such file or folder", printable(path)));
  }
  if (!entry) return entry.status().with_context(printable(path));
  return entry;
}

Result<std::vector<FoundFile>> files_below(Library& library, const std::vector<std::string>& paths,
                                           const CancelToken& cancel) {
  std::vector<FoundFile> files;
  std::set<ContentNo> seen;
  struct Open {
    std::string path;
    InodeNo inode;
  };
  std::vector<Open> folders;
  const auto take = [&](const std::string& path, InodeNo number, const InodeRecord& inode) {
    if (S_ISDIR(inode.mode)) {
      folders.push_back({path, number});
    } else if (S_ISREG(inode.mode) && inode.content && seen.insert(inode.content).second) {
      files.push_back({path, number, inode.content, inode.size});
    }
  };
  for (const std::string& path : paths) {
    SHOEBOX_ASSIGN(const Entry entry, entry_at(library, path));
    take(path, entry.number, entry.inode);
    while (!folders.empty()) {
      if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
      const Open folder = folders.back();
      folders.pop_back();
      std::vector<DirEntry> entries;
      SHOEBOX_TRY(library.tree().readdir(folder.inode, "", [&](const DirEntry& entry_in) {
        entries.push_back(entry_in);
        return true;
      }));
      for (const DirEntry& one : entries) {
        const Result<InodeRecord> inode = library.tree().getattr(one.dentry.inode);
        // Deleted since it was listed: not ours to complain about.
        if (!inode && inode.code() == Code::kNotFound) continue;
        if (!inode) return inode.status();
        take(joined(folder.path, one.name), one.dentry.inode, *inode);
      }
    }
  }
  return files;
}

Status fetch_whole(Library& library, ContentNo content, uint64_t size, const CancelToken& cancel) {
  for (uint64_t at = 0; at < size; at += kFetchPieceBytes) {
    if (cancel.cancelled()) return {Code::kCancelled, "interrupted"};
    const ByteRange window{at, std::min(size, at + kFetchPieceBytes)};
    const Result<std::vector<ByteRange>> gaps = library.contents().missing(content, window);
    // Adopted bytes that turned out to be known ones gave way to those.
    if (gaps.code() == Code::kNotFound && at > 0) return Status::ok();
    if (!gaps) return gaps.status();
    for (const ByteRange& gap : *gaps) {
      if (library.source() == nullptr) {
        return {Code::kUnavailable, "it is on a remote only, and no remote is at hand"};
      }
      SHOEBOX_TRY(fetch_and_wait(*library.source(), content, gap, cancel));
    }
  }
  // A run before this one may have ended between the last block of a large one and that.
  const Status completed = library.contents().complete(content);
  return completed.code() == Code::kNotFound ? Status::ok() : completed;
}

}  // namespace shoebox
