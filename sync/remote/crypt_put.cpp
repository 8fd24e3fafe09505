// CryptRemote::put: encrypts into a scratch file, then lets the remote below send that as it sends any file.
#include <fmt/format.h>

#include <algorithm>

#include "store/base/hash.h"
#include "sync/remote/checks.h"
#include "sync/remote/crypt_encrypt.h"
#include "sync/remote/crypt_progress.h"
#include "sync/remote/crypt_remote.h"

namespace shoebox {
namespace {

// Plain bytes in the first `sent` ones of an object.
uint64_t plain_bytes_in(uint64_t sent) {
  if (sent <= kCryptHeaderBytes) return 0;
  const uint64_t whole = (sent - kCryptHeaderBytes) / kCryptSealedBlock;
  const uint64_t rest = (sent - kCryptHeaderBytes) % kCryptSealedBlock;
  return whole * kCryptPlainBlock + (rest > kCryptTagBytes ? rest - kCryptTagBytes : 0);
}

}  // namespace

Result<RemoteObject> CryptRemote::put(const std::string& key, int fd, const PutOptions& options,
                                      const RequestContext& context) {
  SHOEBOX_TRY(check_key(key));
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(const OpenedPtr opened, open(true, context));
  SHOEBOX_ASSIGN(const std::string name, opened->names.encrypt(key));
  const CryptProgress progress = CryptProgress::take_up(options);
  SHOEBOX_ASSIGN(const EncryptedFile file,
                 encrypt_file(*opened->keys, progress.nonce, fd, options, key, options_.scratch, context));
  PutOptions below;
  below.size = file.size;
  below.sha256 = file.sha256;
  below.file_time = options.file_time;
  below.if_absent = options.if_absent;
  below.progress = progress.below;
  if (options.save_progress) {
    below.save_progress = [&](const std::string& text) {
      return options.save_progress(progress.text(options, text));
    };
  }
  if (options.on_bytes) below.on_bytes = [&](uint64_t sent) { options.on_bytes(plain_bytes_in(sent)); };
  remember_nonce(name, std::nullopt);
  auto stored = plain_->put(name, file.fd.get(), below, context);
  // An earlier attempt whose answer was lost had another nonce, and so other bytes.
  if (!stored && stored.code() == Code::kConflict && options.if_absent) {
    stored = same_bytes(*opened, name, options, context);
    if (stored.code() == Code::kConflict) return stored.status().with_context(key);
  } else if (stored) {
    remember_nonce(name, progress.nonce);
  }
  if (!stored) return stored.status();
  return plain_object(key, *stored);
}

Result<RemoteObject> CryptRemote::same_bytes(const Opened& opened, const std::string& name,
                                             const PutOptions& options, const RequestContext& context) {
  const Status other(Code::kConflict, "another object stands there");
  SHOEBOX_ASSIGN(RemoteObject object, plain_->stat(name, context));
  if (object.size != crypt_sealed_size(options.size)) return other;
  Sha256 hash;
  if (options.size > 0) {
    const CryptReader::Sink sink = [&](std::string_view piece) {
      hash.update(piece.data(), piece.size());
      return Status::ok();
    };
    const Status got = read(opened, name, {0, options.size}, object.etag, sink, context);
    if (got.code() == Code::kDataLoss) return other;
    if (!got) return got;
  }
  if (hash.finish() == options.sha256) return object;
  return other;
}

}  // namespace shoebox
