// Display values as file names, and back.
//
// A person or album may be called "AC/DC", "..", or 300 letters; a folder may not. The spelling
// stays readable: '/' becomes '／' (U+FF0F), "." and ".." become '．' and '．．' (U+FF0E), a control
// character its picture ('␊'), a byte that is not UTF-8 '‛' (U+201B) and two hex digits. A character
// that this would make ambiguous gets '‛' before it. A value over 255 bytes is cut and ends in '‛…'
// and 16 hex digits of its SHA-256; it comes back from the folder's record, not from the name.
//
// Same value, same name; different values, different names, also when compared case- and
// NFC-folded unless the values themselves differ in case or composition only. Other names are
// their own spelling. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

namespace shoebox {

std::string safe_name(std::string_view value);

// The value a folder stands for that somebody made under this name: the inverse of safe_name,
// and the name itself where no value is spelled so.
std::string value_of_name(std::string_view name);

// NFC where the text is UTF-8, else the bytes as they are. Values are compared in this form.
std::string normalized(std::string_view text);

}  // namespace shoebox
