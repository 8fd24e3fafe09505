#include "sync/remote/sigv4.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "store/base/hash.h"
#include "sync/remote/uri.h"

namespace shoebox {
namespace {

std::string hmac_sha256(std::string_view key, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &length);
  return {reinterpret_cast<const char*>(out), length};
}

// Blanks around a value do not count, runs of blanks inside count as one.
std::string squeeze(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// Lower-case name -> value; values of one name joined in the order they came.
std::map<std::string, std::string> canonical_headers(const NameValues& headers) {
  std::map<std::string, std::string> sorted;
  for (const auto& [name, value] : headers) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    const auto [at, fresh] = sorted.try_emplace(lower, squeeze(value));
    if (!fresh) at->second += "," + squeeze(value);
  }
  return sorted;
}

std::string signed_names(const std::map<std::string, std::string>& headers) {
  std::string names;
  for (const auto& [name, value] : headers) {
    if (!names.empty()) names += ';';
    names += name;
  }
  return names;
}

std::string scope_text(const SigningScope& scope) {
  return fmt::format("{}/{}/{}/aws4_request", amz_date(scope.time_s).substr(0, 8), scope.region,
                     scope.service);
}

}  // namespace

std::string amz_date(int64_t time_s) {
  const time_t time = time_s;
  tm utc{};
  ::gmtime_r(&time, &utc);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string canonical_query(const NameValues& query) {
  NameValues encoded;
  for (const auto& [name, value] : query)
    encoded.emplace_back(uri_encode(name, false), uri_encode(value, false));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out += name + "=" + value;
  }
  return out;
}

std::string canonical_request(const SignableRequest& request) {
  const auto headers = canonical_headers(request.headers);
  std::string lines;
  for (const auto& [name, value] : headers) lines += name + ":" + value + "\n";
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, uri_encode(request.path, true),
                     canonical_query(request.query), lines, signed_names(headers), request.payload_sha256);
}

std::string string_to_sign(const SignableRequest& request, const SigningScope& scope) {
  return fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", amz_date(scope.time_s), scope_text(scope),
                     sha256(canonical_request(request)).hex());
}

std::string authorization(const SignableRequest& request, const SigningScope& scope,
                          const Credentials& credentials) {
  const std::string day = hmac_sha256("AWS4" + credentials.secret_key, amz_date(scope.time_s).substr(0, 8));
  const std::string key =
      hmac_sha256(hmac_sha256(hmac_sha256(day, scope.region), scope.service), "aws4_request");
  const std::string signature = hex(hmac_sha256(key, string_to_sign(request, scope)));
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                     credentials.access_key, scope_text(scope),
                     signed_names(canonical_headers(request.headers)), signature);
}

}  // namespace shoebox
