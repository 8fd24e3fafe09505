// One file, from descriptor to facts and thumbnails. Runs in the sandbox, on the decoder's only thread.
#pragma once

#include <string>

#include "store/decode/media_decoder.h"

namespace shoebox::decoder {

// Starts the libraries. Before the sandbox. False: one of them does not start.
bool start_libraries();
// Never fails: a file that cannot be read is kUndecodable, one that is no photo or video kOther.
DecodedMedia decode(int fd, const std::string& name, ByteRange hole = {});

}  // namespace shoebox::decoder
