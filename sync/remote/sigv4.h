// AWS Signature Version 4, by which S3 requests prove who sent them. Pure functions over OpenSSL's
// HMAC. Ours, because the one in curl 7.88 is refused by Ceph RGW.
//
// S3 rules: each byte of the key is percent-encoded once (other AWS services encode the path twice and
// normalise it), '/' stays, and the URL that is sent is the encoded path that was signed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sync/remote/http.h"

namespace shoebox {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // empty for keys that do not expire
  bool operator==(const Credentials&) const = default;
};

struct SigningScope {
  std::string region;
  std::string service = "s3";
  int64_t time_s = 0;  // as the server counts it
};

// What is signed. Path and query are plain, not encoded.
struct SignableRequest {
  std::string method = "GET";
  std::string path = "/";  // starts with '/'
  NameValues query = {};
  NameValues headers = {};          // all of them are signed; must hold host
  std::string payload_sha256 = {};  // hex
};

// "20130524T000000Z".
std::string amz_date(int64_t time_s);
// Sorted and encoded, "a=1&b=".
std::string canonical_query(const NameValues& query);

// The steps of the signature, each as AWS names it; apart so that its test vectors can be checked.
std::string canonical_request(const SignableRequest& request);
std::string string_to_sign(const SignableRequest& request, const SigningScope& scope);
// Value of the Authorization header.
std::string authorization(const SignableRequest& request, const SigningScope& scope,
                          const Credentials& credentials);

}  // namespace shoebox
