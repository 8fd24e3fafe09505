#include "sync/remote/crypt_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace shoebox {

CryptReader::CryptReader(const CryptKeys& keys, std::optional<CryptNonce> nonce, ByteRange range,
                         const Sink& sink)
    : keys_(keys),
      nonce_(nonce),
      range_(range),
      sink_(sink),
      has_header_(!nonce),
      block_(range.begin / kCryptPlainBlock) {}

ByteRange CryptReader::sealed_range() const {
  const uint64_t first = range_.begin / kCryptPlainBlock;
  return {has_header_ ? 0 : kCryptHeaderBytes + first * kCryptSealedBlock, crypt_sealed_size(range_.end)};
}

ByteRange CryptReader::whole_blocks() const {
  const uint64_t blocks = (range_.end + kCryptPlainBlock - 1) / kCryptPlainBlock;
  return {sealed_range().begin, kCryptHeaderBytes + blocks * kCryptSealedBlock};
}

Status CryptReader::fail(Status why) {
  failure_ = std::move(why);
  return failure_;
}

Status CryptReader::take(std::string_view sealed) {
  SHOEBOX_TRY(failure_);
  while (!sealed.empty()) {
    const size_t want = nonce_ ? kCryptSealedBlock : kCryptHeaderBytes;
    std::string_view whole;
    if (held_.empty() && sealed.size() >= want) {
      whole = sealed.substr(0, want);
      sealed.remove_prefix(want);
    } else {
      const size_t part = std::min(want - held_.size(), sealed.size());
      held_.append(sealed.substr(0, part));
      sealed.remove_prefix(part);
      if (held_.size() < want) return Status::ok();
      whole = held_;
    }
    if (nonce_) {
      SHOEBOX_TRY(take_block(whole));
    } else {
      auto nonce = parse_crypt_header(whole);
      if (!nonce) return fail(nonce.status());
      nonce_ = *nonce;
    }
    held_.clear();
  }
  return Status::ok();
}

Status CryptReader::finish() {
  SHOEBOX_TRY(failure_);
  if (nonce_ && !held_.empty()) {
    SHOEBOX_TRY(take_block(std::exchange(held_, {})));
  }
  if (given_ == range_.size()) return Status::ok();
  return fail({Code::kDataLoss, fmt::format("the answer ends {} bytes early", range_.size() - given_)});
}

Status CryptReader::take_block(std::string_view sealed) {
  const uint64_t begin = block_ * kCryptPlainBlock;
  const auto plain = crypt_open(keys_, *nonce_, block_, sealed);
  if (!plain) {
    return fail({Code::kDataLoss, fmt::format("the encrypted bytes at {} were changed or cut off", begin)});
  }
  ++block_;
  const uint64_t from = std::max(begin, range_.begin);
  const uint64_t to = std::min(begin + plain->size(), range_.end);
  if (from >= to) return Status::ok();
  const Status taken = sink_(std::string_view(*plain).substr(from - begin, to - from));
  if (!taken) return fail(taken);
  given_ += to - from;
  return Status::ok();
}

}  // namespace shoebox
