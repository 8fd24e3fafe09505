#include "store/tree/posix_acl.h"

#include <algorithm>

namespace shoebox {
namespace {

// linux/posix_acl_xattr.h: little-endian version 2, then {tag, perm, id} of 8 bytes each.
constexpr uint32_t kVersion = 2;
constexpr uint16_t kUserObj = 0x01, kUser = 0x02, kGroupObj = 0x04, kGroup = 0x08, kMask = 0x10,
                   kOther = 0x20;
constexpr uint32_t kNoId = 0xFFFFFFFF;

uint32_t read_le(std::string_view bytes, size_t at, int count) {
  uint32_t value = 0;
  for (int i = count - 1; i >= 0; --i)
    value = value << 8 | static_cast<uint8_t>(bytes[at + static_cast<size_t>(i)]);
  return value;
}

void put_le(std::string& out, uint32_t value, int count) {
  for (int i = 0; i < count; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

Status invalid(const char* why) { return {Code::kInvalid, std::string("acl: ") + why}; }

}  // namespace

Result<PosixAcl> PosixAcl::parse(std::string_view bytes) {
  if (bytes.size() < 4 || (bytes.size() - 4) % 8 != 0) return invalid("wrong length");
  if (read_le(bytes, 0, 4) != kVersion) return invalid("unknown version");
  PosixAcl acl;
  for (size_t at = 4; at < bytes.size(); at += 8) {
    const Entry entry{static_cast<uint16_t>(read_le(bytes, at, 2)),
                      static_cast<uint16_t>(read_le(bytes, at + 2, 2)), read_le(bytes, at + 4, 4)};
    if (entry.perm > 7) return invalid("unknown permission bits");
    acl.entries_.push_back(entry);
  }
  if (acl.entries_.empty()) return acl;

  int user_obj = 0, group_obj = 0, mask = 0, other = 0, named = 0;
  uint16_t previous = 0;
  for (const Entry& entry : acl.entries_) {
    if (entry.tag < previous) return invalid("entries out of order");
    previous = entry.tag;
    switch (entry.tag) {
      case kUserObj: ++user_obj; break;
      case kGroupObj: ++group_obj; break;
      case kMask: ++mask; break;
      case kOther: ++other; break;
      case kUser:
      case kGroup:
        if (entry.id == kNoId) return invalid("a named entry without an id");
        ++named;
        break;
      default: return invalid("unknown tag");
    }
  }
  if (user_obj != 1 || group_obj != 1 || other != 1 || mask > 1) return invalid("missing or doubled entries");
  if (named > 0 && mask == 0) return invalid("named entries need a mask");
  return acl;
}

std::string PosixAcl::bytes() const {
  std::string out;
  put_le(out, kVersion, 4);
  for (const Entry& entry : entries_) {
    put_le(out, entry.tag, 2);
    put_le(out, entry.perm, 2);
    put_le(out, entry.id, 4);
  }
  return out;
}

PosixAcl::Entry* PosixAcl::find(uint16_t tag) {
  const auto at =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.tag == tag; });
  return at == entries_.end() ? nullptr : &*at;
}

uint32_t PosixAcl::permissions() const {
  uint32_t user = 0, group = 0, other = 0;
  std::optional<uint32_t> mask;
  for (const Entry& entry : entries_) {
    if (entry.tag == kUserObj) user = entry.perm;
    if (entry.tag == kGroupObj) group = entry.perm;
    if (entry.tag == kOther) other = entry.perm;
    if (entry.tag == kMask) mask = entry.perm;
  }
  return user << 6 | mask.value_or(group) << 3 | other;
}

bool PosixAcl::equals_mode() const {
  return std::none_of(entries_.begin(), entries_.end(),
                      [](const Entry& e) { return e.tag == kUser || e.tag == kGroup || e.tag == kMask; });
}

void PosixAcl::set_permissions(uint32_t mode) {
  if (Entry* user = find(kUserObj)) user->perm = mode >> 6 & 7;
  if (Entry* other = find(kOther)) other->perm = mode & 7;
  if (Entry* mask = find(kMask))
    mask->perm = mode >> 3 & 7;
  else if (Entry* group = find(kGroupObj))
    group->perm = mode >> 3 & 7;
}

void PosixAcl::limit_for_create(uint32_t& mode) {
  const auto limit = [&mode](Entry* entry, int shift) {
    if (!entry) return;
    entry->perm &= static_cast<uint16_t>(mode >> shift & 7);
    mode &= ~(7U << shift) | static_cast<uint32_t>(entry->perm) << shift;
  };
  limit(find(kUserObj), 6);
  Entry* mask = find(kMask);
  limit(mask ? mask : find(kGroupObj), 3);
  limit(find(kOther), 0);
}

}  // namespace shoebox
