#include "store/tree/computed_xattr.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "store/content/content_store.h"

namespace shoebox {
namespace {

Status no_attribute(std::string_view name) { return {Code::kNoAttribute, fmt::format("{}: not set", name)}; }

std::string date_text(const LocalDate& date) {
  std::string text = fmt::format("{:04}", date.year);
  if (date.month > 0) text += fmt::format("-{:02}", date.month);
  if (date.month > 0 && date.day > 0) text += fmt::format("-{:02}", date.day);
  if (date.day > 0 && date.hour >= 0 && date.minute >= 0)
    text += fmt::format("T{:02}:{:02}:{:02}", date.hour, date.minute, std::max<int>(date.second, 0));
  return text;
}

// The most that eviction leaves, in whole pages at both ends of the tail: more than that on the disk
// means that somebody read a part of it.
uint64_t kept_after_eviction(uint64_t size) {
  constexpr uint64_t kPageBytes = 4096;
  return size <= kKeepWholeBytes ? size : kHeadBytes + kTailBytes + 2 * kPageBytes;
}

Result<std::string> state_of(const TreeCore& core, const CatalogReader& reader, ContentNo number,
                             const ContentRecord& content) {
  SHOEBOX_ASSIGN(const auto jobs, reader.jobs_of_content(number));
  if (content.state == ContentState::kStaging || !jobs.empty()) return std::string("pending");
  if (content.residence == Residence::kLocal) return std::string("local");
  if (!core.local_bytes) return std::string("remote");
  SHOEBOX_ASSIGN(const uint64_t local, core.local_bytes(number));
  return std::string(local > kept_after_eviction(content.size) ? "partial" : "remote");
}

// Values of one view, one a line, in their order.
std::string values_of(const PhotoRecord& photo, ViewId view, const std::vector<std::string>& from_file) {
  std::set<std::string> values;
  for (const std::string& value : from_file)
    if (!photo.statements.contains({view, value})) values.insert(value);
  for (const auto& [value, statement] : photo.statements)
    if (value.view == view && statement == Statement::kAsserted) values.insert(value.value);
  return fmt::format("{}", fmt::join(values, "\n"));
}

// Also of a file in Trash, whose inode carries none.
Result<std::optional<PhotoRecord>> photo_record(const CatalogReader& reader, InodeNo number,
                                                const InodeRecord& inode) {
  PhotoId photo = inode.photo;
  if (!photo) {
    SHOEBOX_ASSIGN(const auto trash, reader.trash(number));
    if (trash) photo = trash->photo;
  }
  if (!photo) return std::optional<PhotoRecord>();
  return reader.photo(photo);
}

}  // namespace

Result<std::string> computed_xattr(const TreeCore& core, const CatalogReader& reader, InodeNo number,
                                   std::string_view name) {
  SHOEBOX_ASSIGN(const InodeRecord inode, need_inode(reader, number));
  const std::string_view key = name.substr(kComputedPrefix.size());
  if (key == "sha256" || key == "state" || key == "copies" || key == "pin") {
    if (!inode.content) return no_attribute(name);
    SHOEBOX_ASSIGN(const auto content, reader.content(inode.content));
    if (!content) return no_attribute(name);
    if (key == "state") return state_of(core, reader, inode.content, *content);
    if (key == "pin") return std::string(content->pinned ? "1" : "0");
    if (key == "copies") {
      SHOEBOX_ASSIGN(const auto copies, reader.copies(inode.content));
      return fmt::format("{}", copies.size());
    }
    if (content->state != ContentState::kSealed) return no_attribute(name);
    return content->sha256.hex();
  }
  SHOEBOX_ASSIGN(const auto photo, photo_record(reader, number, inode));
  if (!photo) return no_attribute(name);
  std::string text;
  if (key == "date") {
    const auto& date = photo->stated_date ? photo->stated_date : photo->date;
    if (date) text = date_text(*date);
  } else if (key == "people") {
    text = values_of(*photo, ViewId::kPeople, photo->info.people);
  } else if (key == "albums") {
    text = values_of(*photo, ViewId::kAlbums, {});
  }
  if (text.empty()) return no_attribute(name);
  return text;
}

Result<LocalDate> parse_stated_date(std::string_view text) {
  const Status invalid{Code::kInvalid, fmt::format("{}: no date; write it as 2023-07-14", text)};
  const auto number = [](std::string_view digits) {
    int value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size() ? value : -1;
  };
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return invalid;
  if ((text.size() > 4 && text[4] != '-') || (text.size() > 7 && text[7] != '-')) return invalid;
  const int year = number(text.substr(0, 4));
  const int month = text.size() > 4 ? number(text.substr(5, 2)) : 0;
  const int day = text.size() > 7 ? number(text.substr(8, 2)) : 0;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (year < 1 || month < 0 || month > 12 || day < 0) return invalid;
  if (text.size() > 4 && month == 0) return invalid;
  if (text.size() > 7 && (day == 0 || day > kDays[month - 1] + (month == 2 && leap ? 1 : 0))) return invalid;
  LocalDate date;
  date.year = static_cast<int16_t>(year);
  date.month = static_cast<uint8_t>(month);
  date.day = static_cast<uint8_t>(day);
  return date;
}

Status set_computed_xattr(Operation& op, InodeNo number, std::string_view name, std::string_view value) {
  SHOEBOX_ASSIGN(const InodeRecord inode, need_inode(op.txn, number));
  const std::string_view key = name.substr(kComputedPrefix.size());
  if (key == "pin") {
    if (!inode.content) return not_permitted("setxattr", name, "the file has no bytes yet");
    if (value != "0" && value != "1") return {Code::kInvalid, fmt::format("{}: 0 or 1", name)};
    SHOEBOX_ASSIGN(auto content, op.txn.content(inode.content));
    if (!content) return no_attribute(name);
    content->pinned = value == "1";
    op.txn.put_content(inode.content, *content);
    return Status::ok();
  }
  if (key == "date") {
    if (!inode.photo) return not_permitted("setxattr", name, "only photos and videos have a date");
    SHOEBOX_ASSIGN(auto photo, op.txn.photo(inode.photo));
    if (!photo) return no_attribute(name);
    photo->stated_date.reset();
    if (!value.empty()) {
      SHOEBOX_ASSIGN(photo->stated_date, parse_stated_date(value));
    }
    op.txn.put_photo(inode.photo, *photo);
    return op.core.engine.refresh(op.txn, inode.photo);
  }
  // Copying a file with its attributes sets what is so already.
  SHOEBOX_ASSIGN(const std::string now, computed_xattr(op.core, op.txn, number, name));
  if (now == value) return Status::ok();
  return not_permitted("setxattr", name, "it is computed");
}

}  // namespace shoebox
