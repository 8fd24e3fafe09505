// How a remote is named on the command line.
#pragma once

#include <string>
#include <vector>

#include "store/base/result.h"
#include "store/settings.h"

namespace shoebox {

// What a URL may be, for the help of every verb that takes one.
inline constexpr const char* kUrlKinds =
    "file:///folder, s3://bucket/prefix, davs://host/folder or sftp://user@host/folder";

// "NAME=URL", "URL" or a folder of this machine.
Result<RemoteSettings> remote_of(std::string text, const std::string& working_directory);
// The same without a working directory: "URL" or a folder from /.
Result<RemoteSettings> remote_from_root(const std::string& text);
// "KEY=VALUE" each, the keys of a [[remote]] in shoebox.toml. Relative paths are meant from the working
// directory.
Status add_remote_options(const std::vector<std::string>& options, RemoteSettings& remote);

}  // namespace shoebox
