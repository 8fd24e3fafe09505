// shoebox config check: reads shoebox.toml as a mount would and says what is wrong with it. Needs
// no library that opens, so it is no service. Prints {"file", "warnings", "remotes"} with --json.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "fs/command/composition.h"
#include "fs/command/escape.h"
#include "fs/command/find_library.h"
#include "fs/command/verb.h"
#include "store/remote_places.h"
#include "store/settings.h"

namespace shoebox {
namespace {

using nlohmann::json;

// What a remote would stumble over at its first request.
void check_files(const RemoteSettings& remote, std::vector<std::string>& warnings) {
  struct stat st {};
  if (!remote.credentials_file.empty()) {
    if (::stat(remote.credentials_file.c_str(), &st) != 0) {
      warnings.push_back(fmt::format("remote {}: credentials_file {} cannot be read", remote.name,
                                     printable(remote.credentials_file)));
    } else if ((st.st_mode & 077) != 0) {
      warnings.push_back(fmt::format("remote {}: credentials_file {} can be read by others; chmod 600 it",
                                     remote.name, printable(remote.credentials_file)));
    }
  }
  if (!remote.ca_file.empty() && ::stat(remote.ca_file.c_str(), &st) != 0) {
    warnings.push_back(
        fmt::format("remote {}: ca_file {} cannot be read", remote.name, printable(remote.ca_file)));
  }
}

// A passphrase that does not open the remote is no warning: nothing would be backed up there.
Status check_passphrase(const RemoteSettings& remote, const Composition& composition,
                        std::vector<std::string>& warnings) {
  if (!remote.crypt || !composition.check_passphrase) return Status::ok();
  if (remote.passphrase_file.empty() && remote.passphrase_command.empty()) {
    warnings.push_back(
        fmt::format("remote {}: names no passphrase_file or passphrase_command: it is used only "
                    "when mounted from a terminal, which asks for it",
                    remote.name));
    return Status::ok();
  }
  const Status checked = composition.check_passphrase(remote);
  if (checked.code() == Code::kUnauthorized) return checked.with_context("remote " + remote.name);
  if (!checked && checked.code() != Code::kNotFound) {
    warnings.push_back(
        fmt::format("remote {}: its passphrase was not tried, the remote is new or out of reach: {}",
                    remote.name, printable(checked.message())));
  }
  return Status::ok();
}

Result<int> run(FrontEnd& front) {
  const auto named = front.arguments.find("file");
  std::string path;
  if (named != front.arguments.end()) {
    SHOEBOX_ASSIGN(path, unescape_name(named->get<std::string>()));
  } else {
    SHOEBOX_ASSIGN(const std::string library,
                   unescape_name(front.arguments.at("library").get<std::string>()));
    path = library + "/shoebox.toml";
  }
  struct stat st {};
  const bool there = ::stat(path.c_str(), &st) == 0;
  // A library without settings is fine; a file that somebody named is meant to be there.
  if (!there && named != front.arguments.end()) {
    return Status(Code::kNotFound, fmt::format("{}: no such file", printable(path)));
  }
  SHOEBOX_ASSIGN(const Settings settings, Settings::load(path));
  SHOEBOX_TRY(check_remote_places(std::filesystem::path(path).parent_path().string(), settings.remotes));
  std::vector<std::string> warnings = settings.warnings();
  for (const RemoteSettings& remote : settings.remotes) {
    check_files(remote, warnings);
    SHOEBOX_TRY(check_passphrase(remote, front.composition, warnings));
  }
  if (front.json) {
    json remotes = json::array();
    for (const RemoteSettings& remote : settings.remotes) {
      remotes.push_back({{"name", remote.name}, {"url", escape_name(remote.url)}, {"crypt", remote.crypt}});
    }
    say(json{{"file", escape_name(path)}, {"warnings", warnings}, {"remotes", remotes}}.dump(2));
    return 0;
  }
  for (const std::string& warning : warnings) say("warning: " + warning);
  for (const RemoteSettings& remote : settings.remotes) {
    say(fmt::format("remote {}: {}{}", remote.name, printable(remote.url),
                    remote.crypt ? ", encrypted" : ""));
  }
  say(fmt::format("{}: {}", printable(path),
                  there ? "all right" : "not there, so all settings are the defaults"));
  return 0;
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
  verb.run = run;
  return verb;
}

}  // namespace shoebox
