#include "fs/command/remote_argument.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/command/escape.h"
#include "fs/command/find_library.h"

namespace shoebox {
namespace {

std::string file_url(const std::string& path) {
  std::string url = "file://";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    // Those that a URL cannot carry as they are, and '%' because it starts an escape.
    if (byte <= 0x20 || byte >= 0x7F || c == '%') {
      url += fmt::format("%{:02X}", byte);
    } else {
      url += c;
    }
  }
  return url;
}

// A TOML value: numbers, truth values and what is quoted already stay as they are.
std::string toml_value(const std::string& text) {
  const bool number = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](unsigned char c) { return std::isdigit(c) != 0; });
  if (number || text == "true" || text == "false") return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

Result<RemoteSettings> remote_of(std::string text, const std::string& working_directory) {
  RemoteSettings remote;
  const size_t equals = text.find('=');
  if (equals != std::string::npos && equals < text.find('/') && equals < text.find(':')) {
    remote.name = text.substr(0, equals);
    SHOEBOX_TRY(check_remote_name(remote.name));
    text.erase(0, equals + 1);
  }
  // "s3:/bucket", "nas:photos": a folder of such a name is wanted more seldom than a remote.
  if (const size_t colon = text.find(':'); colon < text.find('/') && text.find("://") == std::string::npos) {
    return Status(Code::kInvalid,
                  fmt::format("\"{}\" is no url and no plain folder; write {}://…, or ./{} for a "
                              "folder of that name",
                              text, text.substr(0, colon), text));
  }
  remote.url = text.find("://") == std::string::npos && !text.empty()
                   ? file_url(absolute_path(text, working_directory))
                   : text;
  SHOEBOX_TRY(check_remote_url(remote.url));
  return remote;
}

Result<RemoteSettings> remote_from_root(const std::string& text) {
  if (text.find("://") == std::string::npos && !text.starts_with("/")) {
    return Status(Code::kInvalid,
                  fmt::format("{}: write a URL ({}) or a path from /", printable(text), kUrlKinds));
  }
  return remote_of(text, "/");
}

Status add_remote_options(const std::vector<std::string>& options, RemoteSettings& remote) {
  if (options.empty()) return Status::ok();
  RemoteSettings named = remote;
  if (named.name.empty()) named.name = "remote";
  std::string text =
      fmt::format("[[remote]]\nname = {}\nurl = {}\n", toml_value(named.name), toml_value(named.url));
  for (const std::string& option : options) {
    const size_t equals = option.find('=');
    if (equals == std::string::npos || option.find('\n') != std::string::npos) {
      return {Code::kInvalid, fmt::format("--option {}: write KEY=VALUE, as in shoebox.toml", option)};
    }
    text += option.substr(0, equals) + " = " + toml_value(option.substr(equals + 1)) + "\n";
  }
  SHOEBOX_ASSIGN(const Settings settings, Settings::parse(text, "--option"));
  const std::string name = remote.name;
  remote = settings.remotes.at(0);
  remote.name = name;
  return Status::ok();
}

}  // namespace shoebox
