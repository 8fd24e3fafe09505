// The file at hand: bounded reads through its descriptor, and a mapping for the parsers that want
// all bytes in memory. The decoder has one thread and one file at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox::decoder {

class SourceFile {
 public:
  static constexpr uint64_t kMaxMapBytes = uint64_t{1} << 30;  // a quarter of the address space allowed

  // `hole`: what is not there and reads as zeros.
  static Result<SourceFile> open(int fd, ByteRange hole = {});
  ~SourceFile();
  SourceFile(SourceFile&& other) noexcept;
  SourceFile& operator=(SourceFile&&) = delete;

  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] const ByteRange& hole() const { return hole_; }
  [[nodiscard]] bool is_part() const { return !hole_.empty(); }
  // Up to `bytes` at `offset`; fewer at the end of the file or when it cannot be read.
  [[nodiscard]] std::string read(uint64_t offset, size_t bytes) const;
  // As read(), into memory of the caller; how many bytes came.
  size_t read_into(uint64_t offset, void* buffer, size_t bytes) const;
  // All bytes; empty when the file is larger than kMaxMapBytes.
  [[nodiscard]] std::string_view map();

 private:
  SourceFile(int fd, uint64_t size, ByteRange hole) : fd_(fd), size_(size), hole_(hole) {}
  int fd_;  // the caller's
  uint64_t size_;
  ByteRange hole_;
  void* mapping_ = nullptr;
};

}  // namespace shoebox::decoder
