// shoebox mount: makes the library if it is not there, and serves it at the mount point. The work
// is fs/mount_daemon.cpp's, reached through the composition.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "fs/command/composition.h"
#include "fs/command/escape.h"
#include "fs/command/find_library.h"
#include "fs/command/rebuild_apart.h"
#include "fs/command/remote_argument.h"
#include "fs/command/verb.h"
#include "fs/control/client.h"
#include "store/base/file_io.h"
#include "store/settings.h"

namespace shoebox {
namespace {

using nlohmann::json;

Result<std::vector<std::string>> texts(const json& arguments, const char* key) {
  std::vector<std::string> out;
  if (!arguments.contains(key)) return out;
  for (const json& one : arguments.at(key)) {
    SHOEBOX_ASSIGN(std::string text, unescape_name(one.get<std::string>()));
    out.push_back(std::move(text));
  }
  return out;
}

// The mount says in words what came of it; that goes nowhere, and the status is printed instead.
Result<int> mount_as_json(const Composition& composition, const MountRequest& request) {
  if (request.foreground) return Status(Code::kInvalid, "--json goes with a mount in the background only");
  const UniqueFd kept(::dup(STDOUT_FILENO));
  SHOEBOX_ASSIGN(const UniqueFd nowhere, open_file("/dev/null", O_WRONLY));
  if (!kept || ::dup2(nowhere.get(), STDOUT_FILENO) < 0) return Status::from_errno(errno, "redirect stdout");
  const pid_t self = ::getpid();
  const int code = composition.mount(request);
  if (::getpid() != self) return code;  // the daemon, at its end
  std::fflush(stdout);
  if (::dup2(kept.get(), STDOUT_FILENO) < 0) return Status::from_errno(errno, "restore stdout");
  if (code != 0) return code;
  SHOEBOX_ASSIGN(const std::optional<json> status,
                 ask_mount(request.library, "status", json::object(), CancelToken(), nullptr));
  if (!status) return Status(Code::kUnavailable, "the mount ended at once; see its log");
  say(status->dump(2));
  return 0;
}

// What --from and the options that go with it ask for; nothing where they are not given.
Result<std::optional<RemoteSettings>> origin(const FrontEnd& front) {
  SHOEBOX_ASSIGN(const std::vector<std::string> from, texts(front.arguments, "from"));
  SHOEBOX_ASSIGN(const std::vector<std::string> options, texts(front.arguments, "from_options"));
  if (from.empty()) {
    if (!options.empty() || front.arguments.contains("id"))
      return Status(Code::kInvalid, "--option and --id go with --from only");
    return std::optional<RemoteSettings>();
  }
  if (!front.arguments.value("read_only", false)) {
    return Status(Code::kInvalid,
                  "--from goes with --read-only; shoebox rebuild makes a library to write to");
  }
  SHOEBOX_ASSIGN(RemoteSettings remote, remote_of(from.front(), front.working_directory));
  SHOEBOX_TRY(add_remote_options(options, remote));
  return std::optional(std::move(remote));
}

Result<int> run_mount(FrontEnd& front) {
  MountRequest request;
  SHOEBOX_ASSIGN(const std::vector<std::string> library, texts(front.arguments, "library_dir"));
  SHOEBOX_ASSIGN(const std::vector<std::string> mountpoint, texts(front.arguments, "mountpoint"));
  SHOEBOX_ASSIGN(std::vector<std::string> remotes, texts(front.arguments, "remotes"));
  SHOEBOX_ASSIGN(const std::vector<std::string> options, texts(front.arguments, "options"));
  request.library = library.at(0);
  request.mountpoint = mountpoint.at(0);
  request.foreground = front.arguments.value("foreground", false);
  request.follow = front.arguments.value("read_only", false);
  for (const std::string& list : options) {
    for (size_t at = 0; at <= list.size();) {
      const size_t comma = std::min(list.find(',', at), list.size());
      const std::string option = list.substr(at, comma - at);
      // For fstab, where there is no other place to say it.
      if (option.starts_with("remote=")) {
        remotes.push_back(option.substr(7));
      } else if (!option.empty()) {
        request.options.push_back(option);
      }
      at = comma + 1;
    }
  }
  for (const std::string& text : remotes) {
    SHOEBOX_ASSIGN(RemoteSettings remote, remote_of(text, front.working_directory));
    request.remotes.push_back(std::move(remote));
  }
  SHOEBOX_ASSIGN(const std::optional<RemoteSettings> from, origin(front));
  if (from) {
    SHOEBOX_ASSIGN(const std::vector<std::string> id, texts(front.arguments, "id"));
    SHOEBOX_ASSIGN(const bool made,
                   rebuild_apart(front, request.library, *from, id.empty() ? "" : id.front()));
    if (!made) return 1;
  }
  if (!front.json) return front.composition.mount(request);
  return mount_as_json(front.composition, request);
}

}  // namespace

Verb mount_verb() {
  Verb verb;
  verb.name = "mount";
  verb.summary = "show a library as a drive; makes the library if it is not there";
  verb.examples =
      "  shoebox mount ~/.photos ~/Photos --remote /mnt/nas/photos    back up to a folder\n"
      "  shoebox mount ~/.photos ~/Photos                             later: settings are kept\n"
      "  shoebox mount /srv/lib /srv/photos -o allow_other,umask=022  for a Samba share\n"
      "  shoebox mount --read-only --from /mnt/nas/photos ~/.copy ~/Copy  follow the machine that writes\n"
      "  fusermount3 -u ~/Photos                                      unmount\n"
      "In /etc/fstab:\n"
      "  /srv/lib  /srv/photos  fuse.shoebox  defaults,allow_other,_netdev  0 0\n";
  verb.options = {
      {"LIBRARY", "library_dir", OptionSpec::Kind::kLocalPath, "LIBRARY", "folder that holds the library",
       true},
      {"MOUNTPOINT", "mountpoint", OptionSpec::Kind::kLocalPath, "MOUNTPOINT",
       "an empty folder to show it in", true},
      {"-o", "options", OptionSpec::Kind::kText, "OPTIONS",
       "mount options: allow_other, ro, uid=, gid=, umask=, remote=URL and what mount(8) knows", false, true},
      {"--read-only", "read_only", OptionSpec::Kind::kFlag, "",
       "a rebuilt library that another machine writes: show it, and its changes within a minute"},
      {"--from", "from", OptionSpec::Kind::kText, "URL",
       "with --read-only: make LIBRARY from the backup there first, where that was not done before"},
      {"--option", "from_options", OptionSpec::Kind::kText, "KEY=VALUE",
       "with --from: a key of [[remote]] in shoebox.toml, such as endpoint or credentials_file", false, true},
      {"--id", "id", OptionSpec::Kind::kText, "ID",
       "with --from: which library, where several are backed up to one place"},
      {"-f,--foreground", "foreground", OptionSpec::Kind::kFlag, "", "stay in the foreground, log to stderr"},
      {"--remote", "remotes", OptionSpec::Kind::kText, "URL",
       fmt::format("back up there as well: a folder, {}, or NAME=URL; kept in shoebox.toml", kUrlKinds),
       false, true},
  };
  verb.run = run_mount;
  return verb;
}

}  // namespace shoebox
