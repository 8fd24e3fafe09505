#include "fs/views/dates.h"

#include <fmt/format.h>

#include "store/tree/name_class.h"

namespace shoebox {
namespace {

constexpr std::string_view kUnknown = "Unknown";

// "Somebody says that the date is not known": a stated date without a year.
constexpr LocalDate kStatedUnknown{};

// As far as `said` goes, it is what `own` says as well: its year, say, or its day.
bool says_nothing_new(const LocalDate& said, const LocalDate& own) {
  return said.year == own.year && (said.month == 0 || said.month == own.month) &&
         (said.day == 0 || said.day == own.day) && (said.hour < 0 || said.hour == own.hour) &&
         (said.minute < 0 || said.minute == own.minute) && (said.second < 0 || said.second == own.second);
}

bool is_unknown(const ViewPath& path) { return path.size() == 1 && path.front() == kUnknown; }

}  // namespace

DatesView::DatesView(std::string_view layout) : layout_(DatesLayout::standard()) {
  if (auto parsed = DatesLayout::parse(layout)) layout_ = std::move(parsed).value();
}

ViewPath DatesView::folder_of(const std::optional<LocalDate>& date) const {
  ViewPath path = date ? layout_.path_of(*date) : ViewPath();
  if (path.empty()) path.emplace_back(kUnknown);
  return path;
}

std::vector<ViewPath> DatesView::places(const PhotoRecord& photo) const {
  if (photo.info.kind == MediaKind::kUnknown) {  // only what people said is known yet
    if (photo.stated_date) return {folder_of(photo.stated_date)};
    return {};
  }
  if (!shows_in_views(photo)) return {};
  return {folder_of(photo.stated_date ? photo.stated_date : photo.date)};
}

bool DatesView::holds_photos(const ViewPath& path) const {
  return is_unknown(path) || layout_.date_of(path).has_value();
}

Status DatesView::may_mkdir(const ViewPath& path) const {
  if (holds_photos(path)) return Status::ok();
  return {Code::kNotPermitted, fmt::format("\"{}\" is no date, folders of Dates are dates (2023, then 07)",
                                           path.empty() ? "" : path.back())};
}

Status DatesView::may_rename_folder(const ViewPath& /*from*/, const ViewPath& /*to*/) const {
  return {Code::kNotPermitted, "folders of Dates are dates, move the photos instead"};
}

void DatesView::state_added(PhotoRecord& photo, const ViewPath& path) const {
  // What was said of its day and time stays: the folder agrees.
  if (photo.stated_date && folder_of(photo.stated_date) == path) return;
  const std::optional<LocalDate> date = layout_.date_of(path);
  photo.stated_date = date ? *date : kStatedUnknown;
}

void DatesView::state_removed(PhotoRecord& /*photo*/, const ViewPath& /*path*/) const {}

void DatesView::settle(PhotoRecord& photo) const {
  if (!photo.stated_date) return;
  if (says_nothing_new(*photo.stated_date, photo.date.value_or(kStatedUnknown))) photo.stated_date.reset();
}

}  // namespace shoebox
