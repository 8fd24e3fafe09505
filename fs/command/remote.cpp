// shoebox remote add|remove|list|test.
// add: {"name", "url", "endpoint", "region", "ca_file", "credentials_file", "credentials_command",
// "connections"}; answer {"name", "mounted", "problem"}.
// remove: {"name"}; answer {"name", "mounted"}.
// list: no arguments; answer {"remotes": [...]} as status does, with "in_use" besides.
// test: {"name"}; answer {"name", "milliseconds", "owner"}.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "fs/command/reload.h"
#include "fs/command/remote_argument.h"
#include "fs/command/remote_json.h"
#include "fs/command/verb.h"
#include "store/about_remote.h"
#include "store/base/file_io.h"
#include "store/library.h"
#include "store/library_remotes.h"
#include "store/remote_edit.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

using nlohmann::json;

std::string settings_file(const Library& library) { return library.path() + "/shoebox.toml"; }

Result<std::string> needed_text(const json& arguments, const char* key) {
  SHOEBOX_ASSIGN(const std::optional<std::string> text, text_argument(arguments, key));
  if (!text || text->empty()) return Status(Code::kInvalid, fmt::format("{} is missing", key));
  return *text;
}

Result<json> add(ServiceContext& context, const json& arguments) {
  Library& library = context.library;
  if (library.read_only()) return Status(Code::kReadOnly, "the library is read-only");
  SHOEBOX_ASSIGN(const std::string url, needed_text(arguments, "url"));
  SHOEBOX_ASSIGN(RemoteSettings remote, remote_from_root(url));
  SHOEBOX_ASSIGN(remote.name, needed_text(arguments, "name"));
  const std::pair<const char*, std::string*> texts[] = {{"endpoint", &remote.endpoint},
                                                        {"region", &remote.region},
                                                        {"ca_file", &remote.ca_file},
                                                        {"credentials_file", &remote.credentials_file},
                                                        {"credentials_command", &remote.credentials_command}};
  for (const auto& [key, field] : texts) {
    SHOEBOX_ASSIGN(const std::optional<std::string> text, text_argument(arguments, key));
    if (text) *field = *text;
  }
  SHOEBOX_ASSIGN(const std::optional<int64_t> connections, number_argument(arguments, "connections"));
  if (connections) {
    if (*connections < 1 || *connections > 64) return Status(Code::kInvalid, "connections: 1 to 64");
    remote.connections = static_cast<uint32_t>(*connections);
  }
  // The file as it is now: it may have been edited since the mount.
  SHOEBOX_ASSIGN(Settings settings, Settings::load(settings_file(library)));
  const size_t before = settings.remotes.size();
  SHOEBOX_TRY(adopt_remotes(library.path(), {remote}, /*read_only=*/false, settings));
  if (settings.remotes.size() == before) {
    return Status(Code::kExists, fmt::format("remote \"{}\" is in shoebox.toml already", remote.name));
  }
  SHOEBOX_TRY(
      reload_settings(context).with_context("added to shoebox.toml, but the mount goes on without it"));
  SHOEBOX_ASSIGN(const std::string problem, trouble_of_remote(context, remote.name));
  return json{{"name", remote.name}, {"mounted", !context.mountpoint.empty()}, {"problem", problem}};
}

Result<json> remove(ServiceContext& context, const json& arguments) {
  Library& library = context.library;
  if (library.read_only()) return Status(Code::kReadOnly, "the library is read-only");
  SHOEBOX_ASSIGN(const std::string name, needed_text(arguments, "name"));
  const std::string path = settings_file(library);
  SHOEBOX_ASSIGN(const std::string text, read_file(path, 1 << 20));
  SHOEBOX_ASSIGN(const std::string rest, without_remote(text, name));
  SHOEBOX_ASSIGN(const Settings settings, Settings::parse(text, path));
  SHOEBOX_TRY(let_go_of_remote(library.catalog(), settings.remotes, name));
  struct stat st {};
  const mode_t mode = ::stat(path.c_str(), &st) == 0 ? st.st_mode & 0777 : 0600;
  if (const Status written = write_file_atomically(path, rest, mode); !written) {
    (void)take_remote_back(library.catalog(), name);
    return written;
  }
  SHOEBOX_TRY(
      reload_settings(context).with_context("taken out of shoebox.toml, but the mount still uses it"));
  return json{{"name", name}, {"mounted", !context.mountpoint.empty()}};
}

Result<json> list_remotes(ServiceContext& context, const json&) {
  SHOEBOX_ASSIGN(const Settings settings, Settings::load(settings_file(context.library)));
  SHOEBOX_ASSIGN(const std::vector<RemoteStatus> running, context.sync.status());
  json in_use = json_of(running);
  json remotes = json::array();
  for (const RemoteSettings& remote : settings.remotes) {
    const auto same = std::find_if(in_use.begin(), in_use.end(),
                                   [&](const json& one) { return one.value("name", "") == remote.name; });
    json one = same != in_use.end() ? *same : json{{"name", remote.name}, {"url", printable(remote.url)}};
    one["in_use"] = same != in_use.end();
    remotes.push_back(std::move(one));
  }
  return json{{"remotes", remotes}};
}

Result<json> test(ServiceContext& context, const json& arguments) {
  SHOEBOX_ASSIGN(const std::string name, needed_text(arguments, "name"));
  SHOEBOX_ASSIGN(const Settings settings, Settings::load(settings_file(context.library)));
  const auto found = std::find_if(settings.remotes.begin(), settings.remotes.end(),
                                  [&](const RemoteSettings& remote) { return remote.name == name; });
  if (found == settings.remotes.end()) {
    return Status(Code::kNotFound,
                  fmt::format("no remote is called \"{}\"; shoebox remote list", printable(name)));
  }
  const auto begin = context.library.clock().steady();
  const Result<RemoteOwner> owner = context.sync.test(*found, context.cancel);
  if (!owner) return about_remote(owner.status(), printable(name));
  const auto took = context.library.clock().steady() - begin;
  return json{{"name", name},
              {"milliseconds", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()},
              {"owner", json_of(*owner)}};
}

void print_edited(const json& result, const char* mounted, const char* not_mounted) {
  say(fmt::format("{}: {}", printable(result.value("name", "")),
                  result.value("mounted", false) ? mounted : not_mounted));
}

}  // namespace

std::vector<Verb> remote_verbs() {
  const OptionSpec name{"NAME", "name", OptionSpec::Kind::kText, "NAME", "its name in shoebox.toml", true};
  Verb add_verb;
  add_verb.name = "remote add";
  add_verb.summary = "back up to one more place";
  add_verb.examples =
      "  shoebox remote add nas file:///mnt/nas/photos\n"
      "  shoebox remote add bucket s3://family-photos/shoebox --endpoint https://s3.example.org\n"
      "  shoebox remote add rack sftp://anna@rack.example.org/srv/photos   with the agent's keys\n"
      "Other keys, such as crypt or identity_file, are written into shoebox.toml (store/SETTINGS.md).\n";
  add_verb.options = {
      name,
      {"URL", "url", OptionSpec::Kind::kText, "URL", fmt::format("where: a folder, {}", kUrlKinds), true},
      {"--endpoint", "endpoint", OptionSpec::Kind::kText, "URL", "https://host:port of an S3 service"},
      {"--region", "region", OptionSpec::Kind::kText, "REGION", "that signatures name"},
      {"--ca-file", "ca_file", OptionSpec::Kind::kText, "FILE", "the certificate authority of the service"},
      {"--credentials-file", "credentials_file", OptionSpec::Kind::kText, "FILE",
       "of mode 0600, with the keys (S3), or user and password (WebDAV, SFTP)"},
      {"--credentials-command", "credentials_command", OptionSpec::Kind::kText, "COMMAND", "prints the same"},
      {"--connections", "connections", OptionSpec::Kind::kNumber, "N", "uploads at once"}};
  add_verb.service = add;
  add_verb.print = [](const json& result, const json&) {
    print_edited(result, "added; it fills up in the background (shoebox status)",
                 "added; it fills up in the background of the next mount");
    if (const std::string problem = result.value("problem", ""); !problem.empty()) {
      complain(fmt::format("remote {}: {}", printable(result.value("name", "")), printable(problem)));
    }
  };

  Verb remove_verb;
  remove_verb.name = "remote remove";
  remove_verb.summary = "back up to a place no longer; refused while it holds the only copy of something";
  remove_verb.examples = "  shoebox remote remove nas      what stands there stays\n";
  remove_verb.options = {name};
  remove_verb.service = remove;
  remove_verb.print = [](const json& result, const json&) {
    print_edited(result, "removed; nothing reads or writes there any more, and what stands there stays",
                 "removed; what stands there stays");
  };

  Verb list_verb;
  list_verb.name = "remote list";
  list_verb.summary = "the places that are backed up to";
  list_verb.examples = "  shoebox remote list\n";
  list_verb.service = list_remotes;
  list_verb.print = [](const json& result, const json&) {
    for (const json& remote : result.at("remotes")) {
      if (remote.value("in_use", false)) {
        say(remote_line(remote));
      } else {
        say(fmt::format("{:<10} {}: not in use (shoebox config reload, or mount)", remote.value("name", ""),
                        remote.value("url", "")));
      }
    }
  };

  Verb test_verb;
  test_verb.name = "remote test";
  test_verb.summary = "write, read and remove a small object there";
  test_verb.examples = "  shoebox remote test bucket\n";
  test_verb.options = {name};
  test_verb.service = test;
  test_verb.print = [](const json& result, const json&) {
    say(fmt::format("{}: written, read and removed in {} ms", printable(result.value("name", "")),
                    result.value("milliseconds", int64_t{0})));
    if (const std::string problem = result.at("owner").value("problem", ""); !problem.empty()) {
      say(fmt::format("{}; nothing is backed up there from here", problem));
    }
  };
  return {add_verb, remove_verb, list_verb, test_verb};
}

}  // namespace shoebox
