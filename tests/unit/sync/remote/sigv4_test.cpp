// The signer against the vectors that AWS publishes: those of aws-sig-v4-test-suite (service "service";
// each value is the Signature of its NAME.authz), and the worked examples of the page "Signature
// Calculations for the Authorization Header" of the S3 API reference. The suite's normalize-path cases
// do not apply: S3 normalises no path.
#include "sync/remote/sigv4.h"

#include <gtest/gtest.h>

#include "store/base/hash.h"
#include "sync/remote/uri.h"

namespace shoebox {
namespace {

constexpr int64_t kSuiteTime = 1440938160;  // 20150830T123600Z
constexpr int64_t kS3Time = 1369353600;     // 20130524T000000Z

std::string signature_of(const std::string& authorization) {
  return authorization.substr(authorization.rfind('=') + 1);
}

// The common parts of the suite's requests.
std::string suite_signature(SignableRequest request, const std::string& payload = "") {
  request.headers.emplace_back("Host", "example.amazonaws.com");
  request.headers.emplace_back("X-Amz-Date", "20150830T123600Z");
  request.payload_sha256 = sha256(payload).hex();
  const Credentials keys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
  return signature_of(authorization(request, {"us-east-1", "service", kSuiteTime}, keys));
}

std::string s3_signature(SignableRequest request, const std::string& payload = "") {
  request.headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
  request.headers.emplace_back("x-amz-date", "20130524T000000Z");
  request.payload_sha256 = sha256(payload).hex();
  request.headers.emplace_back("x-amz-content-sha256", request.payload_sha256);
  const Credentials keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  return signature_of(authorization(request, {"us-east-1", "s3", kS3Time}, keys));
}

TEST(SigV4, MatchesTheSuite) {
  EXPECT_EQ(suite_signature({}),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");  // get-vanilla
  EXPECT_EQ(suite_signature({.method = "POST"}),                                  // post-vanilla
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  EXPECT_EQ(suite_signature(
                {.query = {{"Param2", "value2"}, {"Param1", "value1"}}}),  // get-vanilla-query-order-key-case
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  EXPECT_EQ(
      suite_signature(
          {.path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}),  // get-unreserved
      "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f");
  EXPECT_EQ(suite_signature({.path = "/\xe1\x88\xb4"}),  // get-utf8
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
  EXPECT_EQ(suite_signature({.headers = {{"My-Header1", " value1"},
                                         {"My-Header2", " \"a   b   c\""}}}),  // get-header-value-trim
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(SigV4, MatchesTheSuiteOnQueriesHeadersAndBodies) {
  const std::string unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  EXPECT_EQ(suite_signature({.query = {{unreserved, unreserved}}}),  // get-vanilla-query-unreserved
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197");
  EXPECT_EQ(suite_signature({.query = {{"\xe1\x88\xb4", "bar"}}}),  // get-vanilla-utf8-query
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04");
  EXPECT_EQ(suite_signature({.headers = {{"My-Header1", "value2"},
                                         {"My-Header1", "value2"},
                                         {"My-Header1", "value1"}}}),  // get-header-key-duplicate
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
  EXPECT_EQ(
      suite_signature({.method = "POST", .headers = {{"My-Header1", "VALUE1"}}}),  // post-header-value-case
      "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d");
  EXPECT_EQ(
      suite_signature({.method = "POST", .headers = {{"Content-Type", "application/x-www-form-urlencoded"}}},
                      "Param1=value1"),  // post-x-www-form-urlencoded
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
  const std::string token =
      "AQoDYXdzEPT//////////"
      "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflf"
      "KD8YUuwthAx7mSEI/qkPpKPi/"
      "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd"
      "8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"
      "scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3i"
      "SIlTJabIQwj2ICCR/oLxBA==";
  EXPECT_EQ(suite_signature(
                {.method = "POST", .headers = {{"X-Amz-Security-Token", token}}}),  // post-sts-header-before
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
}

TEST(SigV4, MatchesTheExamplesOfS3) {
  EXPECT_EQ(s3_signature({.method = "GET", .path = "/test.txt", .headers = {{"Range", "bytes=0-9"}}}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(s3_signature({.method = "PUT",
                          .path = "/test$file.text",
                          .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}},
                         "Welcome to Amazon S3."),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(s3_signature({.method = "GET", .path = "/", .query = {{"lifecycle", ""}}}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(s3_signature({.method = "GET", .path = "/", .query = {{"max-keys", "2"}, {"prefix", "J"}}}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, TheStepsLookAsDocumented) {
  SignableRequest request{"GET", "/test.txt", {}, {{"Host", "h"}, {"Range", "bytes=0-9"}}, "e3b0"};
  EXPECT_EQ(canonical_request(request), "GET\n/test.txt\n\nhost:h\nrange:bytes=0-9\n\nhost;range\ne3b0");
  EXPECT_EQ(string_to_sign(request, {"us-east-1", "s3", kS3Time}),
            "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n" +
                sha256(canonical_request(request)).hex());
}

TEST(SigV4, KeysAreEncodedOnceAndSlashesStay) {
  EXPECT_EQ(uri_encode("a b/c%20d+e/\xc3\xbc~", true), "a%20b/c%2520d%2Be/%C3%BC~");
  EXPECT_EQ(uri_encode("a/b", false), "a%2Fb");
  // Neither "." nor ".." nor "//" is resolved: in S3 they are part of the key.
  EXPECT_EQ(uri_encode("/a//b/./..", true), "/a//b/./..");
}

TEST(SigV4, QueriesAreSortedByTheirEncodedForm) {
  EXPECT_EQ(canonical_query({{"b", "2"}, {"a", "x y"}, {"a", "/"}, {"\xc3\xbc", ""}}),
            "%C3%BC=&a=%2F&a=x%20y&b=2");
}

TEST(SigV4, HeadersOfOneNameAreJoined) {
  const SignableRequest request{"GET", "/", {}, {{"B", "2"}, {"a", " 1  1 "}, {"A", "2"}}, "p"};
  EXPECT_EQ(canonical_request(request), "GET\n/\n\na:1 1,2\nb:2\n\na;b\np");
}

}  // namespace
}  // namespace shoebox
