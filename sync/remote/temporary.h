// Names of the objects that stand in .shoebox/tmp/, and of probes, for moments: they tell which process made
// them, so that what an earlier one left can be removed.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "store/base/result.h"
#include "sync/remote/remote.h"

namespace shoebox {

// A temporary object that was not written to for so long was left behind: no upload of one file takes a day.
inline constexpr int64_t kStaleTemporary_s = 24 * 3600;

// 32 hexadecimal digits, never the same twice: 16 of this process, 16 of the object.
Result<std::string> new_temporary_name();
// Whether this process made a name that is, or ends with, one of new_temporary_name().
[[nodiscard]] bool is_temporary_of_this_process(std::string_view name);
// Removes the objects whose keys begin with `prefix`, but for those of this process and those that `spared`
// says; gives how many. Blocks.
Result<uint64_t> remove_temporaries(Remote& remote, const std::string& prefix,
                                    const std::function<Result<bool>(const std::string& key)>& spared,
                                    const RequestContext& context);

}  // namespace shoebox
