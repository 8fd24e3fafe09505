// The folder behind a directory remote: opened anew for each operation (a held descriptor would keep
// a NAS from being unmounted), and walked name by name without ever following a symlink.
//
// The marker `.shoebox/remote` tells the owner's folder from the empty mount point that stands there
// while a NAS is not mounted. It is checked on the same descriptor that the operation then uses.
//
// Threads: any. Holds no lock over I/O.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "store/base/file_io.h"
#include "store/base/result.h"
#include "sync/remote/remote_marker.h"

namespace shoebox {

// The Status for an errno of a remote's folder: what a network file system reports when it is gone is
// kUnavailable, missing rights are kUnauthorized. ENOENT is kNotFound: only for paths below a checked root.
Status dir_error(int error, std::string_view what);

// Makes the names in an open folder durable. File systems that cannot (SMB says EINVAL) have no more to give.
Status sync_folder(int fd, std::string_view path_for_message);

class DirTree {
 public:
  // With `used_before`, a folder without marker is never taken for new.
  // With `only_look`, it is not made a remote either; open_root() says kNotFound of it.
  DirTree(std::string root, bool used_before, bool only_look = false)
      : root_(std::move(root)), only_look_(only_look), seen_(used_before) {}

  [[nodiscard]] const std::string& root() const { return root_; }
  // The folder, marker checked; written at first use. kUnavailable when it is not the owner's folder.
  Result<UniqueFd> open_root();

  // The folder that holds `key`, below `root_fd`. kNotFound when there is none.
  Result<UniqueFd> open_parent(int root_fd, const std::string& key) const;
  // The same, made where missing; each made folder is durable in its parent.
  Result<UniqueFd> make_parent(int root_fd, const std::string& key) const;
  // Removes the folders above `key` that are empty, as far as nobody else uses them.
  void remove_empty_parents(int root_fd, const std::string& key) const;

  // What stands in .shoebox/tmp/; empty when there is no such folder.
  Result<std::vector<std::string>> temporaries(int root_fd) const;
  // Ok when it was not there.
  Status remove_temporary(int root_fd, const std::string& name) const;

  // Last name of a key.
  static std::string leaf(const std::string& key);

 private:
  Status first_use(int root_fd);
  // kIncompatible when the marker is of a newer version.
  Status read_marker(int root_fd) const;

  std::string root_;
  std::atomic<uint64_t> device_{0};  // on which it was seen to lie on no Shoebox drive
  const bool only_look_;
  std::atomic<bool> read_{false};  // the marker's version is one that we know
  std::atomic<bool> seen_;  // the marker stood there once: from then on its absence means "not mounted"
};

}  // namespace shoebox
