// shoebox remote takeover: this library directory becomes the one that writes to a remote.
// {"name", "force", "replace_backup"}; interim answers {"done", "total", "text"}; answer {"name"}.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "fs/command/progress.h"
#include "fs/command/verb.h"
#include "store/library.h"
#include "store/sync_control.h"

namespace shoebox {
namespace {

using nlohmann::json;

Result<json> take_over(ServiceContext& context, const json& arguments) {
  if (context.library.read_only()) return Status(Code::kReadOnly, "the library is read-only");
  TakeoverRequest request;
  SHOEBOX_ASSIGN(const std::optional<std::string> name, text_argument(arguments, "name"));
  if (!name || name->empty()) return Status(Code::kInvalid, "name is missing");
  request.remote = *name;
  SHOEBOX_ASSIGN(request.force, flag_argument(arguments, "force"));
  SHOEBOX_ASSIGN(request.replace_backup, flag_argument(arguments, "replace_backup"));
  SHOEBOX_TRY(context.sync.take_over(request, context.cancel,
                                     [&](const std::string& text, uint64_t done, uint64_t total) {
                                       context.progress(interim(done, total, printable(text)));
                                     }));
  return json{{"name", escape_name(*name)}};
}

}  // namespace

Verb remote_takeover_verb() {
  Verb verb;
  verb.name = "remote takeover";
  verb.summary =
      "write to a remote that a machine which is gone wrote to; takes some 90 s, to see that it is";
  verb.examples =
      "  shoebox remote takeover nas             refused while the other machine is alive\n"
      "  shoebox remote takeover nas --force     all the same: that one stops writing there, and says so\n";
  verb.options = {
      {"NAME", "name", OptionSpec::Kind::kText, "NAME", "its name in shoebox.toml", true},
      {"--force", "force", OptionSpec::Kind::kFlag, "", "although the owner is alive"},
      {"--replace-backup", "replace_backup", OptionSpec::Kind::kFlag, "",
       "although the backup of the catalog there is not this library's; what only that one knows is "
       "lost"}};
  verb.service = take_over;
  verb.print = [](const json& result, const json&) {
    say(fmt::format("{}: written to by this library from now on", result.value("name", "")));
  };
  return verb;
}

}  // namespace shoebox
