#include "store/base/coding.h"

#include <bit>

namespace shoebox {

void put_double(std::string& out, double v) { put_be64(out, std::bit_cast<uint64_t>(v)); }

std::string_view Decoder::bytes(size_t count) {
  if (!ok_ || count > rest_.size()) {
    ok_ = false;
    return {};
  }
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

uint8_t Decoder::u8() {
  const std::string_view b = bytes(1);
  return b.empty() ? 0 : static_cast<uint8_t>(b[0]);
}

uint32_t Decoder::be32() {
  uint32_t v = 0;
  for (const char c : bytes(4)) v = v << 8 | static_cast<uint8_t>(c);
  return v;
}

uint64_t Decoder::be64() {
  uint64_t v = 0;
  for (const char c : bytes(8)) v = v << 8 | static_cast<uint8_t>(c);
  return v;
}

uint64_t Decoder::varint() {
  uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = u8();
    if (!ok_) return 0;
    v |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return v;
  }
  ok_ = false;
  return 0;
}

int64_t Decoder::svarint() {
  const uint64_t v = varint();
  return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}

double Decoder::f64() { return std::bit_cast<double>(be64()); }

std::string_view Decoder::string() { return bytes(varint()); }

}  // namespace shoebox
