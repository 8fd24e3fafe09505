// How the fields of a catalog record become bytes, and bytes fields again. Each record names its fields once,
// in their order, in a function `fields(io, record)` that serves both directions: `io` is a FieldWriter and
// the record const, or a FieldReader and the record to be filled.
//
// A record is its version byte and its fields. Numbers are varints (signed ones zigzag), flags one byte,
// optional fields a flag byte first, lists a count first.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/coding.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox::records {

inline constexpr uint8_t kFirstVersion = 1;

class FieldWriter {
 public:
  FieldWriter(uint8_t version, size_t expected_bytes) : version_(version) {
    out_.reserve(expected_bytes);
    put_u8(out_, version);
  }
  [[nodiscard]] uint8_t version() const { return version_; }
  std::string take() { return std::move(out_); }

  void number(uint64_t v) { put_varint(out_, v); }
  void signed_number(int64_t v) { put_svarint(out_, v); }
  template <typename Byte>
  void byte(Byte v) {
    put_u8(out_, static_cast<uint8_t>(v));
  }
  void real(double v) { put_double(out_, v); }
  void flag(bool v) { put_u8(out_, v ? 1 : 0); }
  template <typename E>
  void enumeration(E v, E /*least*/, E /*greatest*/) {
    byte(v);
  }
  template <typename Id>
  void id(const Id& v) {
    put_varint(out_, v.value);
  }
  void string(const std::string& v) { put_string(out_, v); }
  void hash(const ContentHash& v) { out_.append(v.view()); }
  void time(const Timestamp& v) {
    signed_number(v.seconds);
    number(v.nanoseconds);
  }
  template <typename T, typename Fields>
  void optional(const std::optional<T>& v, Fields fields) {
    flag(v.has_value());
    if (v) fields(*this, *v);
  }
  template <typename T, typename Fields>
  void list(const std::vector<T>& v, Fields fields) {
    number(v.size());
    for (const T& element : v) fields(*this, element);
  }
  template <typename Map, typename KeyFields, typename ValueFields>
  void map(const Map& v, KeyFields key_fields, ValueFields value_fields) {
    number(v.size());
    for (const auto& [key, value] : v) {
      key_fields(*this, key);
      value_fields(*this, value);
    }
  }
  void expect(bool /*makes_sense*/) {}  // only what is read is doubted

 private:
  std::string out_;
  const uint8_t version_;
};

// Remembers whether all fields made sense; what did not is left as it was or zero.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : in_(bytes), version_(in_.u8()) {}
  [[nodiscard]] uint8_t version() const { return version_; }
  // There was a version.
  [[nodiscard]] bool begun() const { return in_.ok() && version_ >= kFirstVersion; }
  // Everything was there, made sense, and nothing is left over.
  [[nodiscard]] bool whole() const { return begun() && sane_ && in_.done(); }

  template <typename T>
  void number(T& v) {
    const uint64_t read = in_.varint();
    expect(read <= std::numeric_limits<T>::max());
    v = static_cast<T>(read);
  }
  template <typename T>
  void signed_number(T& v) {
    const int64_t read = in_.svarint();
    expect(read >= std::numeric_limits<T>::min() && read <= std::numeric_limits<T>::max());
    v = static_cast<T>(read);
  }
  template <typename Byte>
  void byte(Byte& v) {
    v = static_cast<Byte>(in_.u8());
  }
  void real(double& v) { v = in_.f64(); }
  void flag(bool& v) {
    const uint8_t read = in_.u8();
    expect(read <= 1);
    v = read == 1;
  }
  template <typename E>
  void enumeration(E& v, E least, E greatest) {
    const uint8_t read = in_.u8();
    const bool known = read >= static_cast<uint8_t>(least) && read <= static_cast<uint8_t>(greatest);
    expect(known);
    v = known ? static_cast<E>(read) : least;
  }
  template <typename Id>
  void id(Id& v) {
    v = Id(in_.varint());
  }
  void string(std::string& v) { v = in_.string(); }
  void hash(ContentHash& v) {
    const std::string_view read = in_.bytes(v.bytes.size());
    std::copy(read.begin(), read.end(), v.bytes.begin());
  }
  void time(Timestamp& v) {
    signed_number(v.seconds);
    number(v.nanoseconds);
    expect(v.nanoseconds < 1'000'000'000);
  }
  template <typename T, typename Fields>
  void optional(std::optional<T>& v, Fields fields) {
    bool there = false;
    flag(there);
    if (there) fields(*this, v.emplace());
  }
  template <typename T, typename Fields>
  void list(std::vector<T>& v, Fields fields) {
    v.resize(count());
    for (T& element : v) fields(*this, element);
  }
  template <typename Map, typename KeyFields, typename ValueFields>
  void map(Map& v, KeyFields key_fields, ValueFields value_fields) {
    for (size_t n = count(); n > 0 && in_.ok() && sane_; --n) {
      typename Map::key_type key;
      key_fields(*this, key);
      value_fields(*this, v[std::move(key)]);
    }
  }

  // For what a field cannot tell by itself.
  void expect(bool makes_sense) { sane_ = sane_ && makes_sense; }

 private:
  // Of things that take at least one byte each: never more than there are bytes.
  size_t count() {
    const uint64_t n = in_.varint();
    expect(n <= in_.rest().size());
    return n <= in_.rest().size() ? n : 0;
  }

  Decoder in_;
  const uint8_t version_;
  bool sane_ = true;
};

template <typename Record, typename Fields>
std::string write(uint8_t version, const Record& record, Fields fields, size_t expected_bytes = 0) {
  FieldWriter io(version, expected_bytes);
  fields(io, record);
  return io.take();
}

// kIncompatible: of a version above `newest`; kDataLoss: damaged. `what` names the record in the message.
template <typename Record, typename Fields>
Result<Record> read(std::string_view bytes, std::string_view what, uint8_t newest, Fields fields) {
  FieldReader io(bytes);
  if (io.begun() && io.version() > newest) {
    return Status(Code::kIncompatible,
                  fmt::format("catalog record of a {}: version {} is newer than this program; update Shoebox",
                              what, io.version()));
  }
  Record record;
  if (io.begun()) fields(io, record);
  if (!io.whole()) {
    return Status(Code::kDataLoss, fmt::format("catalog record of a {}: damaged ({} bytes); run shoebox fsck",
                                               what, bytes.size()));
  }
  return record;
}

// Fields that several kinds of records have.
inline constexpr auto kStringField = [](auto& io, auto& text) { io.string(text); };

inline constexpr auto kViewValueFields = [](auto& io, auto& value) {
  io.enumeration(value.view, ViewId::kRoot, ViewId::kVideos);
  io.string(value.value);
};

}  // namespace shoebox::records
