#include "fs/options.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace shoebox {
namespace {

using std::string_view_literals::operator""sv;

// Kernel options in pairs that exclude each other.
constexpr std::array kKernelPairs = {
    std::pair{"suid"sv, "nosuid"sv},   std::pair{"dev"sv, "nodev"sv},  std::pair{"exec"sv, "noexec"sv},
    std::pair{"atime"sv, "noatime"sv}, std::pair{"sync"sv, "async"sv},
};
constexpr std::array kKernelOptions = {"dirsync"sv, "allow_root"sv, "auto_unmount"sv};
constexpr std::array kKernelValues = {"context"sv, "fscontext"sv, "defcontext"sv, "rootcontext"sv,
                                      "max_read"sv};

// For mount(8), systemd and fstab, or true here whatever is asked for.
constexpr std::array kDropped = {"defaults"sv,      "auto"sv,       "noauto"sv,     "user"sv,
                                 "nouser"sv,        "users"sv,      "nousers"sv,    "owner"sv,
                                 "noowner"sv,       "group"sv,      "nogroup"sv,    "_netdev"sv,
                                 "nofail"sv,        "relatime"sv,   "norelatime"sv, "strictatime"sv,
                                 "diratime"sv,      "nodiratime"sv, "lazytime"sv,   "nolazytime"sv,
                                 "nostrictatime"sv, "mand"sv,       "nomand"sv,     "iversion"sv,
                                 "noiversion"sv,    "silent"sv,     "loud"sv,       "acl"sv,
                                 "user_xattr"sv,    "remount"sv,    "large_read"sv, "default_permissions"sv};

template <typename List>
bool holds(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

Result<uint32_t> number(std::string_view option, std::string_view value, int base) {
  uint32_t parsed = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed, base);
  if (value.empty() || error != std::errc() || end != value.data() + value.size()) {
    return Status(Code::kInvalid, fmt::format("mount option {}={}: {}", option, value,
                                              base == 8 ? "give an octal number, as umask=022"
                                                        : "no such name here; give a number"));
  }
  return parsed;
}

Result<uint32_t> user_id(std::string_view value) {
  const std::string name(value);
  if (const passwd* entry = getpwnam(name.c_str())) return static_cast<uint32_t>(entry->pw_uid);
  return number("uid", value, 10);
}

Result<uint32_t> group_id(std::string_view value) {
  const std::string name(value);
  if (const group* entry = getgrnam(name.c_str())) return static_cast<uint32_t>(entry->gr_gid);
  return number("gid", value, 10);
}

void replace_kernel_option(MountOptions& options, std::string_view remove, std::string_view add) {
  std::erase(options.kernel, remove);
  std::erase(options.kernel, add);
  options.kernel.emplace_back(add);
}

bool apply_kernel_option(MountOptions& options, std::string_view option, std::string_view name) {
  for (const auto& [one, other] : kKernelPairs) {
    if (option == one) return replace_kernel_option(options, other, one), true;
    if (option == other) return replace_kernel_option(options, one, other), true;
  }
  if (holds(kKernelOptions, option) || (name.size() < option.size() && holds(kKernelValues, name))) {
    replace_kernel_option(options, option, option);
    return true;
  }
  return false;
}

Status apply(MountOptions& options, std::string_view option) {
  const size_t equals = option.find('=');
  const std::string_view name = option.substr(0, equals);
  const bool has_value = equals != std::string_view::npos;
  const std::string_view value = has_value ? option.substr(equals + 1) : std::string_view();

  if (option == "ro" || option == "rw") {
    options.read_only = option == "ro";
  } else if (option == "allow_other") {
    options.allow_other = true;
  } else if (has_value && name == "uid") {
    SHOEBOX_ASSIGN(options.uid, user_id(value));
  } else if (has_value && name == "gid") {
    SHOEBOX_ASSIGN(options.gid, group_id(value));
  } else if (has_value && name == "umask") {
    SHOEBOX_ASSIGN(const uint32_t mask, number("umask", value, 8));
    if (mask > 0777) {
      return Status(Code::kInvalid, fmt::format("mount option umask={}: at most 777", value));
    }
    options.umask = mask;
  } else if (holds(kDropped, name) || name.starts_with("x-") || name.starts_with("X-") || name == "comment") {
    // Nothing to do.
  } else if (!apply_kernel_option(options, option, name)) {
    return Status(Code::kInvalid,
                  fmt::format("mount option \"{}\" is not known; shoebox has allow_other, ro, uid=, gid=, "
                              "umask= and what mount(8) knows for every file system",
                              option));
  }
  return Status::ok();
}

}  // namespace

Result<MountOptions> parse_mount_options(const std::vector<std::string>& options) {
  MountOptions parsed;
  for (std::string_view rest : options) {
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      const std::string_view option = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      if (!option.empty()) SHOEBOX_TRY(apply(parsed, option));
    }
  }
  return parsed;
}

}  // namespace shoebox
