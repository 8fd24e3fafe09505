#include "sync/remote/crypt_unlock.h"

#include <fmt/format.h>
#include <unistd.h>

#include "store/settings.h"
#include "sync/remote/crypt_check.h"
#include "sync/remote/crypt_passphrase.h"
#include "sync/remote/factory.h"

namespace shoebox {
namespace {

constexpr int kAsked = 3;

Clock::Steady in(std::chrono::seconds patience) { return std::chrono::steady_clock::now() + patience; }

UnlockedRemote ask(const RemoteSettings& settings, std::chrono::seconds patience) {
  Status trouble;
  for (int turn = 0; turn < kAsked; ++turn) {
    const auto typed = ask_passphrase(fmt::format("passphrase of remote {}: ", settings.name));
    if (!typed) return {nullptr, typed.status()};
    if (typed->view().empty()) return {nullptr, {Code::kUnauthorized, "no passphrase was given"}};
    auto keys = crypt_keys_of(settings, *typed);
    if (!keys) return {nullptr, keys.status()};
    trouble = try_crypt_keys(settings, *keys, in(patience));
    if (trouble) return {*keys, trouble};
    if (trouble.code() == Code::kUnauthorized) continue;
    // What is encrypted with a mistyped one is lost.
    const auto again = ask_passphrase(fmt::format(
        "remote {} knows no passphrase yet, or cannot be asked; the same again: ", settings.name));
    if (!again) return {nullptr, again.status()};
    if (again->view() == typed->view()) return {*keys, Status::ok()};
    trouble = {Code::kUnauthorized, "two different passphrases were given"};
  }
  return {nullptr, trouble};
}

}  // namespace

Status try_crypt_keys(const RemoteSettings& settings, const std::shared_ptr<const CryptKeys>& keys,
                      Clock::Steady deadline) {
  RemoteSettings below = settings;
  below.crypt = false;
  SHOEBOX_ASSIGN(const std::unique_ptr<Remote> plain, make_remote(below, {.only_look = true}));
  RequestContext context;
  context.deadline = deadline;
  // What is wrong with the remote itself, its credentials for one, says nothing of the passphrase.
  const Status there = plain->check(context);
  if (there.code() == Code::kNotFound) return there;  // nothing was stored there yet
  if (!there) return {Code::kUnavailable, there.message()};
  const CryptNames names(keys);
  SHOEBOX_ASSIGN(const CryptProof proof, prove_crypt_keys(*plain, *keys, names, context));
  return proof == CryptProof::kFresh ? Status(Code::kNotFound, "nothing was encrypted there yet")
                                     : Status::ok();
}

UnlockedRemote unlock_remote(const RemoteSettings& settings, std::chrono::seconds patience) {
  if (!has_passphrase_source(settings) && ::isatty(STDIN_FILENO) == 1) return ask(settings, patience);
  auto keys = read_crypt_keys(settings);
  if (!keys) return {nullptr, keys.status()};
  const Status tried = try_crypt_keys(settings, *keys, in(patience));
  if (tried.code() == Code::kUnauthorized) return {nullptr, tried};
  return {*keys, Status::ok()};
}

Result<std::shared_ptr<const CryptKeys>> renewed_keys(const RemoteSettings& settings,
                                                      const std::shared_ptr<const CryptKeys>& in_use,
                                                      std::chrono::seconds patience) {
  if (!has_passphrase_source(settings)) return in_use;
  const std::string source = settings.passphrase_file.empty()
                                 ? "passphrase_command"
                                 : fmt::format("passphrase_file {}", settings.passphrase_file);
  const auto wrong = [&](const Status& why) {
    return Status(why.code(), fmt::format("remote \"{}\": {}: {}; the drive goes on as before", settings.name,
                                          source, why.message()));
  };
  const auto keys = read_crypt_keys(settings);
  if (!keys) return wrong(keys.status());
  if (in_use && in_use->equals(**keys)) return in_use;
  const Status tried = try_crypt_keys(settings, *keys, in(patience));
  if (tried || tried.code() == Code::kNotFound) return *keys;
  if (tried.code() == Code::kUnauthorized) return wrong(tried);
  if (!in_use) return *keys;  // the remote itself says later whether they are right
  return wrong(
      {tried.code(), fmt::format("is another passphrase than the one in use, and the remote cannot be "
                                 "asked about it: {}",
                                 tried.message())});
}

}  // namespace shoebox
