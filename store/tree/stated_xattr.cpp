// Attributes of user.shoebox.* that people set: each says what a folder of a view would say.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/tree/computed_xattr.h"
#include "store/tree/person_names.h"
#include "store/tree/place_text.h"
#include "store/tree/sidecar_facts.h"
#include "store/xmp_sidecar.h"

namespace shoebox {
namespace {

constexpr size_t kMaxValues = 1024;
constexpr size_t kMaxValueBytes = 1024;

Status wrong(std::string_view name, std::string_view why) {
  return {Code::kInvalid, fmt::format("{}: {}", name, why)};
}

Result<bool> parse_switch(std::string_view name, std::string_view value) {
  if (value == "1") return true;
  if (value == "0") return false;
  return wrong(name, "0 or 1");
}

// One value a line, tidied as those of files are.
Result<std::set<std::string>> parse_values(std::string_view name, std::string_view text) {
  std::vector<std::string> values;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    values.emplace_back(text.substr(0, end));
    if (values.back().size() > kMaxValueBytes) return wrong(name, "a line is over 1024 bytes");
    if (values.back().find('\0') != std::string::npos) return wrong(name, "a line holds a NUL");
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (values.size() > kMaxValues) return wrong(name, "over 1024 lines");
  tidy(values);
  return std::set<std::string>(values.begin(), values.end());
}

// "Trip/Day 1" is two folders in Albums; people do not nest.
ViewPath path_of_value(ViewId view, std::string_view value) {
  if (view == ViewId::kPeople) return {std::string(value)};
  ViewPath path;
  while (!value.empty()) {
    const size_t slash = value.find('/');
    if (slash != 0) path.emplace_back(value.substr(0, slash));
    value.remove_prefix(slash == std::string_view::npos ? value.size() : slash + 1);
  }
  return path;
}

// Names that somebody gave in the folder of this value go: they would show for ever.
Status remove_given_names(Operation& op, PhotoId photo, const View& view, const ViewPath& path) {
  SHOEBOX_ASSIGN(const auto folder, op.core.rows.folder(op.txn, view, path));
  if (!folder) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<Row> rows, op.core.rows.of_photo(op.txn, photo));
  for (const Row& row : rows) {
    if (row.directory != *folder || row.kind != NameKind::kGiven) continue;
    SHOEBOX_TRY(op.core.engine.name_removed(op.txn, row.directory, row.name));
    SHOEBOX_TRY(settle_unlinked(op, row.inode));
  }
  return Status::ok();
}

Status state_values(Operation& op, PhotoId id, ViewId view_id, std::string_view name, std::string_view text) {
  const View* view = op.core.engine.view_of(view_id);
  if (view == nullptr) return not_permitted("setxattr", name, "this view is not there in this build");
  SHOEBOX_ASSIGN(const std::set<std::string> wanted, parse_values(name, text));
  for (const std::string& value : wanted) {
    const ViewPath path = path_of_value(view_id, value);
    if (path.empty()) return wrong(name, fmt::format("\"{}\" names nothing", value));
    SHOEBOX_TRY(view->may_mkdir(path));
  }
  op.txn.tell_all_names();  // the kernel asked for none of them
  SHOEBOX_ASSIGN(auto photo, op.txn.photo(id));
  if (!photo) return Status::ok();
  const std::set<std::string> standing = values_in_view(*photo, view_id);
  for (const std::string& value : standing)
    if (!wanted.contains(value))
      SHOEBOX_TRY(remove_given_names(op, id, *view, path_of_value(view_id, value)));
  SHOEBOX_ASSIGN(photo, op.txn.photo(id));
  if (!photo) return Status::ok();
  for (const std::string& value : standing)
    if (!wanted.contains(value)) view->state_removed(*photo, path_of_value(view_id, value));
  for (const std::string& value : wanted) {
    if (standing.contains(value)) continue;
    view->state_added(*photo, path_of_value(view_id, value));
    if (view->merges_folders()) SHOEBOX_TRY(forget_earlier_name(op.txn, value));
  }
  op.txn.put_photo(id, *photo);
  return op.core.engine.refresh(op.txn, id);
}

Status pin(Operation& op, ContentNo number, std::string_view name, std::string_view value) {
  if (!number) return not_permitted("setxattr", name, "the file has no bytes yet");
  SHOEBOX_ASSIGN(const bool pinned, parse_switch(name, value));
  SHOEBOX_ASSIGN(auto content, op.txn.content(number));
  if (!content) return {Code::kNoAttribute, fmt::format("{}: not set", name)};
  content->pinned = pinned;
  op.txn.put_content(number, *content);
  return Status::ok();
}

Status state_date(Operation& op, PhotoId id, std::string_view value) {
  SHOEBOX_ASSIGN(auto photo, op.txn.photo(id));
  if (!photo) return Status::ok();
  photo->stated_date.reset();
  if (!value.empty()) {
    SHOEBOX_ASSIGN(photo->stated_date, parse_stated_date(value));
  }
  op.txn.put_photo(id, *photo);
  return op.core.engine.refresh(op.txn, id);
}

Status state_place(Operation& op, PhotoId id, std::optional<std::string> place) {
  SHOEBOX_ASSIGN(auto photo, op.txn.photo(id));
  if (!photo) return Status::ok();
  photo->stated_place = std::move(place);
  op.txn.put_photo(id, *photo);
  return op.core.engine.refresh(op.txn, id);
}

Status state_favorite(Operation& op, PhotoId id, bool favorite) {
  SHOEBOX_ASSIGN(auto photo, op.txn.photo(id));
  if (!photo) return Status::ok();
  photo->statements[{ViewId::kFavorites, {}}] = favorite ? Statement::kAsserted : Statement::kDenied;
  op.txn.put_photo(id, *photo);
  return op.core.engine.refresh(op.txn, id);
}

// What is not a value of this view by now (an album that is called "") is left out.
Status restate_values(Operation& op, PhotoRecord& photo, ViewId id, const std::vector<std::string>& asserted,
                      const std::vector<std::string>& denied) {
  const View* view = op.core.engine.view_of(id);
  if (view == nullptr) return Status::ok();
  for (const std::string& value : denied) {
    if (const ViewPath path = path_of_value(id, value); !path.empty()) view->state_removed(photo, path);
  }
  for (const std::string& value : asserted) {
    const ViewPath path = path_of_value(id, value);
    if (path.empty() || !view->may_mkdir(path)) continue;
    view->state_added(photo, path);
    if (view->merges_folders()) SHOEBOX_TRY(forget_earlier_name(op.txn, value));
  }
  return Status::ok();
}

std::vector<std::string> without(const std::vector<std::string>& values,
                                 const std::vector<std::string>& others) {
  std::vector<std::string> left;
  for (const std::string& value : values)
    if (std::find(others.begin(), others.end(), value) == others.end()) left.push_back(value);
  return left;
}

// Only what differs, so that what a sidecar cannot spell stays as it is.
Status set_values(Operation& op, PhotoId id, ViewId view_id, const std::vector<std::string>& now,
                  const std::vector<std::string>& now_denied, const std::vector<std::string>& asserted,
                  const std::vector<std::string>& denied) {
  const View* view = op.core.engine.view_of(view_id);
  if (view == nullptr) return Status::ok();
  const std::vector<std::string> gone = without(now, asserted);
  for (const std::string& value : gone)
    SHOEBOX_TRY(remove_given_names(op, id, *view, path_of_value(view_id, value)));
  SHOEBOX_ASSIGN(auto photo, op.txn.photo(id));
  if (!photo) return Status::ok();
  for (const auto& values : {gone, without(now_denied, denied)})
    for (const std::string& value : values) ViewEngine::unsay(*photo, *view, path_of_value(view_id, value));
  SHOEBOX_TRY(restate_values(op, *photo, view_id, without(asserted, now), without(denied, now_denied)));
  op.txn.put_photo(id, *photo);
  return Status::ok();
}

Status set_attribute(Operation& op, PhotoId id, std::string_view name, const std::string& value) {
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, op.txn.inodes_of_photo(id));
  for (const InodeNo one : inodes) {
    if (value.empty())
      op.txn.erase_xattr(one, name);
    else
      op.txn.put_xattr(one, name, value);
  }
  return Status::ok();
}

}  // namespace

Status Tree::change_statements(InodeNo number, const OwnerStatements& now, const OwnerStatements& said) {
  Operation op(*state_, Caller{});
  op.txn.tell_all_names();
  SHOEBOX_ASSIGN(const InodeRecord inode, need_inode(op.txn, number));
  const PhotoId id = inode.photo;
  SHOEBOX_TRY(
      set_values(op, id, ViewId::kPeople, now.people, now.denied_people, said.people, said.denied_people));
  SHOEBOX_TRY(
      set_values(op, id, ViewId::kAlbums, now.albums, now.denied_albums, said.albums, said.denied_albums));
  SHOEBOX_ASSIGN(auto photo, op.txn.photo(id));
  if (!photo) return Status::ok();
  if (now.favorite != said.favorite)
    photo->statements[{ViewId::kFavorites, {}}] = said.favorite ? Statement::kAsserted : Statement::kDenied;
  if (now.date != said.date) photo->stated_date = said.date;
  if (now.place != said.place) photo->stated_place = said.place;
  op.txn.put_photo(id, *photo);
  if (now.tags != said.tags)
    SHOEBOX_TRY(set_attribute(op, id, "user.xdg.tags", fmt::format("{}", fmt::join(said.tags, ","))));
  if (now.caption != said.caption) SHOEBOX_TRY(set_attribute(op, id, "user.xdg.comment", said.caption));
  // Baloo counts half stars.
  if (now.rating != said.rating)
    SHOEBOX_TRY(
        set_attribute(op, id, "user.baloo.rating", said.rating < 0 ? "" : std::to_string(said.rating * 2)));
  SHOEBOX_TRY(op.core.engine.refresh(op.txn, id));
  return op.commit();
}

Result<LocalDate> parse_stated_date(std::string_view text) {
  const Status invalid{Code::kInvalid, fmt::format("{}: no date; write it as 2023-07-14", text)};
  const auto number = [](std::string_view digits) {
    int value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size() ? value : -1;
  };
  LocalDate date;
  if (text.size() == 16 || text.size() == 19) {
    const std::string_view time = text.substr(11);
    const bool shaped =
        (text[10] == 'T' || text[10] == ' ') && time[2] == ':' && (time.size() == 5 || time[5] == ':');
    const int hour = number(time.substr(0, 2)), minute = number(time.substr(3, 2));
    const int second = time.size() > 5 ? number(time.substr(6, 2)) : 0;
    if (!shaped || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
      return invalid;
    date.hour = static_cast<int8_t>(hour);
    date.minute = static_cast<int8_t>(minute);
    date.second = static_cast<int8_t>(second);
    text = text.substr(0, 10);
  }
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
  date.year = static_cast<int16_t>(year);
  date.month = static_cast<uint8_t>(month);
  date.day = static_cast<uint8_t>(day);
  return date;
}

namespace {

bool is_said_of_photos(std::string_view key) {
  constexpr std::string_view kSaid[] = {"date", "favorite", "people", "albums", "place"};
  return std::find(std::begin(kSaid), std::end(kSaid), key) != std::end(kSaid);
}

}  // namespace

Status remove_computed_xattr(Operation& op, InodeNo number, std::string_view name) {
  const std::string_view key = name.substr(kComputedPrefix.size());
  if (key == "pin" || key == "favorite") return set_computed_xattr(op, number, name, "0");
  if (!is_said_of_photos(key)) return not_permitted("removexattr", name, "it is computed");
  if (key != "place") return set_computed_xattr(op, number, name, "");
  SHOEBOX_ASSIGN(const InodeRecord inode, need_inode(op.txn, number));
  return inode.photo ? state_place(op, inode.photo, std::nullopt) : Status::ok();
}

Status set_computed_xattr(Operation& op, InodeNo number, std::string_view name, std::string_view value) {
  SHOEBOX_ASSIGN(const InodeRecord inode, need_inode(op.txn, number));
  const std::string_view key = name.substr(kComputedPrefix.size());
  if (key == "pin") return pin(op, inode.content, name, value);
  if (is_said_of_photos(key) && !inode.photo)
    return not_permitted("setxattr", name, "photos and videos outside Trash have it, nothing else");
  if (key == "date") return state_date(op, inode.photo, value);
  if (key == "people") return state_values(op, inode.photo, ViewId::kPeople, name, value);
  if (key == "albums") return state_values(op, inode.photo, ViewId::kAlbums, name, value);
  if (key == "place") {
    SHOEBOX_ASSIGN(std::string place, parse_stated_place(value));
    return state_place(op, inode.photo, std::move(place));
  }
  if (key == "favorite") {
    SHOEBOX_ASSIGN(const bool favorite, parse_switch(name, value));
    return state_favorite(op, inode.photo, favorite);
  }
  // Copying a file with its attributes sets what is so already.
  SHOEBOX_ASSIGN(const std::string now, computed_xattr(op.core, op.txn, number, name));
  if (now == value) return Status::ok();
  return not_permitted("setxattr", name, "it is computed");
}

}  // namespace shoebox
