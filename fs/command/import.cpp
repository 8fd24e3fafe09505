// shoebox import FOLDER: copies a folder into the library; with --move deletes what is backed up.
// Arguments {"folder", "into", "move": bool}; answer {"imported", "imported_bytes", "already_there",
// "known", "failed", "skipped", "moved", "list": [{"path", "what", "why"}], "list_is_cut"}: the list
// tells all that was not simply imported or there already.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "fs/command/file_report.h"
#include "fs/command/import_folder.h"
#include "fs/command/progress.h"
#include "fs/command/remote_json.h"
#include "fs/command/verb.h"
#include "store/library.h"
#include "store/remote_places.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

using nlohmann::json;

void tell(FileReport& report, const ImportSource& file, const ImportOutcome& outcome) {
  switch (outcome.verdict) {
    case ImportVerdict::kRenamed:
      report.list(file.path, "imported under another name", outcome.path);
      [[fallthrough]];
    case ImportVerdict::kImported:
      report.count("imported");
      report.count("imported_bytes", file.size);
      return;
    case ImportVerdict::kAlreadyThere: report.count("already_there"); return;
    case ImportVerdict::kKnown:
      report.count("known");
      report.list(file.path, "skipped", "the same photo is " + outcome.path);
      return;
    case ImportVerdict::kAdded:
      report.count("known");
      report.list(file.path, "known",
                  fmt::format("the same photo is {}, and is {} as well now", outcome.why, outcome.path));
      return;
    case ImportVerdict::kFailed:
      report.count("failed");
      report.list(file.path, "failed", outcome.why);
      return;
  }
}

struct Done {
  ImportSource file;
  ImportOutcome outcome;
};

// Waits for the backup and deletes what it confirmed. What waits longer is left for the next run.
Status move_sources(ServiceContext& context, FolderImport& import, const std::vector<Done>& done,
                    FileReport& report) {
  UploadProgress shown;
  const Status waited = context.sync.wait(context.cancel, [&](const std::vector<RemoteStatus>& remotes) {
    context.progress(shown.interim(remotes));
  });
  std::vector<ImportSource> moved;
  for (const Done& one : done) {
    if (context.cancel.cancelled()) return {Code::kCancelled, "interrupted; run again to go on"};
    const Status removed = import.remove_source(one.file, one.outcome);
    if (removed) {
      moved.push_back(one.file);
      report.count("moved");
    } else {
      const std::string why =
          waited ? removed.message() : fmt::format("{} ({})", removed.message(), waited.message());
      report.list(one.file.path, "source kept", why);
    }
  }
  import.remove_empty_folders(moved);
  return Status::ok();
}

// Why --move cannot work, before anything is copied.
Status may_move(ServiceContext& context) {
  const Settings& settings = context.library.settings();
  if (settings.remotes.size() < settings.copies) {
    return {Code::kInvalid,
            fmt::format("--move deletes only what is backed up on {}, and there {} {}; add a remote "
                        "or leave --move out",
                        counted(settings.copies, "remote"), settings.remotes.size() == 1 ? "is" : "are",
                        settings.remotes.size())};
  }
  SHOEBOX_ASSIGN(const std::vector<RemoteStatus> remotes, context.sync.status());
  for (const RemoteStatus& remote : remotes) {
    if (remote.paused)
      return {Code::kInvalid, "--move waits for the backup, which is paused: shoebox backup resume"};
  }
  return Status::ok();
}

std::vector<std::string> backup_folders(const Settings& settings) {
  std::vector<std::string> folders;
  for (const RemoteSettings& remote : settings.remotes) {
    if (remote.url.starts_with("file://")) folders.push_back(folder_of_url(remote.url));
  }
  return folders;
}

Result<json> import_service(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const std::vector<std::string> folder, names_argument(arguments, "folder"));
  SHOEBOX_ASSIGN(const std::vector<std::string> into, names_argument(arguments, "into"));
  SHOEBOX_ASSIGN(const bool move, flag_argument(arguments, "move"));
  if (folder.size() != 1 || !folder[0].starts_with("/")) return Status(Code::kInvalid, "name one FOLDER");
  if (into.size() > 1) return Status(Code::kInvalid, "--into takes one folder");
  if (context.library.read_only()) return Status(Code::kReadOnly, "the library is read-only");
  const std::string& own = context.mountpoint;
  for (const std::string& ours : {own, context.library.path()}) {
    if (!ours.empty() && (folder[0] == ours || folder[0].starts_with(ours + "/"))) {
      return Status(Code::kInvalid, fmt::format("{} is in the library already", printable(folder[0])));
    }
  }
  if (move) SHOEBOX_TRY(may_move(context));
  const std::vector<std::string> backups = backup_folders(context.library.settings());
  if (const std::string backup = move ? backup_around(folder[0], backups) : ""; !backup.empty()) {
    return Status(Code::kInvalid,
                  fmt::format("{} is a backup of Shoebox, which --move would delete; leave --move out",
                              printable(backup)));
  }
  std::vector<LeftOut> except = {{own, "the library itself"}, {context.library.path(), "the library itself"}};
  for (const std::string& backup : backups) {
    if (move) except.push_back({backup, "it is backed up to, --move would delete that"});
  }

  FileReport report(context,
                    {"imported", "imported_bytes", "already_there", "known", "failed", "skipped", "moved"});
  const auto skip = [&](const std::string& path, const std::string& why) {
    report.count("skipped");
    report.list(path, "skipped", why);
  };
  SHOEBOX_ASSIGN(const std::vector<ImportSource> files,
                 scan_source(folder[0], except, /*leave_backups=*/move, context.cancel, skip));
  uint64_t total_bytes = 0;
  for (const ImportSource& file : files) total_bytes += file.size;

  FolderImport import(context.library, folder[0], into.empty() ? "Library" : into[0]);
  std::vector<Done> done;
  uint64_t done_bytes = 0;
  uint64_t done_files = 0;
  const auto show = [&](uint64_t bytes) {
    context.progress(interim(
        bytes, total_bytes, fmt::format("{} of {} files, {}", done_files, files.size(), human_bytes(bytes))));
  };
  for (const ImportSource& file : files) {
    uint64_t within = 0;
    ImportOutcome outcome = import.import_file(file, context.cancel, [&](uint64_t bytes) {
      within += bytes;
      show(done_bytes + within);
    });
    if (context.cancel.cancelled()) return Status(Code::kCancelled, "interrupted; run again to go on");
    tell(report, file, outcome);
    ++done_files;
    done_bytes += file.size;
    show(done_bytes);
    if (move && outcome.verdict != ImportVerdict::kFailed) done.push_back({file, std::move(outcome)});
  }
  if (move) SHOEBOX_TRY(move_sources(context, import, done, report));
  return report.result();
}

void print_import(const json& result, const json& arguments) {
  const auto count = [&](const char* key) { return result.value(key, uint64_t{0}); };
  std::string line = fmt::format("{} imported ({})", counted(count("imported"), "file"),
                                 human_bytes(count("imported_bytes")));
  if (count("already_there") > 0) line += fmt::format(", {} already there", count("already_there"));
  if (count("known") > 0) line += fmt::format(", {} known under another name", count("known"));
  if (count("skipped") > 0) line += fmt::format(", {} skipped", count("skipped"));
  if (count("failed") > 0) line += fmt::format(", {} failed", count("failed"));
  if (arguments.value("move", false)) line += fmt::format(", {} deleted at the source", count("moved"));
  say(line);
}

}  // namespace

Verb import_verb() {
  Verb verb;
  verb.name = "import";
  verb.summary = "copy a folder into the library; run it again to go on where it stopped";
  verb.examples =
      "  shoebox import ~/Pictures                         to Library/, same paths below it\n"
      "  shoebox import /media/card/DCIM --into Library/2024/Iceland\n"
      "  shoebox import /media/card/DCIM --move            delete from the card what is backed up\n";
  verb.options = {
      {"FOLDER", "folder", OptionSpec::Kind::kLocalPath, "FOLDER", "a folder of this machine", true},
      {"--into", "into", OptionSpec::Kind::kLibraryPath, "PATH", "folder of the drive (default: Library)"},
      {"--move", "move", OptionSpec::Kind::kFlag, "", "delete each source once it is backed up"},
  };
  verb.service = import_service;
  verb.needs_background = true;
  verb.print = print_import;
  verb.exit_code = [](const json& result) { return result.value("failed", uint64_t{0}) > 0 ? 1 : 0; };
  return verb;
}

}  // namespace shoebox
