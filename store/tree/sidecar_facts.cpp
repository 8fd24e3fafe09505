#include "store/tree/sidecar_facts.h"

#include <set>
#include <utility>

#include "store/tree/safe_name.h"

namespace shoebox {
namespace {

void add(std::vector<std::string>& values, const std::vector<std::string>& more) {
  values.insert(values.end(), more.begin(), more.end());
  tidy(values);
}

void join(MediaInfo& info, const MediaInfo& sidecar) {
  add(info.people, sidecar.people);
  add(info.tags, sidecar.tags);
  if (sidecar.rating >= 0) info.rating = sidecar.rating;
  if (!sidecar.caption.empty()) info.caption = sidecar.caption;
  if (sidecar.latitude && sidecar.longitude) {
    info.latitude = sidecar.latitude;
    info.longitude = sidecar.longitude;
  }
  if (!sidecar.place.empty()) info.place = sidecar.place;
  if (sidecar.date && (sidecar.date_is_original || !info.date || !info.date_is_original)) {
    info.date = sidecar.date;
    info.date_is_original = sidecar.date_is_original;
    info.utc_offset_minutes = sidecar.utc_offset_minutes;
  }
}

}  // namespace

// Untrusted names of people and tags: one spelling each, nothing empty, in the file's order.
void tidy(std::vector<std::string>& values) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::set<std::string> seen;
  std::vector<std::string> result;
  for (const std::string& value : values) {
    const size_t begin = value.find_first_not_of(kBlank);
    if (begin == std::string::npos) continue;
    const size_t end = value.find_last_not_of(kBlank) + 1;
    std::string tidied = normalized(std::string_view(value).substr(begin, end - begin));
    if (seen.insert(tidied).second) result.push_back(std::move(tidied));
  }
  values = std::move(result);
}

const MediaInfo& own_info(const PhotoRecord& record) {
  return record.file_info && record.info.kind != MediaKind::kUnknown ? *record.file_info : record.info;
}

void apply_sidecars(PhotoRecord& record) {
  if (record.info.kind == MediaKind::kUnknown) return;
  MediaInfo own = own_info(record);
  record.file_info.reset();
  record.info = own;
  if (record.sidecars.empty()) return;
  record.file_info = std::move(own);
  for (const auto& [content, sidecar] : record.sidecars) join(record.info, sidecar);
}

}  // namespace shoebox
