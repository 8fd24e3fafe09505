// Bytes within JSON.
#pragma once

#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

std::string to_base64(std::string_view bytes);
// kInvalid when it is not what to_base64() gives.
Result<std::string> from_base64(std::string_view text);

}  // namespace shoebox
