// How the fields of a record become bytes and come back: what records.cpp is made of. Private to it.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/coding.h"
#include "store/catalog/records.h"

namespace shoebox::record_coding {

inline constexpr uint8_t kVersion = 1;

inline std::string start(uint8_t version = kVersion) { return std::string(1, static_cast<char>(version)); }

inline void put_time(std::string& out, Timestamp t) {
  put_svarint(out, t.seconds);
  put_varint(out, t.nanoseconds);
}

inline void put_date(std::string& out, const LocalDate& d) {
  put_svarint(out, d.year);
  put_u8(out, d.month);
  put_u8(out, d.day);
  put_u8(out, static_cast<uint8_t>(d.hour));
  put_u8(out, static_cast<uint8_t>(d.minute));
  put_u8(out, static_cast<uint8_t>(d.second));
}

template <typename T, typename Put>
void put_optional(std::string& out, const std::optional<T>& value, Put put) {
  put_u8(out, value ? 1 : 0);
  if (value) put(*value);
}

inline void put_strings(std::string& out, const std::vector<std::string>& list) {
  put_varint(out, list.size());
  for (const std::string& s : list) put_string(out, s);
}

// Reads fields and remembers whether all of them made sense.
struct Reader {
  Decoder in;
  bool sane = true;
  uint8_t version = kVersion;

  template <typename T>
  T number() {
    const uint64_t v = in.varint();
    if (v > std::numeric_limits<T>::max()) sane = false;
    return static_cast<T>(v);
  }
  template <typename T>
  T signed_number() {
    const int64_t v = in.svarint();
    if (v < std::numeric_limits<T>::min() || v > std::numeric_limits<T>::max()) sane = false;
    return static_cast<T>(v);
  }
  bool flag() {
    const uint8_t v = in.u8();
    if (v > 1) sane = false;
    return v == 1;
  }
  template <typename E>
  E enumeration(E least, E greatest) {
    const uint8_t v = in.u8();
    if (v < static_cast<uint8_t>(least) || v > static_cast<uint8_t>(greatest)) {
      sane = false;
      return least;
    }
    return static_cast<E>(v);
  }
  std::string string() { return std::string(in.string()); }
  // A count of things that take at least one byte each: never more than there are bytes.
  size_t count() {
    const uint64_t n = in.varint();
    if (n > in.rest().size()) {
      sane = false;
      return 0;
    }
    return n;
  }
  Timestamp time() {
    Timestamp t;
    t.seconds = in.svarint();
    t.nanoseconds = number<uint32_t>();
    if (t.nanoseconds >= 1'000'000'000) sane = false;
    return t;
  }
  LocalDate date() {
    LocalDate d;
    d.year = signed_number<int16_t>();
    d.month = in.u8();
    d.day = in.u8();
    d.hour = static_cast<int8_t>(in.u8());
    d.minute = static_cast<int8_t>(in.u8());
    d.second = static_cast<int8_t>(in.u8());
    if (d.month > 12 || d.day > 31) sane = false;
    return d;
  }
  std::vector<std::string> strings() {
    std::vector<std::string> list(count());
    for (std::string& s : list) s = string();
    return list;
  }
  ViewId view() { return enumeration(ViewId::kRoot, ViewId::kVideos); }
  ContentHash hash() {
    ContentHash h;
    const std::string_view b = in.bytes(h.bytes.size());
    std::copy(b.begin(), b.end(), h.bytes.begin());
    return h;
  }
};

template <typename T, typename Fill>
Result<T> parse(std::string_view bytes, std::string_view what, Fill fill, uint8_t newest = kVersion) {
  Reader reader{Decoder(bytes)};
  const uint8_t version = reader.version = reader.in.u8();
  if (reader.in.ok() && version > newest) {
    return Status(Code::kIncompatible,
                  fmt::format("catalog record of a {}: version {} is newer than this program; update Shoebox",
                              what, version));
  }
  T record;
  if (reader.in.ok() && version >= kVersion) fill(reader, record);
  if (version < kVersion || !reader.sane || !reader.in.done()) {
    return Status(Code::kDataLoss, fmt::format("catalog record of a {}: damaged ({} bytes); run shoebox fsck",
                                               what, bytes.size()));
  }
  return record;
}

}  // namespace shoebox::record_coding
