// shoebox adopt URL: takes in, where they lie, the photos that stand on a remote already.
// Arguments {"url", "name", "options", "into", "dry_run", "read_all"}; answer {"remote", "listed",
// "already_there", "photos", "videos", "others", "changed", "skipped", "failed", "original_bytes",
// "requests", "received_bytes", "read_bytes", "list": [{"key", "what", "why"}]}.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fs/command/adopt_run.h"
#include "fs/command/arguments.h"
#include "fs/command/composition.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/reload.h"
#include "fs/command/remote_argument.h"
#include "fs/command/verb.h"
#include "store/library.h"
#include "store/library_remotes.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

using nlohmann::json;

Result<RemoteSettings> remote_argument(const json& arguments) {
  SHOEBOX_ASSIGN(const std::vector<std::string> url, names_argument(arguments, "url"));
  SHOEBOX_ASSIGN(const std::vector<std::string> name, names_argument(arguments, "name"));
  SHOEBOX_ASSIGN(const std::vector<std::string> options, names_argument(arguments, "options"));
  if (url.size() != 1) return Status(Code::kInvalid, "name one URL");
  SHOEBOX_ASSIGN(RemoteSettings remote, remote_from_root(url[0]));
  SHOEBOX_TRY(add_remote_options(options, remote));
  if (!name.empty()) {
    SHOEBOX_TRY(check_remote_name(name[0]));
    remote.name = name[0];
  }
  return remote;
}

// The library is made where there is none. The remote gets its section of the settings when it answered.
Status open(const json& arguments, OpenRequest& request) {
  SHOEBOX_ASSIGN(const RemoteSettings remote, remote_argument(arguments));
  request.remotes = {remote};
  request.remotes_stay = false;
  SHOEBOX_ASSIGN(const bool dry_run, flag_argument(arguments, "dry_run"));
  SHOEBOX_TRY(check_library_folder(request.library));
  const bool there = ::access((request.library + "/catalog/CURRENT").c_str(), F_OK) == 0;
  request.create = !dry_run || !there;
  request.read_only = dry_run && there;
  if (!dry_run || there) return Status::ok();
  // Nothing is made where the library shall be: a look is taken from an empty one.
  std::string pattern = (std::filesystem::temp_directory_path() / "shoebox-adopt-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return Status::from_errno(errno, "make a folder in " + pattern);
  request.library = pattern;
  request.temporary = true;
  return Status::ok();
}

Result<std::string> folder_argument(const json& arguments) {
  SHOEBOX_ASSIGN(const std::vector<std::string> into, names_argument(arguments, "into"));
  if (into.empty()) return std::string("Library");
  const std::filesystem::path path(into[0]);
  const bool leaves = std::any_of(path.begin(), path.end(), [](const auto& part) { return part == ".."; });
  if (into.size() > 1 || leaves || (into[0] != "Library" && !into[0].starts_with("Library/")))
    return Status(Code::kInvalid, "--into takes one folder, Library or below it");
  std::string folder = into[0];
  while (folder.ends_with('/')) folder.pop_back();
  return folder;
}

std::optional<std::string> name_of(const Settings& settings, const RemoteSettings& wanted) {
  for (const RemoteSettings& remote : settings.remotes) {
    if (remote.url == wanted.url && remote.endpoint == wanted.endpoint) return remote.name;
  }
  return std::nullopt;
}

// Its name in the settings. A mount that does not use it yet begins to, and goes on with it. What cannot be
// reached or written, a URL that was mistyped, does not become a remote.
Result<std::string> name_in_use(ServiceContext& context, const RemoteSettings& wanted, bool may_add) {
  Library& library = context.library;
  SHOEBOX_ASSIGN(Settings file, Settings::load(library.path() + "/shoebox.toml"));
  const std::optional<std::string> used = name_of(library.settings(), wanted);
  if (used && (!may_add || name_of(file, wanted))) return *used;
  if (!may_add) {
    return Status(Code::kBusy,
                  fmt::format("{} is mounted without the remote {}: add it first (shoebox remote add)",
                              printable(context.mountpoint), printable(wanted.url)));
  }
  Settings checked = file;  // before anything is tried there: a folder of the drive itself is none
  SHOEBOX_TRY(adopt_remotes(library.path(), {wanted}, /*read_only=*/true, checked));
  RemoteSettings tried = wanted;
  if (tried.name.empty()) tried.name = used.value_or("remote");
  SHOEBOX_TRY(context.sync.test(tried, context.cancel).status());
  SHOEBOX_TRY(adopt_remotes(library.path(), {wanted}, /*read_only=*/false, file));
  SHOEBOX_TRY(reload_settings(context));
  if (const auto name = name_of(library.settings(), wanted)) return *name;
  return Status(Code::kNotFound, fmt::format("remote {} left the settings again", printable(wanted.url)));
}

Result<json> adopt(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const RemoteSettings remote, remote_argument(arguments));
  AdoptRequest request;
  SHOEBOX_ASSIGN(request.into, folder_argument(arguments));
  SHOEBOX_ASSIGN(request.dry_run, flag_argument(arguments, "dry_run"));
  const bool may_add = !context.library.read_only() && !request.dry_run;
  SHOEBOX_ASSIGN(request.remote, name_in_use(context, remote, may_add));
  SHOEBOX_ASSIGN(request.read_all, flag_argument(arguments, "read_all"));
  // What a bucket calls a time is when something was put there.
  request.own_times = !remote.url.starts_with("s3://");
  if (context.library.read_only() && !request.dry_run)
    return Status(Code::kReadOnly, "the library is read-only");
  AdoptProgress shown;
  const auto progress = [&](const AdoptReport& report) { shown.tell(report, context.progress); };
  SHOEBOX_ASSIGN(const AdoptReport report, run_adoption(context.library, context.sync, request,
                                                        context.cancel, progress, context.progress));
  json result = json_of(report);
  result["remote"] = request.remote;
  result["read_bytes"] = 0;
  if (request.read_all && !request.dry_run) {
    VerifyRequest reading;
    reading.remote = request.remote;
    reading.unread = VerifyRequest::Unread::kOnly;
    const auto read = [&](const VerifyReport& now) {
      context.progress(interim(now.checked_bytes, now.bytes_to_check,
                               fmt::format("reading {} of {} originals, {}", now.checked, now.to_check,
                                           human_bytes(now.checked_bytes))));
    };
    SHOEBOX_ASSIGN(const VerifyReport all, context.sync.verify(reading, context.cancel, read));
    result["read_bytes"] = all.checked_bytes;
    result["failed"] = report.failed + all.missing + all.damaged + all.unchecked;
  }
  return result;
}

void print_adopt(const json& result, const json& arguments) {
  const auto count = [&](const char* key) { return result.value(key, uint64_t{0}); };
  const bool dry_run = arguments.value("dry_run", false);
  say(fmt::format("{}: {} listed: {} and {} {}, {}", result.value("remote", ""),
                  counted(count("listed"), "object"), counted(count("photos"), "photo"),
                  counted(count("videos"), "video"), dry_run ? "to adopt" : "adopted",
                  counted(count("others"), "other file")));
  std::string rest = fmt::format("{} there already", count("already_there"));
  if (count("changed") > 0) rest += fmt::format(", {} replaced on the remote since", count("changed"));
  if (count("skipped") > 0) rest += fmt::format(", {} skipped", count("skipped"));
  if (count("failed") > 0) rest += fmt::format(", {} failed", count("failed"));
  say(rest);
  say(fmt::format("{}, {} received of the {} that the originals have", counted(count("requests"), "request"),
                  human_bytes(count("received_bytes")), human_bytes(count("original_bytes"))));
  if (count("read_bytes") > 0) say(fmt::format("{} read whole", human_bytes(count("read_bytes"))));
}

}  // namespace

Verb adopt_verb() {
  Verb verb;
  verb.name = "adopt";
  verb.summary = "take in photos where they lie on a remote; run it again to go on, or for what is new there";
  verb.examples =
      "  shoebox adopt s3://photos/home --library ~/.photos --option endpoint=https://s3.example.org\n"
      "                                    names, dates and people at once, originals when read\n"
      "  shoebox adopt file:///mnt/nas/pictures --into Library/nas\n"
      "  shoebox adopt file:///mnt/vault --option crypt=true --option passphrase_file=/home/me/passphrase\n"
      "                                    what rclone encrypted\n";
  verb.options = {
      {"URL", "url", OptionSpec::Kind::kText, "URL", fmt::format("where they are: a folder, {}", kUrlKinds),
       true},
      {"--name", "name", OptionSpec::Kind::kText, "NAME", "what the remote is called in shoebox.toml"},
      {"--option", "options", OptionSpec::Kind::kText, "KEY=VALUE",
       "a key of [[remote]] in shoebox.toml, such as endpoint or crypt", false, true},
      {"--into", "into", OptionSpec::Kind::kLibraryPath, "PATH", "folder of the drive (default: Library)"},
      {"--dry-run", "dry_run", OptionSpec::Kind::kFlag, "", "only list what would be adopted"},
      {"--read-all", "read_all", OptionSpec::Kind::kFlag, "",
       "then read every original whole, so that damage is noticed from now on"},
  };
  verb.service = adopt;
  verb.open = open;
  verb.print = print_adopt;
  verb.exit_code = [](const json& result) { return result.value("failed", uint64_t{0}) > 0 ? 1 : 0; };
  return verb;
}

}  // namespace shoebox
