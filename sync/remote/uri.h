// Percent-encoding of URLs and what else kinds of remotes read from them alike. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/percent.h"
#include "store/base/result.h"

namespace shoebox {

// Everything but A-Z a-z 0-9 - . _ ~ becomes %XX.
std::string uri_encode(std::string_view text, bool keep_slashes);

// "user@host:port" before the first '/' of a url, and what follows.
struct UrlAuthority {
  std::string user;   // decoded; may be empty
  std::string host;   // lower case; IPv6 in brackets
  uint16_t port = 0;  // 0: not given
  std::string path;   // decoded, without slashes at its ends
};
// `rest` is the url after "scheme://". kInvalid with what is wrong ("holds a password…"), for people.
Result<UrlAuthority> parse_authority(std::string_view rest);

// Nothing that leaves this machine.
bool is_loopback(std::string_view host);

}  // namespace shoebox
