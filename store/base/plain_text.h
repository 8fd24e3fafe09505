// What others wrote, as it may stand in a message.
#pragma once

#include <string>
#include <string_view>

namespace shoebox {

// One line that a terminal shows as it is: at most `most_bytes`, and a space for each control character.
std::string plain_line(std::string_view text, size_t most_bytes = std::string_view::npos);

}  // namespace shoebox
