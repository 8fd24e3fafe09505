// Whether a remote takes two spellings of a key for one object, as folders of macOS, Windows and many a
// NAS do: in case, or in the Unicode form of a letter.
#pragma once

#include <string>

#include "store/base/result.h"
#include "sync/remote/remote.h"

namespace shoebox {

// Writes an object at `key` that holds its own name and looks for it under other spellings; it stays.
// `key` ends with "a\u00e9", the last letter in one code point. Blocks.
Result<bool> remote_folds_keys(Remote& remote, const std::string& key, const RequestContext& context);

}  // namespace shoebox
