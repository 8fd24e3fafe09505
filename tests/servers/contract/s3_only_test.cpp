// What only an S3 server can do wrong or be asked for. Skipped on other remotes.
#include <sys/stat.h>

#include <cstdlib>

#include "contract.h"
#include "store/base/hash.h"
#include "sync/remote/factory.h"
#include "sync/remote/s3_remote.h"

namespace shoebox {
namespace {

class S3Only : public ContractTest {
 protected:
  void SetUp() override {
    ContractTest::SetUp();
    if (!is_s3()) GTEST_SKIP() << "not an S3 remote";
    if (settings_.crypt) GTEST_SKIP() << "of the remote below the encryption";
  }
  std::optional<Timestamp> file_time_of(const std::string& name) {
    RequestHints hints;
    RequestContext context;
    context.hints = &hints;
    EXPECT_TRUE(remote_->get(
        key(name), {0, 10}, "", [](std::string_view) { return Status::ok(); }, context));
    return hints.file_time;
  }
};

TEST_F(S3Only, WrongKeysAreRefusedWithTheServersReason) {
  std::string path = "/tmp/shoebox-contract-keys-XXXXXX";
  const UniqueFd file(::mkstemp(path.data()));  // mode 0600
  const char* access = std::getenv("AWS_ACCESS_KEY_ID");
  ASSERT_TRUE(
      write_full(file.get(), "access_key = \"" + std::string(access) + "\"\nsecret_key = \"wrong\"\n"));
  settings_.credentials_file = path;
  auto wrong = make_remote(settings_);
  ASSERT_TRUE(wrong);
  const Status status = (*wrong)->check({});
  EXPECT_EQ(status.code(), Code::kUnauthorized);
  EXPECT_NE(status.message().find("SignatureDoesNotMatch"), std::string::npos) << status.message();
  EXPECT_EQ((*wrong)->stat(key("x"), {}).code(), Code::kUnauthorized) << "never taken for not found";
  ::unlink(path.c_str());
}

TEST_F(S3Only, TheTimeOfTheFileStaysWithTheObjectAlsoWhenItIsMoved) {
  const Timestamp taken{1'689'330'472, 123'456'789};
  for (const size_t bytes : {size_t{1000}, size_t{17} << 20}) {  // in one go, and in parts
    PutOptions options;
    options.file_time = taken;
    const std::string name = std::to_string(bytes);
    ASSERT_TRUE(put(name, noise(bytes, 3), options));
    ASSERT_TRUE(put(name + " of unknown time", noise(bytes, 3)));
    ASSERT_TRUE(remote_->copy(key(name), key(name + " moved"), {}));
    EXPECT_EQ(file_time_of(name), taken);
    EXPECT_EQ(file_time_of(name + " moved"), taken);
    EXPECT_EQ(file_time_of(name + " of unknown time"), std::nullopt);
  }
}

TEST_F(S3Only, AMissingBucketIsToldByCheckAndNeverMakesObjectsMissing) {
  settings_.url = "s3://shoebox-no-such-bucket/prefix";
  auto missing = make_remote(settings_);
  ASSERT_TRUE(missing);
  const Status status = (*missing)->check({});
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_NE(status.message().find("create it"), std::string::npos) << status.message();
  EXPECT_EQ((*missing)->stat("x", {}).code(), Code::kUnavailable);
  EXPECT_EQ((*missing)->list("", "", {}).code(), Code::kUnavailable);
  EXPECT_EQ((*missing)->get("x", {0, 1}, "", [](std::string_view) { return Status::ok(); }, {}).code(),
            Code::kUnavailable);
}

TEST_F(S3Only, APrefixHidesWhatIsOutsideIt) {
  settings_.url += (settings_.url.ends_with('/') ? "" : "/") + key("inner");
  auto inner = make_remote(settings_);
  ASSERT_TRUE(inner) << inner.status().message();
  const UniqueFd fd = file_with("inside");
  ASSERT_TRUE((*inner)->put("a", fd.get(), options_for("inside"), {}));
  ASSERT_TRUE(put("innermost", "outside"));
  auto page = (*inner)->list("", "", {});
  ASSERT_TRUE(page) << page.status().message();
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, "a");
  EXPECT_EQ(*get("inner/a", {0, 6}), "inside");
}

TEST_F(S3Only, HostStyleReachesTheSameObjects) {
  const char* endpoint = std::getenv("SHOEBOX_CONTRACT_HOST_ENDPOINT");
  if (endpoint == nullptr) GTEST_SKIP() << "no endpoint with bucket names given";
  settings_.endpoint = endpoint;
  settings_.path_style = false;
  auto host = make_remote(settings_);
  ASSERT_TRUE(host) << host.status().message();
  ASSERT_TRUE(put("by path +%.jpg", "same object"));
  std::string read;
  const Status status = (*host)->get(key("by path +%.jpg"), {0, 11}, "",
                                     [&](std::string_view piece) {
                                       read += piece;
                                       return Status::ok();
                                     },
                                     {});
  ASSERT_TRUE(status) << status.message();
  EXPECT_EQ(read, "same object");
}

TEST_F(S3Only, AServerWithoutATrustedCertificateGetsNothing) {
  if (!settings_.endpoint.starts_with("https://")) GTEST_SKIP() << "no TLS here";
  settings_.ca_file.clear();
  auto untrusting = make_remote(settings_);
  ASSERT_TRUE(untrusting);
  const Status status = (*untrusting)->check({});
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find("ca_file"), std::string::npos) << status.message();
}

TEST_F(S3Only, ObjectsTooLargeForOneCopyAreCopiedInParts) {
  auto place = parse_s3_place(settings_);
  ASSERT_TRUE(place);
  S3Tuning tuning;
  tuning.copy_whole_up_to = 1 << 20;
  tuning.copy_part_bytes = 5 << 20;
  S3Remote remote(
      "parts",
      std::make_unique<S3Client>(*place, settings_.ca_file, settings_, std::make_shared<TransferLoop>()),
      tuning);
  const std::string bytes = noise((12 << 20) + 7, 20);
  PutOptions options;
  options.file_time = Timestamp{1'689'330'472, 0};
  ASSERT_TRUE(put("big", bytes, options));
  const Status copied = remote.copy(key("big"), key("big copy"), {});
  ASSERT_TRUE(copied) << copied.message();
  EXPECT_EQ(file_time_of("big copy"), options.file_time);
  EXPECT_TRUE(*get("big copy", {0, bytes.size()}) == bytes);
}

TEST_F(S3Only, ObjectsCarryTheirHash) {
  ASSERT_TRUE(put("hash", "bytes"));
  auto place = parse_s3_place(settings_);
  ASSERT_TRUE(place);
  S3Client client(*place, settings_.ca_file, settings_, std::make_shared<TransferLoop>());
  auto head = client.head(place->prefix + key("hash"), {});
  ASSERT_TRUE(head) << head.status().message();
  EXPECT_EQ(head->sha256, sha256("bytes").hex());
}

}  // namespace
}  // namespace shoebox
