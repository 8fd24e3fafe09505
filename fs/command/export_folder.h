// Copies folders of the drive to a plain folder of this machine: same paths, modes, times, attributes
// and bytes. Each file is read back from the disk and its hash compared before it takes its name. Can be
// stopped at any point and run again; never replaces a file of the destination.
//
// Used by one thread, that of the export verb, in the process that has the library open.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "store/base/cancel.h"
#include "store/base/hash.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

class FileHandle;
class Library;

struct ExportItem {
  std::string path;  // below the mount point, and below the destination
  InodeNo inode;
  InodeRecord record;  // as it was when it was listed
};

enum class ExportVerdict {
  kCopied,
  kLinked,        // another name of a file of this run: a hard link
  kAlreadyThere,  // with the right bytes
  kDamaged,       // there as it is on this disk, which is not as it was written
};

class FolderExport {
 public:
  FolderExport(Library& library, std::string destination);

  // All below a folder of the drive, itself first, folders before what is in them.
  Result<std::vector<ExportItem>> list(const std::string& folder, const CancelToken& cancel) const;

  // Folders, symbolic links and regular files; kNotSupported for others. kConflict: something else has
  // the path. kNoSpace: the destination is full, and so it will be for the next file.
  Result<ExportVerdict> export_item(const ExportItem& item, const CancelToken& cancel,
                                    const std::function<void(uint64_t bytes)>& on_bytes);
  // Writes what the owner said of a photo beside it, as PATH.xmp; where the owner has a file of that name,
  // as .shoebox/sidecars/PATH.xmp. False: there is nothing to tell.
  Result<bool> export_sidecar(const ExportItem& item);
  // Gives folders their modes and times and makes all names durable. Once, at the end of a run.
  Status finish();

 private:
  Result<ExportVerdict> export_file(const ExportItem& item, const CancelToken& cancel,
                                    const std::function<void(uint64_t)>& on_bytes);
  Result<ContentHash> copy_bytes(const std::shared_ptr<FileHandle>& handle, int to, uint64_t size,
                                 const CancelToken& cancel,
                                 const std::function<void(uint64_t)>& on_bytes) const;
  // The hash that the exported bytes must have: the recorded one, or that of what is on its way in.
  Result<std::optional<ContentHash>> recorded_hash(const ExportItem& item) const;
  // The hash of what stands on this disk, where that is not what was recorded.
  Result<std::optional<ContentHash>> damaged_hash(const ExportItem& item, const CancelToken& cancel) const;
  void dress(int fd, const ExportItem& item) const;  // mode, owner, times, user.* attributes
  [[nodiscard]] std::string target(const std::string& path) const { return destination_ + "/" + path; }

  Library& library_;
  std::string destination_;
  std::map<InodeNo, std::string> exported_;  // of this run, for their further names
  std::vector<ExportItem> folders_;
  std::set<std::string> changed_folders_;
};

}  // namespace shoebox
