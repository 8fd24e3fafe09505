// shoebox backup wait|pause|resume|now: what the queue of uploads shall do. No arguments.
// Answers {"remotes": [...]} as status does; interim answers of wait are progress.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fs/command/progress.h"
#include "fs/command/remote_json.h"
#include "fs/command/verb.h"
#include "store/library.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

using nlohmann::json;

Status need_remote(const ServiceContext& context) {
  if (!context.library.settings().remotes.empty()) return Status::ok();
  return {Code::kInvalid, fmt::format("library {} has no remote; add one: shoebox remote add NAME URL",
                                      context.library.path())};
}

Result<json> answer(ServiceContext& context) {
  SHOEBOX_ASSIGN(const std::vector<RemoteStatus> remotes, context.sync.status());
  return json{{"remotes", json_of(remotes)}};
}

Result<json> wait(ServiceContext& context, const json&) {
  SHOEBOX_TRY(need_remote(context));
  UploadProgress shown;
  SHOEBOX_TRY(context.sync.wait(context.cancel, [&](const std::vector<RemoteStatus>& remotes) {
    context.progress(shown.interim(remotes));
  }));
  return answer(context);
}

Result<json> pause(ServiceContext& context, const json&) {
  SHOEBOX_TRY(need_remote(context));
  SHOEBOX_TRY(context.sync.pause());
  return answer(context);
}

Result<json> resume(ServiceContext& context, const json&) {
  SHOEBOX_TRY(need_remote(context));
  SHOEBOX_TRY(context.sync.resume());
  return answer(context);
}

Result<json> now(ServiceContext& context, const json& arguments) {
  SHOEBOX_TRY(need_remote(context));
  SHOEBOX_TRY(context.sync.run_now());
  // Opened for this command: it does what the mount would go on to do.
  return context.mountpoint.empty() ? wait(context, arguments) : answer(context);
}

void print_backup(const json& result, const json&) {
  for (const json& remote : result.at("remotes")) say(remote_line(remote));
}

}  // namespace

std::vector<Verb> backup_verbs() {
  Verb wait_verb;
  wait_verb.name = "backup wait";
  wait_verb.summary = "wait until everything is backed up";
  wait_verb.examples = "  shoebox backup wait && shoebox evict --all   back up, then make room\n";
  wait_verb.service = wait;
  wait_verb.needs_background = true;
  wait_verb.print = print_backup;

  Verb pause_verb;
  pause_verb.name = "backup pause";
  pause_verb.summary = "stop uploading until resume, also after the next mount";
  pause_verb.examples = "  shoebox backup pause     on a train\n";
  pause_verb.service = pause;
  pause_verb.print = print_backup;

  Verb resume_verb;
  resume_verb.name = "backup resume";
  resume_verb.summary = "upload again";
  resume_verb.examples = "  shoebox backup resume    at home again\n";
  resume_verb.service = resume;
  resume_verb.print = print_backup;

  Verb now_verb;
  now_verb.name = "backup now";
  now_verb.summary = "try everything that waits at once; with nothing mounted, upload it all";
  now_verb.examples = "  shoebox backup now       the NAS is on again, do not wait for the next retry\n";
  now_verb.service = now;
  now_verb.needs_background = true;
  now_verb.print = print_backup;
  return {wait_verb, pause_verb, resume_verb, now_verb};
}

}  // namespace shoebox
