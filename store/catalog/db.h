// The only wrapper around RocksDB in the catalog: ordered bytes to bytes, atomic batches, one log.
//
// Owned by Catalog. Threads: any. Writes are serialised by the catalog's writer lock. On a full disk it lives
// on its reserve (reserve.h) while everything else gets ENOSPC.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"

namespace shoebox {

// Keys to new values; nullopt removes the key. Ordered, so that reads can merge it with the tables.
using KeyChanges = std::map<std::string, std::optional<std::string>, std::less<>>;

class Db {
 public:
  struct Options {
    bool read_only = false;
    bool create = true;
    bool in_memory = false;      // for tests: nothing touches the disk, sync() does nothing
    uint64_t reserve_bytes = 0;  // 0: no reserve file
    // The hot part of a catalog of 100,000 photos (inodes and names, about 300 bytes each) fits.
    uint64_t cache_bytes = 64 << 20;
  };
  // kNotFound: nothing there and not to be created. kDataLoss names the table that is missing or
  // damaged. kBusy: another process has it open.
  static Result<std::unique_ptr<Db>> open(const std::string& path, const Options& options);
  // Builds a new manifest from the tables that can still be read. What only stood in damaged ones
  // is lost: for fsck --repair, after the owner asked for it.
  static Status salvage(const std::string& path);
  ~Db();

  // The rows as they were when it was made; kept until it goes. Outlived by the Db. Thread-safe.
  class Snapshot {
   public:
    ~Snapshot();

   private:
    friend class Db;
    struct State;
    explicit Snapshot(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  [[nodiscard]] std::unique_ptr<Snapshot> snapshot() const;

  // `at`: as of this snapshot; null: now.
  Result<std::optional<std::string>> get(std::string_view key, const Snapshot* at = nullptr) const;
  // As get() of now, an answer for each key in their order; rows that lie together are read together.
  Result<std::vector<std::optional<std::string>>> get_many(const std::vector<std::string>& keys) const;
  // The greatest key that starts with `prefix`.
  Result<std::optional<std::string>> last_key(std::string_view prefix, const Snapshot* at = nullptr) const;

  // Walks the keys that start with a prefix, in byte order, as of its making. Not thread-safe.
  class Cursor {
   public:
    ~Cursor();
    [[nodiscard]] bool valid() const;
    [[nodiscard]] std::string_view key() const;    // until next()
    [[nodiscard]] std::string_view value() const;  // until next()
    void next();
    [[nodiscard]] Status status() const;  // why it stopped being valid

   private:
    friend class Db;
    struct State;
    explicit Cursor(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  [[nodiscard]] std::unique_ptr<Cursor> seek(std::string_view prefix, std::string_view from,
                                             const Snapshot* at = nullptr) const;

  // All of it or nothing; in RocksDB's log when it returns, not yet on the platter.
  Status write(const KeyChanges& changes);
  // Removes the keys from `begin` up to, but not including, `end`. As write().
  Status erase_range(std::string_view begin, std::string_view end);
  // Everything written so far survives a power cut when it returns ok.
  Status sync();
  // As Catalog::kept_free_bytes().
  [[nodiscard]] uint64_t kept_free_bytes() const;

 private:
  struct State;
  explicit Db(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
