#include "sync/remote/crypt_remote.h"

#include <fmt/format.h>

#include "store/base/log.h"
#include "sync/remote/checks.h"
#include "sync/remote/crypt_check.h"

namespace shoebox {
namespace {

constexpr auto kLookForCancel = std::chrono::milliseconds(50);

}  // namespace

CryptRemote::CryptRemote(std::unique_ptr<Remote> plain, Options options)
    : plain_(std::move(plain)), options_(std::move(options)), keys_(options_.keys) {}

Result<CryptRemote::OpenedPtr> CryptRemote::open(bool to_write,
                                                 const RequestContext& context) NO_THREAD_SAFETY_ANALYSIS {
  {
    MutexLock lock(mutex_);
    for (;;) {
      if (opened_ && (opened_->may_write || !to_write)) return opened_;
      if (!refused_ && std::chrono::steady_clock::now() < refused_until_) return refused_;
      if (!proving_) break;
      SHOEBOX_TRY(check_wanted(context));
      changed_.wait_for(mutex_, kLookForCancel);
    }
    proving_ = true;
  }
  // Whatever comes of it, the next one may try.
  struct Turn {
    CryptRemote& remote;
    ~Turn() {
      {
        MutexLock lock(remote.mutex_);
        remote.proving_ = false;
      }
      remote.changed_.notify_all();
    }
  } turn{*this};
  return prove(to_write, context);
}

Result<CryptRemote::OpenedPtr> CryptRemote::prove(bool to_write, const RequestContext& context) {
  Keys keys;
  {
    MutexLock lock(mutex_);
    keys = keys_;
  }
  const auto attempt = [&]() -> Result<std::pair<OpenedPtr, bool>> {
    if (!keys) {
      SHOEBOX_ASSIGN(keys, options_.read_keys());
    }
    const CryptNames names(keys);
    SHOEBOX_ASSIGN(const CryptProof proof, prove_crypt_keys(*plain_, *keys, names, context));
    if (proof != CryptProof::kChecked && to_write) {
      SHOEBOX_TRY(write_crypt_check(*plain_, *keys, context));
    }
    const bool stands = proof == CryptProof::kChecked || to_write;
    // On an empty remote nothing is proven by reading.
    return std::pair(std::make_shared<const Opened>(Opened{keys, names, stands}),
                     stands || proof == CryptProof::kOpened);
  };
  auto opened = attempt();
  MutexLock lock(mutex_);
  if (!opened) {
    const Status why = opened.status().with_context(fmt::format("remote \"{}\"", name()));
    const bool refused = why.code() == Code::kUnauthorized;
    keys_ = refused ? nullptr : keys;
    if (refused) {
      refused_ = why;
      refused_until_ = std::chrono::steady_clock::now() + options_.refused_for;
    }
    return why;
  }
  keys_ = keys;
  if (opened->second) opened_ = opened->first;
  return opened->first;
}

Result<RemoteObject> CryptRemote::plain_object(const std::string& key, const RemoteObject& object) const {
  const auto size = crypt_plain_size(object.size);
  if (!size) {
    return Status(Code::kDataLoss, fmt::format("{} on {}: {} bytes are no encrypted file: it was cut off",
                                               key, name(), object.size));
  }
  return RemoteObject{key, object.etag, *size, object.modified_s};
}

Status CryptRemote::check(const RequestContext& context) {
  SHOEBOX_TRY(plain_->check(context));
  return open(true, context).status();
}

Result<RemoteObject> CryptRemote::stat(const std::string& key, const RequestContext& context) {
  SHOEBOX_TRY(check_key(key));
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(const OpenedPtr opened, open(false, context));
  SHOEBOX_ASSIGN(const std::string name, opened->names.encrypt(key));
  SHOEBOX_ASSIGN(const RemoteObject object, plain_->stat(name, context));
  return plain_object(key, object);
}

Result<ListPage> CryptRemote::list(const std::string& prefix, const std::string& next,
                                   const RequestContext& context) {
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(const OpenedPtr opened, open(false, context));
  const size_t slash = prefix.rfind('/');
  const std::string folders = slash == std::string::npos ? "" : prefix.substr(0, slash + 1);
  SHOEBOX_ASSIGN(const std::string encrypted, opened->names.encrypt_folders(folders));
  SHOEBOX_ASSIGN(ListPage listed, plain_->list(encrypted, next, context));
  ListPage page;
  page.next = std::move(listed.next);
  page.skipped = listed.skipped;
  std::string foreign;
  for (RemoteObject& object : listed.objects) {
    if (object.key.starts_with(kCryptMetaFolder)) continue;
    auto key = opened->names.decrypt(object.key);
    const auto size = crypt_plain_size(object.size);
    if (!key || !size || !check_key(*key)) {
      ++page.skipped;
      if (foreign.empty()) foreign = object.key;
      continue;
    }
    if (!key->starts_with(prefix)) continue;
    page.objects.push_back({std::move(*key), std::move(object.etag), *size, object.modified_s});
  }
  if (page.skipped > listed.skipped && !warned_of_foreign_.exchange(true)) {
    log::warning(
        "remote {}: {} objects or more, such as {}, were not encrypted with its passphrase; they are left "
        "alone",
        name(), page.skipped - listed.skipped, foreign);
  }
  return page;
}

Status CryptRemote::copy(const std::string& from, const std::string& to, const RequestContext& context) {
  SHOEBOX_TRY(check_key(from));
  SHOEBOX_TRY(check_key(to));
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(const OpenedPtr opened, open(true, context));
  SHOEBOX_ASSIGN(const std::string source, opened->names.encrypt(from));
  SHOEBOX_ASSIGN(const std::string target, opened->names.encrypt(to));
  remember_nonce(target, std::nullopt);
  RequestContext encrypted = context;
  encrypted.source_sha256 = {};  // of other bytes
  return plain_->copy(source, target, encrypted);
}

Status CryptRemote::remove(const std::string& key, const RequestContext& context) {
  SHOEBOX_TRY(check_key(key));
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(const OpenedPtr opened, open(true, context));
  SHOEBOX_ASSIGN(const std::string name, opened->names.encrypt(key));
  remember_nonce(name, std::nullopt);
  return plain_->remove(name, context);
}

Result<uint64_t> CryptRemote::remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                               const RequestContext& context) {
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(const OpenedPtr opened, open(true, context));
  std::string name;
  if (!key.empty()) {
    SHOEBOX_ASSIGN(name, opened->names.encrypt(key));
  }
  return plain_->remove_leftovers(
      name,
      [&](const Leftover& left) -> Result<bool> {
        if (left.key.empty()) return given_up(left);
        const auto plain = opened->names.decrypt(left.key);
        return plain ? given_up({*plain, left.id}) : Result<bool>(false);  // else somebody else's
      },
      context);
}

}  // namespace shoebox
