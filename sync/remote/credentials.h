// Where the keys of an S3 remote come from: a file of its own (0600), a command, or the AWS_*
// variables, the first of these that the settings name. Never logged, never in a message.
//
// Threads: any. A command runs at most once at a time, for 15 s at most.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/result.h"
#include "sync/remote/kept_secret.h"
#include "sync/remote/sigv4.h"

namespace shoebox {

struct RemoteSettings;

// What a file or a command of secrets holds: names, and where their values go.
using SecretFields = std::vector<std::pair<std::string_view, std::string*>>;
// Lines `name = "…"` of these names; '#' begins a comment. `origin` is named in errors, with the line,
// never with what stands in it.
Status parse_secrets(const std::string& text, const std::string& origin, const SecretFields& fields);

// Lines `access_key = "…"`, `secret_key = "…"`, optionally `session_token = "…"`.
Result<Credentials> parse_credentials(const std::string& text, const std::string& origin);
// Refuses a file that others can read.
Result<Credentials> read_credentials_file(const std::string& path);
// Runs it with /bin/sh; its output is such lines, or the JSON of an AWS credential_process.
Result<Credentials> run_credentials_command(const std::string& command);
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
Result<Credentials> environment_credentials();

// The parts that other secrets share: the whole text of a file that nobody else can read, and what a
// command prints. `what` is the setting, for messages. kUnauthorized when there is no such secret.
Result<std::string> read_private_file(const std::string& path, const std::string& what);
Result<std::string> run_secret_command(const std::string& command, const std::string& what);

class CredentialsSource final : public KeptSecret<Credentials> {
 public:
  explicit CredentialsSource(const RemoteSettings& settings);
};

}  // namespace shoebox
