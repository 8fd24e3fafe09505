// Thumbnails: 256 and 1024 px JPEGs by content hash and size, in a RocksDB of their own with blob
// files. Everything here can be made again: a damaged database is set aside and started anew.
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class Thumbnails {
 public:
  static constexpr uint32_t kSizes[] = {256, 1024};
  // Opens LIBRARY/thumbnails; renames a damaged one to thumbnails.damaged-N and starts anew (rebuilt() is
  // true).
  static Result<std::unique_ptr<Thumbnails>> open(const std::string& path, bool read_only);
  ~Thumbnails();
  [[nodiscard]] bool rebuilt() const;

  Result<std::optional<std::string>> get(const ContentHash& sha256, uint32_t size_px) const;
  Status put(const ContentHash& sha256, uint32_t size_px, std::string_view jpeg);
  Status remove(const ContentHash& sha256);
  Status flush();

 private:
  struct State;
  explicit Thumbnails(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
