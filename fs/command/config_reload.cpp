// shoebox config reload: a mount takes over what shoebox.toml says by now. No arguments; answer {"mounted",
// "dates_layout_waits", "warnings", "remotes"}, the last as status has them.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fs/command/escape.h"
#include "fs/command/reload.h"
#include "fs/command/remote_json.h"
#include "fs/command/verb.h"
#include "store/library.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

using nlohmann::json;

Result<json> reload(ServiceContext& context, const json&) {
  Library& library = context.library;
  SHOEBOX_TRY(reload_settings(context, /*look_at_secrets=*/true));
  SHOEBOX_ASSIGN(const Settings file, Settings::load(library.path() + "/shoebox.toml"));
  SHOEBOX_ASSIGN(const std::vector<RemoteStatus> remotes, context.sync.status());
  json warnings = json::array();
  for (const std::string& warning : file.warnings()) warnings.push_back(printable(warning));
  return json{{"mounted", !context.mountpoint.empty()},
              {"dates_layout_waits",
               !context.mountpoint.empty() && file.dates_layout != library.settings().dates_layout},
              {"warnings", std::move(warnings)},
              {"remotes", json_of(remotes)}};
}

void print_config_reload(const json& result, const json&) {
  for (const json& warning : result.at("warnings")) say("warning: " + warning.get<std::string>());
  if (!result.value("mounted", false)) {
    say("not mounted: the next mount reads the settings");
    return;
  }
  for (const json& remote : result.at("remotes")) say(remote_line(remote));
  if (result.value("dates_layout_waits", false)) say("dates_layout: from the next mount on");
  say("the settings count from now on");
}

}  // namespace

Verb config_reload_verb() {
  Verb verb;
  verb.name = "config reload";
  verb.summary = "make a mount go on with what shoebox.toml says now";
  verb.examples = "  shoebox config reload      after the file was edited; what it says is checked first\n";
  verb.service = reload;
  verb.print = print_config_reload;
  return verb;
}

}  // namespace shoebox
