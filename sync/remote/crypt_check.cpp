#include "sync/remote/crypt_check.h"

#include <fmt/format.h>

#include <charconv>

#include "sync/remote/crypt_blocks.h"
#include "sync/remote/crypt_reader.h"
#include "sync/remote/small_object.h"

namespace shoebox {
namespace {

constexpr std::string_view kText = "shoebox-crypt ";
constexpr int kVersion = 1;
constexpr uint64_t kMostBytes = 4096;
constexpr int kMostPages = 4;  // objects of the remote that are looked at to tell what they are
constexpr int kMostOpened = 8;

Status wrong() {
  return {Code::kUnauthorized,
          "the passphrase (or salt) is not the one that this remote was encrypted with; nothing is read or "
          "written there until it is"};
}

// The plain bytes of a small object.
Result<std::string> read_whole(Remote& plain, const CryptKeys& keys, const std::string& name,
                               uint64_t plain_size, const RequestContext& context) {
  std::string text;
  const CryptReader::Sink sink = [&](std::string_view piece) {
    text += piece;
    return Status::ok();
  };
  CryptReader reader(keys, std::nullopt, {0, plain_size}, sink);
  SHOEBOX_TRY(plain.get(
      name, reader.sealed_range(), "", [&](std::string_view piece) { return reader.take(piece); }, context));
  SHOEBOX_TRY(reader.finish());
  return text;
}

// Whether its first block opens. An error is one of the remote, not of the bytes.
Result<bool> opens(Remote& plain, const CryptKeys& keys, const RemoteObject& object,
                   const RequestContext& context) {
  const uint64_t size = crypt_plain_size(object.size).value_or(0);
  if (size == 0) return false;
  auto first = read_whole(plain, keys, object.key, std::min(size, kCryptPlainBlock), context);
  if (!first && first.code() != Code::kDataLoss && first.code() != Code::kNotFound) return first.status();
  return first.is_ok();
}

}  // namespace

Status refuse_sealed(Remote& remote, const RequestContext& context) {
  const auto check = remote.stat(kCryptCheckKey, context);
  if (check.code() == Code::kNotFound) return Status::ok();
  if (!check) return check.status();
  return {Code::kInvalid,
          fmt::format("what stands on {} is encrypted; give --option crypt=true and its passphrase",
                      remote.name())};
}

Status read_crypt_check(Remote& plain, const CryptKeys& keys, const RequestContext& context) {
  SHOEBOX_ASSIGN(const RemoteObject object, plain.stat(kCryptCheckKey, context));
  const auto size = crypt_plain_size(object.size);
  if (!size || *size == 0 || *size > kMostBytes) {
    return {Code::kUnauthorized,
            fmt::format("{} is no check object; put it back from a copy of the remote", kCryptCheckKey)};
  }
  auto text = read_whole(plain, keys, kCryptCheckKey, *size, context);
  if (text.code() == Code::kDataLoss) return wrong();
  if (!text) return text.status();
  int version = 0;
  if (text->starts_with(kText)) {
    std::from_chars(text->data() + kText.size(), text->data() + text->size(), version);
  }
  if (version == kVersion) return Status::ok();
  return {Code::kIncompatible, fmt::format("{} is of format {}, made by a newer Shoebox; this one knows {}",
                                           kCryptCheckKey, version, kVersion)};
}

Result<CryptProof> prove_crypt_keys(Remote& plain, const CryptKeys& keys, const CryptNames& names,
                                    const RequestContext& context) {
  const Status checked = read_crypt_check(plain, keys, context);
  if (checked) return CryptProof::kChecked;
  if (checked.code() != Code::kNotFound) return checked;
  std::string foreign;  // a name that is no encrypted one
  bool any = false;
  bool all_named = true;
  int tried = 0;
  std::string next;
  for (int page = 0; page < kMostPages; ++page) {
    SHOEBOX_ASSIGN(const ListPage listed, plain.list("", next, context));
    for (const RemoteObject& object : listed.objects) {
      if (object.key.starts_with(kCryptMetaFolder)) continue;
      any = true;
      const bool named = names.decrypt(object.key).is_ok();
      if (!named && foreign.empty()) foreign = object.key;
      all_named = all_named && named;
      if (!named || tried >= kMostOpened || crypt_plain_size(object.size).value_or(0) == 0) continue;
      ++tried;
      SHOEBOX_ASSIGN(const bool open, opens(plain, keys, object, context));
      if (open) return CryptProof::kOpened;
    }
    next = listed.next;
    if (next.empty()) break;
  }
  if (!any) return CryptProof::kFresh;
  if (tried == 0 && all_named) return CryptProof::kOpened;  // empty files only: their names tell
  if (tried > 0) return wrong();
  return Status(Code::kUnauthorized,
                fmt::format("\"{}\" stands there, which this passphrase did not encrypt: crypt = true needs "
                            "the right passphrase, or a folder or prefix of its own",
                            foreign));
}

Status write_crypt_check(Remote& plain, const CryptKeys& keys, const RequestContext& context) {
  const std::string text =
      fmt::format("{}{}\nIf this can be read, the passphrase is the right one.\n", kText, kVersion);
  const CryptNonce nonce = CryptNonce::random();
  std::string bytes = crypt_header(nonce);
  crypt_seal(keys, nonce, 0, text, bytes);
  const Status put = put_small_object(plain, kCryptCheckKey, bytes, /*if_absent=*/true, context).status();
  if (put.code() == Code::kConflict) return read_crypt_check(plain, keys, context);
  return put;
}

}  // namespace shoebox
