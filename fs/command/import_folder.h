// Copies a folder of this machine into the library, as if somebody had copied it into the drive:
// same relative paths, modes, times and bytes. Can be stopped at any point and run again: what is
// there already, by path, size and time or by its bytes, is not copied again.
//
// Used by one thread, that of the import verb, in the process that has the library open.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "fs/command/import_scan.h"
#include "store/base/cancel.h"
#include "store/base/file_io.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/tree/tree.h"

namespace shoebox {

class Library;

enum class ImportVerdict {
  kImported,
  kRenamed,       // imported under another name, the path was taken by other bytes
  kAlreadyThere,  // at this path
  kKnown,         // the same photo is in the library at another path
  kAdded,         // the same, and got a further name in the album or person that it was imported into
  kFailed,
};

struct ImportOutcome {
  ImportVerdict verdict = ImportVerdict::kFailed;
  std::string path;  // below the mount point: where it is now
  std::string why;   // kFailed; kAdded: its other path
  InodeNo inode;
};

class FolderImport {
 public:
  // `into`: folder below the mount point; made when it is not there.
  FolderImport(Library& library, std::string folder, std::string into);

  ImportOutcome import_file(const ImportSource& file, const CancelToken& cancel,
                            const std::function<void(uint64_t bytes)>& on_bytes);

  // Deletes the source if what was imported from it is sealed, has the source's bytes and is
  // confirmed on `copies` remotes, and the source has not changed. The Status says why not.
  Status remove_source(const ImportSource& file, const ImportOutcome& outcome);
  // Deletes folders of the source that became empty, deepest first; never the folder itself.
  void remove_empty_folders(const std::vector<ImportSource>& files);

 private:
  Result<ImportOutcome> import_opened(const ImportSource& file, int fd, const CancelToken& cancel,
                                      const std::function<void(uint64_t)>& on_bytes);
  Result<InodeNo> ensure_folder(const std::string& path);
  // Whether the file at `inode` has these bytes; staged ones are read.
  Result<bool> same_bytes(const InodeRecord& inode, uint64_t size, const ContentHash& hash) const;
  // The same for adopted bytes that nobody read yet: reads them.
  Result<bool> same_adopted(ContentNo content, uint64_t size, const ContentHash& hash) const;
  Result<bool> is_damaged(ContentNo content) const;
  // Keeps the bytes of `fd` where those of the content were lost.
  Status bring_back_lost(ContentNo content, int fd, const CancelToken& cancel) const;
  // A visible name of the photo with these bytes that is not in Trash.
  Result<std::optional<ImportOutcome>> known_photo(const ContentHash& hash) const;
  Result<InodeNo> copy_in(const ImportSource& file, int fd, InodeNo folder, const std::string& name,
                          const CancelToken& cancel, const std::function<void(uint64_t)>& on_bytes);

  Library& library_;
  std::string folder_;
  std::string into_;
  std::set<uint64_t> sizes_;  // of what was imported by this run
};

}  // namespace shoebox
