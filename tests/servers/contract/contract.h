// What the contract tests share: the remote under test, chosen by the environment, and small helpers.
//
//   SHOEBOX_CONTRACT_URL               any url of a remote; without it a new directory
//   SHOEBOX_CONTRACT_ENDPOINT          s3: http://127.0.0.1:port
//   SHOEBOX_CONTRACT_HOST_ENDPOINT     s3: the same server by a name below which bucket names resolve
//   SHOEBOX_CONTRACT_CA_FILE           s3, davs: the authority to trust, for TLS
//   SHOEBOX_CONTRACT_CREDENTIALS_FILE  dav, sftp: user, password, passphrase
//   SHOEBOX_CONTRACT_IDENTITY_FILE, SHOEBOX_CONTRACT_KNOWN_HOSTS   sftp
//   SHOEBOX_CONTRACT_CHUNKED=1         dav: large objects are sent in chunks
//   SHOEBOX_CONTRACT_CREATE_BUCKET=1   s3: make the bucket first
//   SHOEBOX_CONTRACT_PASSPHRASE_FILE   encrypted with what stands there
//   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "store/base/file_io.h"
#include "store/settings.h"
#include "sync/remote/remote.h"

namespace shoebox {

class ContractTest : public testing::Test {
 protected:
  void SetUp() override;

  [[nodiscard]] bool is_s3() const { return settings_.url.starts_with("s3://"); }
  [[nodiscard]] bool is_directory() const { return settings_.url.starts_with("file://"); }
  // Large objects are sent piece by piece, and an attempt that broke off can be taken up.
  [[nodiscard]] bool sends_in_parts() const;
  // A key of this test alone.
  [[nodiscard]] std::string key(const std::string& name) const { return folder_ + name; }
  Result<RemoteObject> put(const std::string& name, const std::string& bytes, PutOptions options = {});
  Result<std::string> get(const std::string& name, ByteRange range, const std::string& etag = "");
  std::vector<std::string> list(const std::string& prefix);

  RemoteSettings settings_;
  std::unique_ptr<Remote> remote_;
  std::string folder_;  // "contract-…/TestName/"
};

// A file without a name that holds these bytes.
UniqueFd file_with(const std::string& bytes);
PutOptions options_for(const std::string& bytes);
// Bytes that do not compress and repeat nowhere, the same in every run.
std::string noise(size_t bytes, uint32_t seed);
RemoteSettings contract_settings();

}  // namespace shoebox
