#include "sync/paced_remote.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <filesystem>
#include <thread>

#include "sync/remote/dir_remote.h"
#include "sync/transfer_deadline.h"
#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using RealClock = std::chrono::steady_clock;

constexpr uint64_t kRate = 1'000'000;

// Notes what each call may use and until when.
class Noting final : public Remote {
 public:
  [[nodiscard]] const std::string& name() const override { return name_; }
  Status check(const RequestContext& context) override { return note(context); }
  Result<RemoteObject> put(const std::string& key, int, const PutOptions& options,
                           const RequestContext& context) override {
    SHOEBOX_TRY(note(context));
    return RemoteObject{key, "etag", options.size, 0};
  }
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override {
    SHOEBOX_TRY(note(context));
    return RemoteObject{key, "etag", size, 0};
  }
  Status get(const std::string&, ByteRange, const std::string&,
             const std::function<Status(std::string_view)>&, const RequestContext& context) override {
    return note(context);
  }
  Result<ListPage> list(const std::string&, const std::string&, const RequestContext& context) override {
    SHOEBOX_TRY(note(context));
    return ListPage{};
  }
  Status copy(const std::string&, const std::string&, const RequestContext& context) override {
    return note(context);
  }
  Status remove(const std::string&, const RequestContext& context) override { return note(context); }
  Result<uint64_t> remove_leftovers(const std::string&, const IsGivenUp&, const RequestContext&) override {
    return 0;
  }

  uint64_t size = 0;
  RequestContext last;

 private:
  Status note(const RequestContext& context) {
    last = context;
    return Status::ok();
  }
  const std::string name_ = "nas";
};

UploadPolicy limited(uint64_t up, std::optional<uint64_t> down = std::nullopt) {
  UploadPolicy policy;
  policy.bandwidth.bytes_s = up;
  if (down) policy.bandwidth_down.emplace().bytes_s = *down;
  return policy;
}

TEST(PacedRemote, ALimitedTransferHasTheTimeThatItsShareTakes) {
  const SystemClock clock;
  Noting below;
  constexpr uint32_t kSharers = 8;
  constexpr uint64_t kBytes = 500'000'000;
  PacedRemote remote(below, clock, limited(kRate), kSharers);
  RequestContext context;
  context.deadline = transfer_deadline(clock, kBytes);
  const auto more = [&] { return below.last.deadline - context.deadline; };
  PutOptions options;
  options.size = kBytes;
  ASSERT_TRUE(remote.put("k", -1, options, context));
  EXPECT_GE(more(), seconds(kBytes / (kRate / kSharers)));
  ASSERT_TRUE(remote.get("k", {0, kBytes}, "", nullptr, context));
  EXPECT_GE(more(), seconds(kBytes / (kRate / kSharers)));
  below.size = kBytes;
  ASSERT_TRUE(remote.copy("k", "l", context));
  EXPECT_GE(more(), seconds(kBytes / (kRate / kSharers)));
  ASSERT_TRUE(remote.stat("k", context));
  EXPECT_EQ(more().count(), 0);
  context.deadline = Clock::Steady::max();
  ASSERT_TRUE(remote.put("k", -1, options, context));
  EXPECT_EQ(below.last.deadline, Clock::Steady::max());
}

TEST(PacedRemote, WithoutALimitNothingIsChanged) {
  const SystemClock clock;
  Noting below;
  PacedRemote remote(below, clock, {}, 4);
  RequestContext context;
  context.deadline = transfer_deadline(clock, 1);
  PutOptions options;
  options.size = 1 << 30;
  ASSERT_TRUE(remote.put("k", -1, options, context));
  EXPECT_EQ(below.last.deadline, context.deadline);
  EXPECT_EQ(below.last.bandwidth.up, nullptr);
  EXPECT_EQ(below.last.bandwidth.down, nullptr);
}

TEST(PacedRemote, TheLimitOfReadingIsThatOfSendingUnlessItIsNamed) {
  const SystemClock clock;
  Noting below;
  PacedRemote one(below, clock, limited(kRate), 4);
  ASSERT_TRUE(one.get("k", {0, 1}, "", nullptr, {}));
  EXPECT_EQ(below.last.bandwidth.down->bytes_s(), kRate);
  PacedRemote two(below, clock, limited(kRate, 5 * kRate), 4);
  ASSERT_TRUE(two.get("k", {0, 1}, "", nullptr, {}));
  EXPECT_EQ(below.last.bandwidth.down->bytes_s(), 5 * kRate);
  EXPECT_EQ(below.last.bandwidth.up->bytes_s(), kRate);
}

// Only ever too slow, never too fast: so no busy machine makes these fail.
class PacedFolder : public ::testing::Test {
 protected:
  Result<RemoteObject> put(const std::string& key, const std::string& bytes,
                           const RequestContext& context = {}) {
    const UniqueFd fd(::memfd_create("body", MFD_CLOEXEC));
    EXPECT_TRUE(write_full(fd.get(), bytes));
    PutOptions options;
    options.size = bytes.size();
    options.sha256 = sha256(bytes);
    return remote_.put(key, fd.get(), options, context);
  }
  static constexpr seconds kLeast{1};
  static constexpr milliseconds kBurst{200};

  SystemClock clock_;
  testing::TempDir dir_;
  DirRemote folder_{"nas", dir_.path(), false};
  PacedRemote remote_{folder_, clock_, limited(kRate, 100 * kRate), 4};
};

TEST_F(PacedFolder, TransfersTogetherKeepToTheLimit) {
  const std::string bytes(kRate / 2, 'x');
  const auto begin = RealClock::now();
  std::thread other([&] { EXPECT_TRUE(put("a", bytes)); });
  EXPECT_TRUE(put("b", bytes));
  other.join();
  EXPECT_GE(RealClock::now() - begin, kLeast - kBurst);
  EXPECT_EQ(std::filesystem::file_size(dir_.path("a")), bytes.size());
}

TEST_F(PacedFolder, ACancelledTransferEndsThoughItIsHeld) {
  RequestContext context;
  std::thread waiter(
      [&] { EXPECT_EQ(put("a", std::string(20 * kRate, 'x'), context).code(), Code::kCancelled); });
  while (remote_.holding_bytes_s() == 0) std::this_thread::yield();
  EXPECT_EQ(remote_.holding_bytes_s(), kRate);
  context.cancel.cancel();
  waiter.join();
  EXPECT_FALSE(std::filesystem::exists(dir_.path("a")));
}

TEST_F(PacedFolder, ReadingKeepsToItsOwnLimit) {
  const std::string bytes(kRate / 5, 'x');
  ASSERT_TRUE(put("a", bytes));
  PacedRemote slow(folder_, clock_, limited(100 * kRate, kRate / 5), 4);
  uint64_t got = 0;
  const auto begin = RealClock::now();
  ASSERT_TRUE(slow.get("a", {0, bytes.size()}, "",
                       [&](std::string_view piece) {
                         got += piece.size();
                         return Status::ok();
                       },
                       {}));
  EXPECT_EQ(got, bytes.size());
  EXPECT_GE(RealClock::now() - begin, kLeast - kBurst);
}

}  // namespace
}  // namespace shoebox
