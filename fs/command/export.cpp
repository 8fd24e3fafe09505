// shoebox export DEST: plain folders with everything, so that leaving costs one command.
// Arguments {"destination", "view": [names], "with_sidecars": bool}; answer {"copied", "copied_bytes",
// "linked", "already_there", "sidecars", "damaged", "failed", "skipped", "list", "list_is_cut"}.
#include <fmt/format.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "fs/command/export_folder.h"
#include "fs/command/file_report.h"
#include "fs/command/progress.h"
#include "fs/command/verb.h"
#include "store/base/file_io.h"
#include "store/library.h"

namespace shoebox {
namespace {

using nlohmann::json;

Status check_destination(const ServiceContext& context, const std::string& destination) {
  for (const std::string& ours : {context.mountpoint, context.library.path()}) {
    if (!ours.empty() && (destination == ours || destination.starts_with(ours + "/")))
      return {Code::kInvalid,
              fmt::format("{} is in the library itself; name another folder", printable(destination))};
  }
  struct stat st {};
  if (::stat(destination.c_str(), &st) == 0) {
    if (S_ISDIR(st.st_mode)) return Status::ok();
    return {Code::kNotDirectory, fmt::format("{}: is not a folder", printable(destination))};
  }
  return make_dir(destination, 0755).with_context(printable(destination));
}

// Folders of the drive to export: those named, else Library.
Result<std::vector<std::string>> wanted_folders(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(std::vector<std::string> views, names_argument(arguments, "view"));
  if (views.empty()) views.emplace_back("Library");
  for (const std::string& view : views) {
    const Result<Entry> entry = context.library.tree().lookup(kRootInode, view);
    if (entry && S_ISDIR(entry->inode.mode)) continue;
    return Status(Code::kNotFound,
                  fmt::format("--view {}: no such folder of the drive; Library, Albums, Dates "
                              "and People are some",
                              printable(view)));
  }
  return views;
}

Result<json> export_service(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const std::vector<std::string> destination, names_argument(arguments, "destination"));
  SHOEBOX_ASSIGN(const bool sidecars, flag_argument(arguments, "with_sidecars"));
  if (destination.size() != 1 || !destination[0].starts_with("/"))
    return Status(Code::kInvalid, "name one DEST");
  SHOEBOX_ASSIGN(const std::vector<std::string> folders, wanted_folders(context, arguments));
  SHOEBOX_TRY(check_destination(context, destination[0]));

  FileReport report(context, {"copied", "copied_bytes", "linked", "already_there", "sidecars", "damaged",
                              "failed", "skipped"});
  FolderExport exporter(context.library, destination[0]);
  std::vector<ExportItem> items;
  for (const std::string& folder : folders) {
    SHOEBOX_ASSIGN(const std::vector<ExportItem> below, exporter.list(folder, context.cancel));
    items.insert(items.end(), below.begin(), below.end());
  }
  uint64_t total_bytes = 0, done_bytes = 0, done_files = 0;
  for (const ExportItem& item : items) total_bytes += item.record.size;
  const auto show = [&](uint64_t bytes) {
    context.progress(interim(bytes, total_bytes,
                             fmt::format("{} of {}, {}", done_files, items.size(), human_bytes(bytes))));
  };
  for (const ExportItem& item : items) {
    uint64_t within = 0;
    const Result<ExportVerdict> done = exporter.export_item(item, context.cancel, [&](uint64_t bytes) {
      within += bytes;
      show(done_bytes + within);
    });
    if (context.cancel.cancelled()) return Status(Code::kCancelled, "interrupted; run again to go on");
    if (done.code() == Code::kNoSpace) {
      return Status(
          Code::kNoSpace,
          fmt::format("{}: {}; {} of {} are there, make room and run again to go on",
                      printable(destination[0]), done.status().message(), done_files, items.size()));
    }
    ++done_files;
    done_bytes += item.record.size;
    if (done) {
      const bool counts = !S_ISDIR(item.record.mode);
      if (*done == ExportVerdict::kDamaged) {
        report.count("damaged");
        report.list(item.path, "damaged",
                    "it was copied as it is on this disk, which is not as it was written; look at it");
      } else if (counts && *done == ExportVerdict::kCopied) {
        report.count("copied");
        report.count("copied_bytes", item.record.size);
      } else if (counts) {
        report.count(*done == ExportVerdict::kLinked ? "linked" : "already_there");
      }
      const Result<bool> told = sidecars ? exporter.export_sidecar(item) : Result<bool>(false);
      if (told && *told) report.count("sidecars");
      if (!told) {
        report.count("failed");
        report.list(item.path, "sidecar failed", told.status().message());
      }
    } else if (done.code() == Code::kNotSupported) {
      report.count("skipped");
      report.list(item.path, "skipped", done.status().message());
    } else {
      report.count("failed");
      report.list(item.path, "failed", done.status().message());
    }
    show(done_bytes);
  }
  SHOEBOX_TRY(exporter.finish());
  return report.result();
}

void print_export(const json& result, const json& arguments) {
  const auto count = [&](const char* key) { return result.value(key, uint64_t{0}); };
  std::string line = fmt::format("{} exported ({}), read back and compared", counted(count("copied"), "file"),
                                 human_bytes(count("copied_bytes")));
  if (count("linked") > 0) line += fmt::format(", {} further names", count("linked"));
  if (count("already_there") > 0) line += fmt::format(", {} already there", count("already_there"));
  if (arguments.value("with_sidecars", false))
    line += fmt::format(", {}", counted(count("sidecars"), "sidecar"));
  if (count("damaged") > 0) line += fmt::format(", {} damaged", count("damaged"));
  if (count("skipped") > 0) line += fmt::format(", {} skipped", count("skipped"));
  if (count("failed") > 0) line += fmt::format(", {} failed", count("failed"));
  say(line);
}

}  // namespace

Verb export_verb() {
  Verb verb;
  verb.name = "export";
  verb.summary = "copy everything out to plain folders; run it again to go on where it stopped";
  verb.examples =
      "  shoebox export /media/disk/photos                    Library, as it stands\n"
      "  shoebox export /media/disk/photos --view Albums --view Dates --with-sidecars\n";
  verb.options = {
      {"DEST", "destination", OptionSpec::Kind::kLocalPath, "DEST", "a folder of this machine", true},
      {"--view", "view", OptionSpec::Kind::kText, "NAME",
       "folder of the drive (default: Library); may be given several times", false, true},
      {"--with-sidecars", "with_sidecars", OptionSpec::Kind::kFlag, "",
       "write what you said about a photo beside it, as XMP"},
  };
  verb.service = export_service;
  verb.print = print_export;
  verb.exit_code = [](const json& result) {
    return result.value("failed", uint64_t{0}) + result.value("damaged", uint64_t{0}) > 0 ? 1 : 0;
  };
  return verb;
}

}  // namespace shoebox
