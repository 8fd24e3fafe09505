#include "contract.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "store/base/hash.h"
#include "sync/remote/factory.h"
#include "sync/remote/s3_client.h"

namespace shoebox {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// One folder per run, so that a server that lives on does not confuse the next run.
const std::string& run_folder() {
  static const std::string folder = fmt::format("contract-{:08x}/", std::random_device()());
  return folder;
}

// A directory for the run when no url was given.
class TemporaryDirectory final : public testing::Environment {
 public:
  void SetUp() override {
    if (variable("SHOEBOX_CONTRACT_URL").empty()) {
      std::string path = variable("TMPDIR").empty() ? "/tmp" : variable("TMPDIR");
      path += "/shoebox-contract-XXXXXX";
      ASSERT_NE(::mkdtemp(path.data()), nullptr);
      path_ = path;
      ::setenv("SHOEBOX_CONTRACT_URL", ("file://" + path).c_str(), 1);
    }
    if (variable("SHOEBOX_CONTRACT_CREATE_BUCKET") == "1") {
      const RemoteSettings settings = contract_settings();
      auto place = parse_s3_place(settings);
      ASSERT_TRUE(place) << place.status().message();
      S3Client client(*place, settings.ca_file, settings, std::make_shared<TransferLoop>());
      S3Request request;
      request.what = "create bucket";
      request.method = "PUT";
      auto made = client.send(request, {});
      ASSERT_TRUE(made) << made.status().message();
    }
  }
  void TearDown() override {
    if (!path_.empty()) (void)!std::system(("rm -rf -- '" + path_ + "'").c_str());
  }

 private:
  std::string path_;
};

[[maybe_unused]] const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new TemporaryDirectory);

}  // namespace

RemoteSettings contract_settings() {
  RemoteSettings settings;
  settings.name = "contract";
  settings.url = variable("SHOEBOX_CONTRACT_URL");
  settings.endpoint = variable("SHOEBOX_CONTRACT_ENDPOINT");
  settings.ca_file = variable("SHOEBOX_CONTRACT_CA_FILE");
  settings.credentials_file = variable("SHOEBOX_CONTRACT_CREDENTIALS_FILE");
  settings.identity_file = variable("SHOEBOX_CONTRACT_IDENTITY_FILE");
  settings.known_hosts = variable("SHOEBOX_CONTRACT_KNOWN_HOSTS");
  settings.passphrase_file = variable("SHOEBOX_CONTRACT_PASSPHRASE_FILE");
  settings.crypt = !settings.passphrase_file.empty();
  return settings;
}

void ContractTest::SetUp() {
  settings_ = contract_settings();
  auto made = make_remote(settings_);
  ASSERT_TRUE(made) << made.status().message();
  remote_ = std::move(made).value();
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  folder_ = fmt::format("{}{}.{}/", run_folder(), test->test_suite_name(), test->name());
}

bool ContractTest::sends_in_parts() const { return is_s3() || variable("SHOEBOX_CONTRACT_CHUNKED") == "1"; }

Result<RemoteObject> ContractTest::put(const std::string& name, const std::string& bytes,
                                       PutOptions options) {
  const PutOptions plain = options_for(bytes);
  options.size = plain.size;
  options.sha256 = plain.sha256;
  const UniqueFd fd = file_with(bytes);
  return remote_->put(key(name), fd.get(), options, {});
}

Result<std::string> ContractTest::get(const std::string& name, ByteRange range, const std::string& etag) {
  std::string bytes;
  SHOEBOX_TRY(remote_->get(key(name), range, etag,
                           [&](std::string_view piece) {
                             bytes += piece;
                             return Status::ok();
                           },
                           {}));
  return bytes;
}

std::vector<std::string> ContractTest::list(const std::string& prefix) {
  std::vector<std::string> keys;
  std::string next;
  do {
    auto page = remote_->list(prefix, next, {});
    EXPECT_TRUE(page) << page.status().message();
    if (!page) return keys;
    for (const RemoteObject& object : page->objects) keys.push_back(object.key);
    next = page->next;
  } while (!next.empty());
  if (settings_.crypt) std::sort(keys.begin(), keys.end());  // they come in the order of encrypted names
  return keys;
}

UniqueFd file_with(const std::string& bytes) {
  UniqueFd fd(::memfd_create("contract", MFD_CLOEXEC));
  EXPECT_TRUE(pwrite_full(fd.get(), bytes.data(), bytes.size(), 0));
  return fd;
}

PutOptions options_for(const std::string& bytes) {
  PutOptions options;
  options.size = bytes.size();
  options.sha256 = sha256(bytes);
  return options;
}

std::string noise(size_t bytes, uint32_t seed) {
  std::mt19937_64 random(seed);
  std::string out(bytes + 8, '\0');
  for (size_t i = 0; i < bytes; i += 8) {
    const uint64_t value = random();
    std::memcpy(out.data() + i, &value, 8);
  }
  out.resize(bytes);
  return out;
}

}  // namespace shoebox
