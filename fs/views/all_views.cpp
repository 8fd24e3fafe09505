#include "fs/views/all_views.h"

#include "fs/views/albums.h"
#include "fs/views/dates.h"
#include "fs/views/people.h"
#include "store/settings.h"

namespace shoebox {

std::vector<std::unique_ptr<View>> make_views(const Settings& settings) {
  std::vector<std::unique_ptr<View>> views;
  views.push_back(std::make_unique<DatesView>(settings.dates_layout));
  views.push_back(std::make_unique<AlbumsView>());
  views.push_back(std::make_unique<PeopleView>());
  return views;
}

}  // namespace shoebox
