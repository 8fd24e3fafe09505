// POSIX ACLs in the form that the kernel passes as system.posix_acl_access and _default, and how
// they and the mode bits follow each other. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"

namespace shoebox {

inline constexpr std::string_view kAclAccess = "system.posix_acl_access";
inline constexpr std::string_view kAclDefault = "system.posix_acl_default";

class PosixAcl {
 public:
  // kInvalid: not an ACL, or one that breaks the rules (missing entry, no mask, wrong order).
  static Result<PosixAcl> parse(std::string_view bytes);
  [[nodiscard]] std::string bytes() const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  // The permission bits this access ACL stands for.
  [[nodiscard]] uint32_t permissions() const;
  // No named entries: the mode says it all and the ACL need not be stored.
  [[nodiscard]] bool equals_mode() const;
  // chmod: owner, other and mask (or owning group) take the bits.
  void set_permissions(uint32_t mode);
  // As a default ACL at create(2): limits the entries by `mode`, and `mode` by the entries.
  void limit_for_create(uint32_t& mode);

 private:
  struct Entry {
    uint16_t tag = 0;
    uint16_t perm = 0;
    uint32_t id = 0;
  };
  Entry* find(uint16_t tag);
  std::vector<Entry> entries_;
};

}  // namespace shoebox
