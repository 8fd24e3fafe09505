// Files and names: every name leads to a file and back, and nlink is what the names say.

#include <fmt/format.h>
#include <sys/stat.h>

#include "store/catalog/fsck_rows.h"
#include "store/catalog/keys.h"

namespace shoebox::fsck {
namespace {

// Names in Dates and the derived views come and go with the photo's record.
bool counts_in_nlink(ViewId view) {
  switch (view) {
    case ViewId::kDates:
    case ViewId::kTrashAlias:  // the second name of what stands in Trash/
    case ViewId::kPlaces:
    case ViewId::kCameras:
    case ViewId::kVideos: return false;
    default: return true;
  }
}

struct Names {
  uint32_t counted = 0;    // must be in nlink
  uint32_t tolerated = 0;  // given names in Dates: until the photo has its home, they hold it
  uint32_t all = 0;
};

Result<Names> count_names(const Context& context, InodeNo number) {
  Names count;
  SHOEBOX_ASSIGN(const std::vector<NameOf> names, context.reader.names_of(number));
  for (const NameOf& name : names) {
    SHOEBOX_ASSIGN(const auto dentry, context.reader.dentry(name.directory, name.name));
    if (!dentry || dentry->inode != number) continue;  // the row of names is a finding by itself
    ++count.all;
    SHOEBOX_ASSIGN(const auto directory, context.reader.inode(name.directory));
    if (directory && counts_in_nlink(directory->view)) {
      ++count.counted;
    } else if (dentry->kind == NameKind::kGiven) {
      ++count.tolerated;
    }
  }
  return count;
}

std::function<Status(Transaction&)> set_nlink(InodeNo number, uint32_t nlink) {
  return [number, nlink](Transaction& txn) -> Status {
    SHOEBOX_ASSIGN(auto inode, txn.inode(number));
    if (!inode) return Status::ok();
    inode->nlink = nlink;
    txn.put_inode(number, *inode);
    return Status::ok();
  };
}

Result<std::vector<Finding>> check_directory(const Context& context, InodeNo number,
                                             const InodeRecord& inode) {
  std::vector<Finding> findings;
  uint32_t folders = 0;
  SHOEBOX_TRY(context.reader.for_each_entry(number, "", [&](const DirEntry& entry) {
    if ((entry.dentry.type & S_IFMT) == S_IFDIR) ++folders;
    return true;
  }));
  if (inode.nlink != 0 && inode.nlink != folders + 2) {
    findings.push_back(
        {fmt::format("folder {}: link count {} with {} folders in it", number.value, inode.nlink, folders),
         set_nlink(number, folders + 2)});
  }
  if (number == kRootInode || inode.nlink == 0) return findings;
  SHOEBOX_ASSIGN(const std::vector<NameOf> names, context.reader.names_of(number));
  if (names.size() != 1) {
    Finding finding{fmt::format("folder {}: has {} names instead of one", number.value, names.size()),
                    nullptr};
    if (names.empty()) {
      finding.repair = [number](Transaction& txn) -> Status {
        SHOEBOX_ASSIGN(auto lost, txn.inode(number));
        if (!lost) return Status::ok();
        SHOEBOX_ASSIGN(auto library, txn.inode(kLibraryInode));
        if (!library) return {Code::kDataLoss, "fsck: the Library folder is missing"};
        lost->parent = kLibraryInode;
        lost->view = ViewId::kLibrary;
        txn.put_inode(number, *lost);
        ++library->nlink;
        txn.put_inode(kLibraryInode, *library);
        return txn.put_dentry(kLibraryInode, fmt::format("recovered-folder-{}", number.value),
                              {number, S_IFDIR, NameKind::kGiven});
      };
    }
    findings.push_back(std::move(finding));
    return findings;
  }
  if (names.front().directory != inode.parent) {
    findings.push_back({fmt::format("folder {}: says it is in folder {}, is in {}", number.value,
                                    inode.parent.value, names.front().directory.value),
                        [number, parent = names.front().directory](Transaction& txn) -> Status {
                          SHOEBOX_ASSIGN(auto record, txn.inode(number));
                          if (!record) return Status::ok();
                          record->parent = parent;
                          txn.put_inode(number, *record);
                          return Status::ok();
                        }});
  }
  return findings;
}

}  // namespace

Result<std::vector<Finding>> check_inode(const Context& context, InodeNo number, const InodeRecord& inode) {
  if (S_ISDIR(inode.mode)) return check_directory(context, number, inode);
  std::vector<Finding> findings;
  SHOEBOX_ASSIGN(const Names names, count_names(context, number));
  const bool unlinked = inode.nlink == 0 && names.all == 0;  // open to the last close; goes at the next mount
  if (!unlinked && (inode.nlink < names.counted || inode.nlink > names.counted + names.tolerated)) {
    findings.push_back(
        {fmt::format("file {}: link count {} with {} names", number.value, inode.nlink, names.counted),
         set_nlink(number, names.counted + (names.counted == 0 ? names.tolerated : 0))});
  }
  const auto reindex = [number](Transaction& txn) -> Status {
    SHOEBOX_ASSIGN(const auto record, txn.inode(number));
    if (!record) return Status::ok();
    if (record->content) txn.put_raw(keys::content_inode(record->content, number), "");
    if (record->photo) txn.put_raw(keys::photo_inode(record->photo, number), "");
    return Status::ok();
  };
  if (inode.content) {
    SHOEBOX_ASSIGN(const auto content, context.reader.get(keys::content(inode.content)));
    if (!content) {
      findings.push_back({fmt::format("file {}: its bytes, content {}, are not in the catalog", number.value,
                                      inode.content.value),
                          nullptr});
    }
    SHOEBOX_ASSIGN(const auto indexed, context.reader.get(keys::content_inode(inode.content, number)));
    if (!indexed) {
      findings.push_back(
          {fmt::format("content {}: file {} is not listed", inode.content.value, number.value), reindex});
    }
  }
  if (inode.photo) {
    SHOEBOX_ASSIGN(const auto photo, context.reader.get(keys::photo(inode.photo)));
    if (!photo) {
      findings.push_back(
          {fmt::format("file {}: is photo {}, which is not there", number.value, inode.photo.value),
           [number](Transaction& txn) -> Status {
             SHOEBOX_ASSIGN(auto record, txn.inode(number));
             if (!record) return Status::ok();
             record->photo = PhotoId();
             txn.put_inode(number, *record);
             return Status::ok();
           }});
    }
    SHOEBOX_ASSIGN(const auto indexed, context.reader.get(keys::photo_inode(inode.photo, number)));
    if (!indexed) {
      findings.push_back(
          {fmt::format("photo {}: file {} is not listed", inode.photo.value, number.value), reindex});
    }
  }
  return findings;
}

Result<std::vector<Finding>> check_dentry(const Context& context, InodeNo directory, std::string_view name,
                                          const DentryRecord& dentry) {
  std::vector<Finding> findings;
  const std::string text(name);
  const auto drop = [directory, text](Transaction& txn) { return txn.erase_dentry(directory, text); };
  SHOEBOX_ASSIGN(const auto parent, context.reader.inode(directory));
  SHOEBOX_ASSIGN(const auto inode, context.reader.inode(dentry.inode));
  if (!inode) {
    findings.push_back({fmt::format("name \"{}\" in folder {}: its file {} is not there", name,
                                    directory.value, dentry.inode.value),
                        drop});
    return findings;
  }
  if (!parent || !S_ISDIR(parent->mode)) {
    findings.push_back({fmt::format("name \"{}\": its folder {} is not there", name, directory.value), drop});
    return findings;
  }
  if ((inode->mode & S_IFMT) != (dentry.type & S_IFMT)) {
    findings.push_back(
        {fmt::format("name \"{}\" in folder {}: is told to be of another type", name, directory.value),
         [directory, text, row = dentry, mode = inode->mode](Transaction& txn) {
           DentryRecord right = row;
           right.type = mode & S_IFMT;
           return txn.put_dentry(directory, text, right);
         }});
  }
  const std::string reverse = keys::name(dentry.inode, directory, name);
  const std::string folded = keys::folded(directory, keys::fold(name), name);
  for (const std::string& key : {reverse, folded}) {
    SHOEBOX_ASSIGN(const auto there, context.reader.get(key));
    if (there) continue;
    findings.push_back(
        {fmt::format("name \"{}\" in folder {}: cannot be found from its file", name, directory.value),
         [key](Transaction& txn) {
           txn.put_raw(key, "");
           return Status::ok();
         }});
  }
  return findings;
}

}  // namespace shoebox::fsck
