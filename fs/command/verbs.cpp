#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "fs/command/escape.h"
#include "fs/command/serve.h"
#include "fs/command/verb.h"
#include "fs/control/server.h"
#include "store/library.h"

namespace shoebox {
namespace {

std::vector<Verb> all_verbs() {
  std::vector<Verb> list;
  const auto add = [&](Verb verb) { list.push_back(std::move(verb)); };
  const auto add_all = [&](std::vector<Verb> group) {
    for (Verb& verb : group) list.push_back(std::move(verb));
  };
  add(mount_verb());
  add(status_verb());
  add(import_verb());
  add(adopt_verb());
  add(export_verb());
  add_all(backup_verbs());
  add_all(remote_verbs());
  add(remote_takeover_verb());
  add(evict_verb());
  add_all(pin_verbs());
  add(thumbnail_verb());
  add_all(trash_verbs());
  add_all(version_verbs());
  add(verify_verb());
  add(fsck_verb());
  add(rebuild_verb());
  add(config_check_verb());
  add(config_reload_verb());
  return list;
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> list = all_verbs();
  return list;
}

void say(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void complain(std::string_view line) {
  const std::string whole = fmt::format("shoebox: {}\n", line);
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

Result<std::unique_ptr<ControlServer>> serve_commands(Library& library, SyncControl& sync,
                                                      const std::string& mountpoint) {
  const auto handler =
      [&library, &sync, mountpoint](
          const std::string& name, const nlohmann::json& arguments, const CancelToken& cancel,
          const std::function<void(const nlohmann::json&)>& progress) -> Result<nlohmann::json> {
    for (const Verb& verb : verbs()) {
      if (verb.name != name || !verb.service) continue;
      ServiceContext context{library, sync, mountpoint, cancel, progress};
      return verb.service(context, arguments);
    }
    return Status(Code::kNotSupported,
                  fmt::format("the mount knows no verb \"{}\"; is it older than this command?",
                              printable(name.substr(0, 40))));
  };
  return ControlServer::start(library.path(), handler);
}

}  // namespace shoebox
