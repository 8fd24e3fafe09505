// shoebox trash list|restore|empty|allow.
// list: no arguments; answer {"entries": [{"name", "from", "trashed_at", "bytes"}]}.
// restore: {"names": [...]} or {"all": true}; answer {"restored", "failed": [{"name", "why"}]}.
// empty: {"older": "7d"} or {"all": true}; answer {"removed"}.
// allow: no arguments; answer {}.
#include <fmt/format.h>

#include <algorithm>
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

Status writable(const ServiceContext& context) {
  if (!context.library.read_only()) return Status::ok();
  return {Code::kReadOnly, "the library is read-only"};
}

Result<json> list_trash(ServiceContext& context, const json&) {
  SHOEBOX_ASSIGN(const std::vector<Tree::TrashEntry> entries, context.library.tree().trash_list());
  json out = json::array();
  for (const Tree::TrashEntry& entry : entries) {
    out.push_back({{"name", escape_name(entry.name)},
                   {"from", escape_name(entry.record.path)},
                   {"trashed_at", entry.record.trashed_s},
                   {"bytes", entry.size}});
  }
  return json{{"entries", out}};
}

// By its name in Trash, by its path there or where it came from (below the mount point or whole), or
// as list prints it.
bool is_called(const Tree::TrashEntry& entry, const std::string& mountpoint, std::string_view name) {
  if (!mountpoint.empty() && name.starts_with(mountpoint + "/")) name.remove_prefix(mountpoint.size() + 1);
  return name == entry.name || name == "Trash/" + entry.name || name == entry.record.path ||
         name == escape_name(entry.name) || name == escape_name(entry.record.path);
}

// A photo brings its sidecars along, which may have been named as well.
bool is_back(const Catalog& catalog, InodeNo inode) {
  const auto file = catalog.inode(inode);
  const auto trashed = catalog.trash(inode);
  return file && *file && trashed && !*trashed;
}

Result<json> restore_named(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const std::vector<std::string> names, names_argument(arguments, "names"));
  SHOEBOX_ASSIGN(const bool all, flag_argument(arguments, "all"));
  if (names.empty() != all) return Status(Code::kInvalid, "say what to restore: NAME or --all");
  SHOEBOX_TRY(writable(context));
  SHOEBOX_ASSIGN(std::vector<Tree::TrashEntry> entries, context.library.tree().trash_list());
  json failed = json::array();
  for (const std::string& name : names) {
    if (std::any_of(entries.begin(), entries.end(),
                    [&](const auto& entry) { return is_called(entry, context.mountpoint, name); }))
      continue;
    failed.push_back({{"name", escape_name(name)}, {"why", "nothing of that name is in Trash"}});
  }
  if (!all) {
    std::erase_if(entries, [&](const Tree::TrashEntry& entry) {
      return std::none_of(names.begin(), names.end(), [&](const std::string& name) {
        return is_called(entry, context.mountpoint, name);
      });
    });
    // The same path may have been trashed again and again: its last bytes are what is meant.
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.record.trashed_s > b.record.trashed_s; });
  }
  uint64_t restored = 0;
  std::vector<std::string> taken;
  for (const Tree::TrashEntry& entry : entries) {
    const bool by_origin = std::find(names.begin(), names.end(), entry.record.path) != names.end() &&
                           std::find(names.begin(), names.end(), entry.name) == names.end();
    if (by_origin && std::find(taken.begin(), taken.end(), entry.record.path) != taken.end()) continue;
    taken.push_back(entry.record.path);
    const Status status = context.library.tree().trash_restore(entry.inode, Caller::command());
    if (status || is_back(context.library.catalog(), entry.inode)) {
      ++restored;
    } else {
      failed.push_back({{"name", escape_name(entry.name)}, {"why", printable(status.message())}});
    }
  }
  context.library.catalog().wait_for_observers();
  return json{{"restored", restored}, {"failed", failed}};
}

Result<json> empty(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const std::optional<std::string> older, text_argument(arguments, "older"));
  SHOEBOX_ASSIGN(const bool all, flag_argument(arguments, "all"));
  if (older.has_value() == all)
    return Status(Code::kInvalid, "say what to remove for good: --all or --older AGE");
  SHOEBOX_TRY(writable(context));
  int64_t older_than_s = 0;
  if (older) {
    SHOEBOX_ASSIGN(older_than_s, parse_duration_s(*older));
    // 0 means all to trash_empty(): nothing is younger than that anyway.
    older_than_s = std::max<int64_t>(older_than_s, 1);
  }
  SHOEBOX_ASSIGN(const uint64_t removed, context.library.tree().trash_empty(older_than_s));
  return json{{"removed", removed}};
}

Result<json> allow(ServiceContext& context, const json&) {
  SHOEBOX_TRY(writable(context));
  SHOEBOX_TRY(context.library.tree().trash_allow());
  return json::object();
}

void print_list(const json& result, const json&) {
  for (const json& entry : result.at("entries")) {
    say(fmt::format("{}  {:>10}  {}  (from {})", local_time(entry.value("trashed_at", int64_t{0})),
                    human_bytes(entry.value("bytes", uint64_t{0})), entry.value("name", ""),
                    entry.value("from", "")));
  }
}

void print_restored(const json& result, const json&) {
  say(fmt::format("{} restored", counted(result.value("restored", uint64_t{0}), "file")));
  for (const json& one : result.at("failed")) {
    complain(fmt::format("{}: {}", one.value("name", ""), one.value("why", "")));
  }
}

}  // namespace

std::vector<Verb> trash_verbs() {
  Verb list_verb;
  list_verb.name = "trash list";
  list_verb.summary = "what is in Trash, since when, and where it came from";
  list_verb.examples = "  shoebox trash list\n";
  list_verb.service = list_trash;
  list_verb.print = print_list;

  Verb restore_verb;
  restore_verb.name = "trash restore";
  restore_verb.summary = "put back what was removed, with its albums and people";
  restore_verb.examples =
      "  shoebox trash restore IMG_1.jpg                    by its name in Trash\n"
      "  shoebox trash restore Library/2023/07/IMG_1.jpg    by where it came from\n"
      "  shoebox trash restore --all\n";
  restore_verb.options = {
      {"NAME", "names", OptionSpec::Kind::kName, "NAME", "a name in Trash, or the path it had", false, true},
      {"--all", "all", OptionSpec::Kind::kFlag, "", "everything in Trash"}};
  restore_verb.service = restore_named;
  restore_verb.print = print_restored;
  restore_verb.exit_code = [](const json& result) { return result.at("failed").empty() ? 0 : 1; };

  Verb empty_verb;
  empty_verb.name = "trash empty";
  empty_verb.summary = "remove for good what is in Trash";
  empty_verb.examples =
      "  shoebox trash empty --older 7d\n"
      "  shoebox trash empty --all\n";
  empty_verb.options = {
      {"--older", "older", OptionSpec::Kind::kText, "AGE", "what was trashed longer ago than AGE: 7d"},
      {"--all", "all", OptionSpec::Kind::kFlag, "", "everything"}};
  empty_verb.service = empty;
  empty_verb.print = [](const json& result, const json&) {
    say(fmt::format("{} removed for good", counted(result.value("removed", uint64_t{0}), "file")));
  };

  Verb allow_verb;
  allow_verb.name = "trash allow";
  allow_verb.summary = "let a large deletion go on for 10 minutes that the breaker stopped";
  allow_verb.examples = "  shoebox trash allow && rm -r ~/Photos/Library/2009\n";
  allow_verb.service = allow;
  allow_verb.print = [](const json&, const json&) { say("deleting is allowed for 10 minutes"); };
  return {list_verb, restore_verb, empty_verb, allow_verb};
}

}  // namespace shoebox
