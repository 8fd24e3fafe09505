// Says of a failure which remote it is about.
#pragma once

#include <string_view>

#include "store/base/result.h"

namespace shoebox {

// "remote NAME: message", where the message does not begin with it already, with or without quotes.
[[nodiscard]] Status about_remote(const Status& failure, std::string_view name);

}  // namespace shoebox
