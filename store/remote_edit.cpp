#include "store/remote_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

std::string meta_of(std::string_view name) { return fmt::format("remote_let_go/{}", name); }

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
    line.remove_suffix(1);
  }
  return line;
}

bool is_remote_header(std::string_view line) {
  if (!line.starts_with("[[")) return false;
  const size_t end = line.find("]]");
  return end != std::string_view::npos && trimmed(line.substr(2, end - 2)) == "remote";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    lines.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return lines;
}

// One original is read back from `names` alone; gives the first of them that has it.
Result<std::string> only_holder(const CatalogReader& reader, const std::vector<RemoteSettings>& remotes,
                                const std::vector<std::string>& names, ContentNo number,
                                const ContentRecord& record) {
  if (record.residence == Residence::kLocal) return std::string();
  SHOEBOX_ASSIGN(const auto copies, reader.copies(number));
  std::string there;
  for (const auto& [remote, copy] : copies) {
    const std::string& remote_name = remote;  // a lambda cannot hold a binding
    if (std::find(names.begin(), names.end(), remote) != names.end()) {
      if (there.empty()) there = remote;
      continue;
    }
    const bool in_settings =
        std::any_of(remotes.begin(), remotes.end(), [&](const auto& r) { return r.name == remote_name; });
    SHOEBOX_ASSIGN(const bool let_go, remote_is_let_go(reader, remote));
    if (in_settings && !let_go && copy.size == record.size) return std::string();
  }
  return there;
}

}  // namespace

// The section ends behind its last key: comments before the next header are that one's.
Result<std::string> without_remote(const std::string& text, const std::string& name) {
  SHOEBOX_ASSIGN(const Settings before, Settings::parse(text, "shoebox.toml"));
  const auto named = [&](const RemoteSettings& remote) { return remote.name == name; };
  if (std::none_of(before.remotes.begin(), before.remotes.end(), named)) {
    return Status(Code::kNotFound, fmt::format("no remote is called \"{}\"", name));
  }
  const std::vector<std::string> lines = lines_of(text);
  for (size_t begin = 0; begin < lines.size(); ++begin) {
    if (!is_remote_header(trimmed(lines[begin]))) continue;
    size_t end = begin + 1;
    for (size_t i = begin + 1; i < lines.size() && !trimmed(lines[i]).starts_with('['); ++i) {
      const std::string_view line = trimmed(std::string_view(lines[i]).substr(0, lines[i].find('\n')));
      if (!line.empty() && !line.starts_with('#')) end = i + 1;
    }
    size_t from = begin;
    if (from > 0 && trimmed(std::string_view(lines[from - 1]).substr(0, lines[from - 1].find('\n'))).empty())
      --from;
    std::string rest;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (i < from || i >= end) rest += lines[i];
    }
    // Parsed again: whatever this reading of lines overlooked, exactly one remote is gone or nothing is.
    const auto after = Settings::parse(rest, "shoebox.toml");
    if (after && after->remotes.size() + 1 == before.remotes.size() &&
        std::none_of(after->remotes.begin(), after->remotes.end(), named)) {
      return rest;
    }
  }
  return Status(
      Code::kNotSupported,
      fmt::format(
          "the section of remote \"{}\" is written in a way that is not understood; take it out by hand",
          name));
}

Status let_go_of_remote(Catalog& catalog, const std::vector<RemoteSettings>& remotes,
                        const std::string& name) {
  return let_go_of_remotes(catalog, remotes, {name});
}

Status let_go_of_remotes(Catalog& catalog, const std::vector<RemoteSettings>& remotes,
                         const std::vector<std::string>& names) {
  // Under the writer lock from the look to the mark: nothing is evicted in between.
  const std::unique_ptr<Transaction> txn = catalog.begin();
  uint64_t only = 0;
  std::string name;  // of the first that holds the only copy of something
  Status failed;
  SHOEBOX_TRY(txn->for_each_content([&](ContentNo number, const ContentRecord& record) {
    const auto holder = only_holder(*txn, remotes, names, number, record);
    if (!holder) failed = holder.status();
    if (holder && !holder->empty()) {
      ++only;
      if (name.empty()) name = *holder;
    }
    return holder.is_ok();
  }));
  SHOEBOX_TRY(failed);
  if (only > 0) {
    return {Code::kBusy,
            fmt::format(
                "remote {} holds the only copy of {} original{}: fetch them first (shoebox pin Library), or "
                "add another remote and wait for its backup (shoebox backup wait)",
                name, only, only == 1 ? "" : "s")};
  }
  for (const std::string& one : names) txn->put_meta(meta_of(one), "1");
  SHOEBOX_TRY(txn->commit());
  return catalog.sync();
}

Status take_remote_back(Catalog& catalog, const std::string& name) {
  SHOEBOX_ASSIGN(const bool let_go, remote_is_let_go(catalog, name));
  if (!let_go) return Status::ok();
  const std::unique_ptr<Transaction> txn = catalog.begin();
  txn->put_meta(meta_of(name), "0");
  // Whatever stood there may be gone since: nothing there counts before it was looked at.
  txn->put_meta(fmt::format("remote/{}", name), "");
  return txn->commit();
}

Result<bool> remote_is_let_go(const CatalogReader& reader, std::string_view name) {
  SHOEBOX_ASSIGN(const std::optional<std::string> value, reader.meta(meta_of(name)));
  return value == "1";
}

}  // namespace shoebox
