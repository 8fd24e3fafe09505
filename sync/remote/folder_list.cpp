// FolderRemote::list: the files of the tree in the order of their keys, a page at a time.
//
// The page token is the last key given. Each page asks only for the folders on the way to it and after.
#include <fmt/format.h>

#include <algorithm>

#include "sync/remote/checks.h"
#include "sync/remote/folder_remote.h"
#include "sync/remote/remote_marker.h"

namespace shoebox {
namespace {

constexpr size_t kPageObjects = 1000;  // as S3 does
constexpr int kMaxDepth = 512;         // a key of 1024 bytes has no more folders

}  // namespace

struct FolderRemote::Walk {
  const std::string& prefix;
  const std::string& after;
  const RequestContext& context;
  ListPage page;

  // Whether keys that start with `folder` ("a/b/") can be wanted.
  [[nodiscard]] bool wanted(const std::string& folder) const {
    const bool in_prefix = folder.starts_with(prefix) || prefix.starts_with(folder);
    const bool before = folder < after && !after.starts_with(folder);
    return in_prefix && !before;
  }
};

Result<ListPage> FolderRemote::list(const std::string& prefix, const std::string& next,
                                    const RequestContext& context) {
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_TRY(ready(context));
  // Nothing outside the folder that the prefix names has to be looked at.
  const size_t slash = prefix.rfind('/');
  const std::string start = slash == std::string::npos ? "" : prefix.substr(0, slash + 1);
  if (!start.empty()) SHOEBOX_TRY(check_key(prefix.substr(0, slash)));
  Walk walk{prefix, next, context, {}};
  SHOEBOX_TRY(walk_folder(walk, start, 0));
  return std::move(walk.page);
}

// `folder` is "" or ends with a slash.
Result<std::vector<FolderEntry>> FolderRemote::entries_for(const Walk& walk, const std::string& folder) {
  if (!walk.after.empty()) {
    const MutexLock lock(mutex_);
    if (kept_token_ == walk.after && kept_folder_ == folder) return kept_entries_;
  }
  const std::string path = folder.empty() ? "" : folder.substr(0, folder.size() - 1);
  auto entries = server_->entries(path, walk.context);
  if (entries.code() == Code::kNotFound) {
    // Removed since it was listed, or never there: nothing, if the marker says so.
    const Status confirmed = not_found(path, walk.context);
    if (confirmed.code() != Code::kNotFound) return confirmed;
    return std::vector<FolderEntry>();
  }
  if (!entries) return entries;
  std::vector<FolderEntry>& all = *entries;
  for (FolderEntry& entry : all) {
    if (entry.facts.is_folder) entry.name += '/';  // a folder sorts as its keys do: with the slash
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto same = [](const auto& a, const auto& b) { return a.name == b.name; };
  if (std::adjacent_find(all.begin(), all.end(), same) != all.end()) {
    return Status(Code::kUnavailable, what("list", folder) + ": the answer names something twice");
  }
  return entries;
}

Status FolderRemote::walk_folder(Walk& walk, const std::string& folder, int depth) {
  if (depth > kMaxDepth) return {Code::kInvalid, what("list", folder) + ": folders nest too deeply"};
  SHOEBOX_TRY(check_wanted(walk.context));
  SHOEBOX_ASSIGN(std::vector<FolderEntry> entries, entries_for(walk, folder));
  for (const FolderEntry& entry : entries) {
    if (!walk.page.next.empty()) return Status::ok();
    const std::string key = folder + entry.name;
    if (entry.facts.is_folder) {
      const std::string_view path(key.data(), key.size() - 1);
      if (!check_key(path) || is_reserved_key(path) || !walk.wanted(key)) continue;
      SHOEBOX_TRY(walk_folder(walk, key, depth + 1));
      continue;
    }
    if (!key.starts_with(walk.prefix) || key <= walk.after || is_reserved_key(key)) continue;
    if (!check_key(key)) {
      walk.page.skip(key);
      continue;
    }
    if (walk.page.objects.size() == kPageObjects) {
      walk.page.next = walk.page.objects.back().key;
      const MutexLock lock(mutex_);
      kept_token_ = walk.page.next;
      kept_folder_ = folder;
      kept_entries_ = std::move(entries);
      return Status::ok();
    }
    walk.page.objects.push_back({key, entry.facts.etag, entry.facts.size, entry.facts.modified_s});
  }
  return Status::ok();
}

}  // namespace shoebox
