// Fixed and variable-length integers and length-prefixed strings, for catalog records and the
// decoder's wire. Keys use big-endian so that RocksDB's byte order is numeric order.
//
// Decoding never trusts its input: a Decoder that ran out of bytes stays failed and yields zeros.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shoebox {

inline void put_u8(std::string& out, uint8_t v) { out.push_back(static_cast<char>(v)); }
inline void put_be32(std::string& out, uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(v >> shift));
}
inline void put_be64(std::string& out, uint64_t v) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(v >> shift));
}
// LEB128, at most 10 bytes.
inline void put_varint(std::string& out, uint64_t v) {
  while (v >= 0x80) {
    out.push_back(static_cast<char>(v | 0x80));
    v >>= 7;
  }
  out.push_back(static_cast<char>(v));
}
// Zigzag, so that small negative numbers stay short.
inline void put_svarint(std::string& out, int64_t v) {
  put_varint(out, (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63));
}
inline void put_string(std::string& out, std::string_view v) {
  put_varint(out, v.size());
  out.append(v);
}
void put_double(std::string& out, double v);

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  uint8_t u8();
  uint32_t be32();
  uint64_t be64();
  uint64_t varint();
  int64_t svarint();
  double f64();
  std::string_view string();             // points into the input
  std::string_view bytes(size_t count);  // points into the input

  // False once anything was missing or malformed.
  [[nodiscard]] bool ok() const { return ok_; }
  // True when all was well and nothing is left over.
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace shoebox
