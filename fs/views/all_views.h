// Every top-level folder that shows photos by what is known of them. main hands them to Library.
#pragma once

#include <memory>
#include <vector>

#include "store/view.h"

namespace shoebox {

struct Settings;

std::vector<std::unique_ptr<View>> make_views(const Settings& settings);

}  // namespace shoebox
