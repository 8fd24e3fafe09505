// Room on the disk that is set aside for the catalog: a file of preallocated bytes beside its tables. On a
// full disk they are given back piece by piece, so that the catalog can go on (files can be deleted and
// evicted) and be opened again.
//
// Threads: given_back() from any; the rest under the catalog's writer lock, as Db::write() is.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "store/base/file_io.h"
#include "store/base/result.h"

namespace shoebox {

// RocksDB's write buffer. Small, so that what a full disk must have room for is small: it allocates the log
// for a whole buffer when it begins one, and needs as much again for the table it becomes.
inline constexpr uint64_t kCatalogBufferBytes = 8 << 20;
inline constexpr uint64_t kSwitchBytes = 3 * kCatalogBufferBytes;
// What opening writes at most: the table that the last log becomes, and a new log.
inline constexpr uint64_t kOpenBytes = 2 * kCatalogBufferBytes;

class Reserve {
 public:
  // In `folder`, of so many bytes; on a small disk an eighth of it, and what opening needs at least.
  Reserve(std::string folder, uint64_t bytes);

  // RocksDB asserts when the disk is full while it opens, so it shall not begin then: gives back what is
  // missing. kNoSpace when there is not as much.
  Status make_room_to_open();
  // Takes what is missing, as far as it is there.
  void open();
  void fill();
  // False: there is nothing to give.
  bool give_back(uint64_t bytes);
  // The next time that it is given from is told again.
  void all_well() { warned_full_ = false; }

  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  [[nodiscard]] uint64_t wanted_bytes() const { return wanted_bytes_; }
  // What the catalog has to have of the free bytes of the disk: photos must not be written there, or the
  // next mount finds no room.
  [[nodiscard]] uint64_t given_back() const { return given_back_; }

 private:
  void take(uint64_t missing);
  void set_bytes(uint64_t bytes);

  const std::string folder_;
  const std::string path_;
  uint64_t wanted_bytes_ = 0;
  UniqueFd file_;
  uint64_t bytes_ = 0;  // allocated now
  bool warned_full_ = false;
  std::atomic<uint64_t> given_back_{0};
};

}  // namespace shoebox
