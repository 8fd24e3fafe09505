// What is right about one row of the catalog. One function per table; fsck.cpp walks the rows.
#pragma once

#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/catalog/catalog.h"
#include "store/catalog/fsck.h"

namespace shoebox::fsck {

// A finding, and how to repair it inside a transaction (empty: only a person can).
struct Finding {
  std::string what;
  std::function<Status(Transaction&)> repair;
};

struct Context {
  const CatalogReader& reader;
  const FsckOptions& options;
  // Versions per content, counted in one pass: no key leads from a content to its versions.
  const std::unordered_map<ContentNo, uint32_t>& versions;
};

// An error is the disk's; what is wrong with the row comes as a finding.
Result<std::vector<Finding>> check_row(const Context& context, std::string_view key, std::string_view value);

// The tables of files and names (fsck_names.cpp), and of contents and photos (fsck_contents.cpp).
Result<std::vector<Finding>> check_inode(const Context& context, InodeNo number, const InodeRecord& inode);
Result<std::vector<Finding>> check_dentry(const Context& context, InodeNo directory, std::string_view name,
                                          const DentryRecord& dentry);
Result<std::vector<Finding>> check_content(const Context& context, ContentNo number,
                                           const ContentRecord& content);
Result<std::vector<Finding>> check_photo(const Context& context, PhotoId id, const PhotoRecord& photo);

// "drop the row": for index rows, whose truth stands elsewhere.
std::function<Status(Transaction&)> erase_row(std::string_view key);

}  // namespace shoebox::fsck
