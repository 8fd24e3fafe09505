// Names on the drive are bytes; JSON and terminals want text. A reversible spelling for both.
#pragma once

#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

// `\` becomes `\\`; control characters and bytes that are no part of valid UTF-8 become `\xNN`. What
// comes out is valid UTF-8 on one line; names without such bytes come out as they are.
std::string escape_name(std::string_view bytes);
// The bytes again; kInvalid when `text` is nothing that escape_name() gives.
Result<std::string> unescape_name(std::string_view text);

// The same spelling for messages that people read, with backslashes left alone.
std::string printable(std::string_view bytes);

}  // namespace shoebox
