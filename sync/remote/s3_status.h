// What a refusal of an S3 server means for us. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "store/base/result.h"
#include "sync/remote/http.h"
#include "sync/remote/s3_url.h"
#include "sync/remote/s3_xml.h"

namespace shoebox {

// REQUIRES: the answer is no success. `what` names request and object ("put a.jpg"). kNotFound only
// for NoSuchKey and NoSuchUpload in so many words: any server or proxy can say 404.
Status s3_status(const HttpResponse& response, const S3Error& error, std::string_view what,
                 const S3Place& place);

}  // namespace shoebox
