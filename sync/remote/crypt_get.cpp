// CryptRemote::get: asks only for the blocks that a range needs, in one request where the nonce is known
// or the range begins with the file; else the header comes first.
#include <fmt/format.h>

#include "sync/remote/checks.h"
#include "sync/remote/crypt_remote.h"

namespace shoebox {
namespace {

constexpr size_t kMostNonces = 4096;  // of files that were read or written lately

// Tells the caller's hints what came beside the plain bytes.
class Wire {
 public:
  explicit Wire(const RequestContext& context) : hints_(context.hints) {}
  ~Wire() {
    if (hints_ != nullptr && came_ > given_) hints_->extra_bytes += came_ - given_;
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  void came(size_t bytes) { came_ += bytes; }
  void given(size_t bytes) { given_ += bytes; }

 private:
  RequestHints* hints_;
  uint64_t came_ = 0;
  uint64_t given_ = 0;
};

}  // namespace

Status CryptRemote::get(const std::string& key, ByteRange range, const std::string& etag,
                        const std::function<Status(std::string_view)>& sink, const RequestContext& context) {
  SHOEBOX_TRY(check_key(key));
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(const OpenedPtr opened, open(false, context));
  SHOEBOX_ASSIGN(const std::string name, opened->names.encrypt(key));
  if (range.empty()) return plain_->get(name, {0, 0}, etag, sink, context);
  const Status status = read(*opened, name, range, etag, sink, context);
  return status.code() == Code::kDataLoss ? status.with_context(key + " on " + this->name()) : status;
}

Status CryptRemote::read(const Opened& opened, const std::string& name, ByteRange range,
                         const std::string& etag, const CryptReader::Sink& sink,
                         const RequestContext& context) {
  const bool with_header = range.begin < kCryptPlainBlock;
  std::optional<CryptNonce> nonce;
  if (!with_header) nonce = known_nonce(name);
  const bool remembered = nonce.has_value();
  if (!with_header && !nonce) {
    SHOEBOX_ASSIGN(nonce, read_nonce(name, etag, context));
  }

  Wire wire(context);
  CryptReader reader(*opened.keys, nonce, range, sink);
  const Status got = plain_->get(
      name, reader.sealed_range(), etag,
      [&](std::string_view piece) {
        wire.came(piece.size());
        return reader.take(piece);
      },
      context);
  const Status status = !reader.failure() ? reader.failure() : got ? reader.finish() : got;
  wire.given(reader.given());
  if (reader.nonce() && reader.given() > 0) remember_nonce(name, reader.nonce());
  if (status || status.code() != Code::kDataLoss || !reader.nonce()) return status;

  if (remembered && reader.given() == 0) {
    // Perhaps another machine wrote the object anew, under another nonce.
    remember_nonce(name, std::nullopt);
    SHOEBOX_ASSIGN(const CryptNonce now, read_nonce(name, etag, context));
    if (now != *nonce) return read(opened, name, range, etag, sink, context);
  }
  const ByteRange left{range.begin + reader.given(), range.end};
  const bool in_last_block = left.begin / kCryptPlainBlock == (range.end - 1) / kCryptPlainBlock;
  if (range.end % kCryptPlainBlock == 0 || !in_last_block) return status;
  return read_last_block(opened, name, *reader.nonce(), left, etag, sink, context);
}

// The range ends within a block that may be longer: only the whole block can be opened. Where the object
// ends is not known here; a remote that has less sends less, and the block itself tells whether it is whole.
Status CryptRemote::read_last_block(const Opened& opened, const std::string& name, const CryptNonce& nonce,
                                    ByteRange range, const std::string& etag, const CryptReader::Sink& sink,
                                    const RequestContext& context) {
  Wire wire(context);
  CryptReader reader(*opened.keys, nonce, range, sink);
  const Status got = plain_->get(
      name, reader.whole_blocks(), etag,
      [&](std::string_view piece) {
        wire.came(piece.size());
        return reader.take(piece);
      },
      context);
  if (!got && got.code() != Code::kDataLoss && reader.failure()) return got;
  const Status status = reader.finish();
  wire.given(reader.given());
  return status;
}

Result<CryptNonce> CryptRemote::read_nonce(const std::string& name, const std::string& etag,
                                           const RequestContext& context) {
  Wire wire(context);
  std::string header;
  SHOEBOX_TRY(plain_->get(
      name, {0, kCryptHeaderBytes}, etag,
      [&](std::string_view piece) {
        wire.came(piece.size());
        header += piece;
        return Status::ok();
      },
      context));
  SHOEBOX_ASSIGN(const CryptNonce nonce, parse_crypt_header(header));
  remember_nonce(name, nonce);
  return nonce;
}

std::optional<CryptNonce> CryptRemote::known_nonce(const std::string& name) {
  MutexLock lock(mutex_);
  const auto found = nonces_.find(name);
  return found == nonces_.end() ? std::nullopt : std::optional(found->second);
}

void CryptRemote::remember_nonce(const std::string& name, const std::optional<CryptNonce>& nonce) {
  MutexLock lock(mutex_);
  if (!nonce) {
    nonces_.erase(name);
    return;
  }
  if (nonces_.size() >= kMostNonces) nonces_.clear();
  nonces_[name] = *nonce;
}

}  // namespace shoebox
