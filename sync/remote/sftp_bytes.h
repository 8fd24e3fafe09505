// The bytes of files over one SFTP channel, several requests under way at a time, so that a long line
// is filled. Each function blocks until done; what fails in the middle breaks the channel.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sync/remote/remote.h"
#include "sync/remote/sftp_channel.h"

namespace shoebox {

// kDataLoss when the file ends earlier.
Status sftp_read_range(SftpChannel& channel, const std::string& handle, ByteRange range,
                       const std::function<Status(std::string_view)>& sink, const RequestContext& context,
                       std::string_view what);

Status sftp_write_file(SftpChannel& channel, const std::string& handle, int fd, const PutOptions& options,
                       const RequestContext& context, std::string_view what);

}  // namespace shoebox
