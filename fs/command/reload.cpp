#include "fs/command/reload.h"

#include "store/library.h"
#include "store/sync_control.h"

namespace shoebox {

Status reload_settings(ServiceContext& context, bool look_at_secrets) {
  if (context.mountpoint.empty()) return Status::ok();
  Library& library = context.library;
  return context.sync.change_settings({
      .read = [&library] { return library.reread_settings(); },
      .apply = [&library](const Settings& next) { return library.apply_settings(next); },
      .look_at_secrets = look_at_secrets,
  });
}

Result<std::string> trouble_of_remote(ServiceContext& context, const std::string& name) {
  SHOEBOX_ASSIGN(const std::vector<RemoteStatus> remotes, context.sync.status());
  for (const RemoteStatus& remote : remotes) {
    if (remote.name == name && !remote.online) return remote.last_error;
  }
  return std::string();
}

}  // namespace shoebox
