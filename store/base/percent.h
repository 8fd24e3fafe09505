// Percent-decoding of URLs. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace shoebox {

// %20 becomes a blank; a percent sign that starts no escape stays, as people write paths by hand.
std::string percent_decode(std::string_view text);

}  // namespace shoebox
