// shoebox config check: reads shoebox.toml as a mount would and says what is wrong with it. Needs
// no library that opens, so it is no service. Prints {"file", "problems", "warnings", "remotes"} with --json.
#include <fmt/format.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "fs/command/composition.h"
#include "fs/command/escape.h"
#include "fs/command/find_library.h"
#include "fs/command/verb.h"
#include "store/about_remote.h"
#include "store/library.h"
#include "store/remote_places.h"
#include "store/settings.h"

namespace shoebox {
namespace {

using nlohmann::json;

struct Findings {
  std::vector<std::string> problems;  // a remote that cannot be used: nothing would be backed up there
  std::vector<std::string> warnings;
};

void check_passphrase(const RemoteSettings& remote, const Composition& composition, bool try_it,
                      Findings& findings) {
  if (remote.passphrase_file.empty() && remote.passphrase_command.empty()) {
    findings.warnings.push_back(
        fmt::format("remote {}: names no passphrase_file or passphrase_command: it is used only "
                    "when mounted from a terminal, which asks for it",
                    remote.name));
    return;
  }
  const Status checked = composition.check_passphrase(remote, try_it);
  if (checked.code() == Code::kUnauthorized) {
    findings.problems.push_back(about_remote(checked, remote.name).message());
  } else if (!checked && checked.code() != Code::kNotFound) {
    findings.warnings.push_back(
        fmt::format("remote {}: its passphrase was not tried, the remote is new or out of reach: {}",
                    remote.name, checked.message()));
  }
}

void check_remote(const RemoteSettings& remote, const Composition& composition, Findings& findings) {
  std::string left_open;
  const Status usable = composition.check_remote ? composition.check_remote(remote, left_open) : Status::ok();
  if (!usable) findings.problems.push_back(usable.message());
  if (!left_open.empty()) findings.warnings.push_back(left_open);
  if (remote.crypt && composition.check_passphrase)
    check_passphrase(remote, composition, /*try_it=*/usable.is_ok() && left_open.empty(), findings);
}

Result<int> run_config_check(FrontEnd& front) {
  const auto named = front.arguments.find("file");
  std::string path;
  if (named != front.arguments.end()) {
    SHOEBOX_ASSIGN(path, unescape_name(named->get<std::string>()));
  } else {
    SHOEBOX_ASSIGN(const std::string library,
                   unescape_name(front.arguments.at("library").get<std::string>()));
    SHOEBOX_TRY(check_library_folder(library));
    path = library + "/shoebox.toml";
  }
  struct stat st {};
  const bool there = ::stat(path.c_str(), &st) == 0;
  // A library without settings is fine; a file that somebody named is meant to be there.
  if (!there && named != front.arguments.end()) {
    return Status(Code::kNotFound, fmt::format("{}: no such file", printable(path)));
  }
  const std::string folder = path.substr(0, path.rfind('/'));
  const bool in_library = holds_library(folder);
  if (!there && !in_library) return no_library(folder);
  SHOEBOX_ASSIGN(const Settings settings, Settings::load(path));
  // A file that somebody named may lie anywhere, beside the backup as well.
  SHOEBOX_TRY(check_remote_places(in_library ? folder : "", settings.remotes));
  Findings findings;
  findings.warnings = settings.warnings();
  for (const RemoteSettings& remote : settings.remotes) check_remote(remote, front.composition, findings);
  const int code = findings.problems.empty() ? 0 : 1;
  if (front.json) {
    json remotes = json::array();
    for (const RemoteSettings& remote : settings.remotes) {
      remotes.push_back({{"name", remote.name}, {"url", escape_name(remote.url)}, {"crypt", remote.crypt}});
    }
    const json answer = {{"file", escape_name(path)},
                         {"problems", findings.problems},
                         {"warnings", findings.warnings},
                         {"remotes", remotes}};
    say(answer.dump(2, ' ', false, json::error_handler_t::replace));
    return code;
  }
  for (const std::string& warning : findings.warnings) say("warning: " + printable(warning));
  for (const RemoteSettings& remote : settings.remotes) {
    say(fmt::format("remote {}: {}{}", remote.name, printable(remote.url),
                    remote.crypt ? ", encrypted" : ""));
  }
  for (const std::string& problem : findings.problems) complain(printable(problem));
  if (code == 0) {
    say(fmt::format("{}: {}", printable(path),
                    there ? "all right" : "not there, so all settings are the defaults"));
  }
  return code;
}

}  // namespace

Verb config_check_verb() {
  Verb verb;
  verb.name = "config check";
  verb.summary = "read shoebox.toml and say what is wrong with it";
  verb.examples =
      "  shoebox config check --library /srv/photos    its shoebox.toml\n"
      "  shoebox config check ./new.toml               a file that is not in place yet\n";
  verb.options = {
      {"FILE", "file", OptionSpec::Kind::kLocalPath, "FILE", "another file than the library's own"}};
  verb.run = run_config_check;
  return verb;
}

}  // namespace shoebox
