// shoebox versions, restore: older bytes of a photo, and bringing them back.
// versions: {"path"}; answer {"path", "versions": [{"version", "current", "trashed", "at", "bytes",
// "local", "remotes": [...]}]}, the present bytes first.
// restore: {"path": "PATH" or "PATH@VERSION"}; answer {"path", "version", "from_trash"}.
#include "store/versions.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/verb.h"
#include "store/catalog/catalog.h"
#include "store/library.h"

namespace shoebox {
namespace {

using nlohmann::json;

json json_of(const FileVersion& version, bool trashed) {
  return {{"version", version.content.value},
          {"current", version.current && !trashed},
          {"trashed", trashed},
          {"at", version.time_s},
          {"bytes", version.size},
          {"local", version.local},
          {"remotes", version.remotes}};
}

// What lies in Trash that once stood at `path`, latest first.
Result<std::vector<Tree::TrashEntry>> trashed_at(Library& library, const std::string& path) {
  SHOEBOX_ASSIGN(std::vector<Tree::TrashEntry> entries, library.tree().trash_list());
  std::erase_if(entries, [&](const Tree::TrashEntry& entry) {
    return entry.record.path != path && "Trash/" + entry.name != path;
  });
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.record.trashed_s > b.record.trashed_s; });
  return entries;
}

Result<json> versions(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const std::vector<std::string> paths, names_argument(arguments, "path"));
  if (paths.size() != 1) return Status(Code::kInvalid, "name one PATH");
  Library& library = context.library;
  json list = json::array();
  const auto entry = entry_at(library, paths[0]);
  if (!entry && entry.code() != Code::kNotFound) return entry.status();
  if (entry) {
    if (S_ISDIR(entry->inode.mode)) {
      return Status(Code::kInvalid, fmt::format("{}: is a folder; name a file", printable(paths[0])));
    }
    SHOEBOX_ASSIGN(const std::vector<FileVersion> found, versions_of(library.catalog(), entry->number));
    for (const FileVersion& version : found) list.push_back(json_of(version, false));
  }
  SHOEBOX_ASSIGN(const std::vector<Tree::TrashEntry> trashed, trashed_at(library, paths[0]));
  for (const Tree::TrashEntry& one : trashed) {
    if (entry && one.inode == entry->number) continue;
    SHOEBOX_ASSIGN(const std::vector<FileVersion> found, versions_of(library.catalog(), one.inode));
    for (FileVersion version : found) {
      if (version.current) version.time_s = one.record.trashed_s;
      list.push_back(json_of(version, true));
    }
  }
  if (list.empty() && !entry) return entry.status();
  return json{{"path", escape_name(paths[0])}, {"versions", list}};
}

// "Library/a.jpg@12" -> 12. A file that is really called so comes first.
ContentNo split_version(Library& library, std::string& path) {
  if (entry_at(library, path)) return {};
  const size_t at = path.rfind('@');
  uint64_t number = 0;
  if (at == std::string::npos) return {};
  const auto read = std::from_chars(path.data() + at + 1, path.data() + path.size(), number);
  if (read.ec != std::errc() || read.ptr != path.data() + path.size() || number == 0) return {};
  path.resize(at);
  return ContentNo(number);
}

json answer(const std::string& path, ContentNo version, bool from_trash) {
  return {{"path", escape_name(path)}, {"version", version.value}, {"from_trash", from_trash}};
}

// Brings back what of `entries` has the bytes `wanted` (none: the latest).
Result<json> restore_from_trash(ServiceContext& context, const std::string& path,
                                const std::vector<Tree::TrashEntry>& entries, ContentNo wanted) {
  for (const Tree::TrashEntry& entry : entries) {
    SHOEBOX_ASSIGN(const InodeRecord inode, context.library.tree().getattr(entry.inode));
    if (wanted && inode.content != wanted) continue;
    SHOEBOX_TRY(
        context.library.tree().trash_restore(entry.inode, Caller::command()).with_context(printable(path)));
    context.library.catalog().wait_for_observers();
    return answer(path, inode.content, true);
  }
  return Status(Code::kNotFound, wanted ? fmt::format("{}: has no version {}, here or in Trash; shoebox "
                                                      "versions tells which there are",
                                                      printable(path), wanted.value)
                                        : fmt::format("{}: neither there nor in Trash", printable(path)));
}

Result<json> restore_path(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const std::vector<std::string> paths, names_argument(arguments, "path"));
  if (paths.size() != 1) return Status(Code::kInvalid, "name one PATH");
  Library& library = context.library;
  if (library.read_only()) return Status(Code::kReadOnly, "the library is read-only");
  std::string path = paths[0];
  ContentNo wanted = split_version(library, path);
  SHOEBOX_ASSIGN(const std::vector<Tree::TrashEntry> trashed, trashed_at(library, path));
  const auto entry = entry_at(library, path);
  if (!entry && entry.code() != Code::kNotFound) return entry.status();
  if (!entry || path.starts_with("Trash/")) return restore_from_trash(context, path, trashed, wanted);

  SHOEBOX_ASSIGN(const std::vector<FileVersion> found, versions_of(library.catalog(), entry->number));
  if (!wanted) {
    const auto latest = std::find_if(found.begin(), found.end(), [](const auto& v) { return !v.current; });
    if (latest == found.end()) {
      return Status(Code::kNotFound, fmt::format("{}: has no older version", printable(path)));
    }
    wanted = latest->content;
  }
  const auto version =
      std::find_if(found.begin(), found.end(), [&](const auto& v) { return v.content == wanted; });
  if (version == found.end()) return restore_from_trash(context, path, trashed, wanted);
  // Evicted bytes come first: the photo is looked at anew, and a remote that is away is known now.
  SHOEBOX_TRY(fetch_whole(library, wanted, version->size, context.cancel).with_context(printable(path)));
  SHOEBOX_TRY(restore_version(library, entry->number, wanted).with_context(printable(path)));
  library.catalog().wait_for_observers();
  return answer(path, wanted, false);
}

void print_versions(const json& result, const json&) {
  const std::string path = result.value("path", "");
  for (const json& one : result.at("versions")) {
    std::string where = one.value("local", false) ? "this disk" : "";
    for (const json& remote : one.at("remotes")) {
      where += fmt::format("{}{}", where.empty() ? "" : ", ", remote.get<std::string>());
    }
    const char* state = one.value("trashed", false)   ? "in Trash since"
                        : one.value("current", false) ? "present, of"
                                                      : "replaced on";
    say(fmt::format("{}@{}  {} {}  {:>10}  on {}", path, one.value("version", uint64_t{0}), state,
                    local_time(one.value("at", int64_t{0})), human_bytes(one.value("bytes", uint64_t{0})),
                    where.empty() ? "nothing" : where));
  }
}

}  // namespace

std::vector<Verb> version_verbs() {
  Verb versions_verb;
  versions_verb.name = "versions";
  versions_verb.summary = "older bytes of a photo that are still kept, and where they are";
  versions_verb.examples =
      "  shoebox versions Library/2023/07/IMG_1.jpg\n"
      "  shoebox versions --json Albums/Trip/IMG_1.jpg | jq .versions[].version\n";
  versions_verb.options = {{"PATH", "path", OptionSpec::Kind::kLibraryPath, "PATH",
                            "a photo of the drive, or a path it had", true}};
  versions_verb.service = versions;
  versions_verb.print = print_versions;

  Verb restore_verb;
  restore_verb.name = "restore";
  restore_verb.summary = "bring back an older version of a photo, or what was removed from a path";
  restore_verb.examples =
      "  shoebox restore Library/2023/07/IMG_1.jpg       the bytes before the last change\n"
      "  shoebox restore Library/2023/07/IMG_1.jpg@12    those that shoebox versions calls so\n"
      "  shoebox restore Library/gone.jpg                out of Trash\n";
  restore_verb.options = {{"PATH", "path", OptionSpec::Kind::kLibraryPath, "PATH[@VERSION]",
                           "a photo of the drive, or the path of what lies in Trash", true}};
  restore_verb.service = restore_path;
  restore_verb.needs_background = true;
  restore_verb.print = [](const json& result, const json&) {
    say(fmt::format("{} is version {}{}", result.value("path", ""), result.value("version", uint64_t{0}),
                    result.value("from_trash", false) ? ", out of Trash" : " again"));
  };
  return {versions_verb, restore_verb};
}

}  // namespace shoebox
