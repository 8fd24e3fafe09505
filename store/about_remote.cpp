#include "store/about_remote.h"

#include <fmt/format.h>

namespace shoebox {

Status about_remote(const Status& failure, std::string_view name) {
  const std::string& message = failure.message();
  if (message.starts_with(fmt::format("remote {}: ", name)) ||
      message.starts_with(fmt::format("remote \"{}\": ", name)))
    return failure;
  return failure.with_context(fmt::format("remote {}", name));
}

}  // namespace shoebox
