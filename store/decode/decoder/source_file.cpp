#include "store/decode/decoder/source_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "store/base/file_io.h"

namespace shoebox::decoder {

Result<SourceFile> SourceFile::open(int fd, ByteRange hole) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return Status::from_errno(errno, "stat of the file to decode");
  if (!S_ISREG(info.st_mode)) return {Code::kInvalid, "the file to decode is not a regular file"};
  return SourceFile(fd, static_cast<uint64_t>(info.st_size), hole);
}

SourceFile::SourceFile(SourceFile&& other) noexcept

    : fd_(other.fd_),
      size_(other.size_),
      hole_(other.hole_),
      mapping_(std::exchange(other.mapping_, nullptr)) {}

SourceFile::~SourceFile() {
  if (mapping_ != nullptr) munmap(mapping_, size_);
}

std::string SourceFile::read(uint64_t offset, size_t bytes) const {
  if (offset >= size_) return {};
  std::string out(static_cast<size_t>(std::min<uint64_t>(bytes, size_ - offset)), '\0');
  out.resize(read_into(offset, out.data(), out.size()));
  return out;
}

size_t SourceFile::read_into(uint64_t offset, void* buffer, size_t bytes) const {
  if (offset >= size_) return 0;
  const Result<size_t> got = pread_full(fd_, buffer, bytes, offset);
  return got.is_ok() ? got.value() : 0;
}

std::string_view SourceFile::map() {
  if (mapping_ == nullptr) {
    if (size_ == 0 || size_ > kMaxMapBytes) return {};
    void* mapping = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd_, 0);
    if (mapping == MAP_FAILED) return {};
    mapping_ = mapping;
  }
  return {static_cast<const char*>(mapping_), static_cast<size_t>(size_)};
}

}  // namespace shoebox::decoder
