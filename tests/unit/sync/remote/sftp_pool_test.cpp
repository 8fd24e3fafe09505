// Connections to servers that never get as far as SFTP. What works is tested on real servers, in
// tests/servers and tests/mount.
#include "sync/remote/sftp_pool.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/base/file_io.h"
#include "store/settings.h"

namespace shoebox {
namespace {

class SftpPoolTest : public ::testing::Test {
 protected:
  // A port where connections open and nobody says anything.
  void SetUp() override {
    listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener_.get(), 8), 0);
    socklen_t length = sizeof address;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    settings_.name = "nas";
    settings_.url = "sftp://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/x";
  }
  Status with(const RequestContext& context, TransferLimits limits = {}) {
    SftpPool pool(*parse_sftp_place(settings_), {}, settings_, limits);
    return pool.with(context, [](SftpChannel&, bool*) { return Status(Code::kIo, "nobody can get here"); });
  }
  [[nodiscard]] UniqueFd accept_one() const { return UniqueFd(::accept(listener_.get(), nullptr, nullptr)); }

  UniqueFd listener_;
  RemoteSettings settings_;
};

TEST_F(SftpPoolTest, AServerThatSaysNothingCostsNoMoreThanTheStall) {
  TransferLimits limits;
  limits.stall = std::chrono::milliseconds(200);
  const Status status = with({}, limits);
  EXPECT_EQ(status.code(), Code::kTimeout) << status.message();
}

TEST_F(SftpPoolTest, TheDeadlineEndsAHandshake) {
  RequestContext context;
  context.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  EXPECT_EQ(with(context).code(), Code::kTimeout);
}

TEST_F(SftpPoolTest, CancellingEndsAHandshake) {
  RequestContext context;
  std::thread waiter([&] {
    const UniqueFd connection = accept_one();
    char byte = 0;
    (void)!::read(connection.get(), &byte, 1);  // our greeting: the handshake is under way
    context.cancel.cancel();
    while (::read(connection.get(), &byte, 1) > 0) {
    }
  });
  EXPECT_EQ(with(context).code(), Code::kCancelled);
  waiter.join();
}

TEST_F(SftpPoolTest, AServerThatIsNotSshOrHangsUpIsUnavailable) {
  std::thread server([&] {
    const UniqueFd connection = accept_one();
    (void)write_full(connection.get(), "HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  const Status status = with({});
  server.join();
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find("sftp://127.0.0.1"), std::string::npos) << status.message();
}

TEST_F(SftpPoolTest, APortWhereNobodyListensIsUnavailable) {
  listener_.reset();
  const Status status = with({});
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find("refused"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace shoebox
