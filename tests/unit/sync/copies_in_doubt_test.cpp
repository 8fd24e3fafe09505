// What the evictor is told of a remote whose copies may be gone.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "sync/owner_record.h"
#include "tests/unit/sync/one_remote_fixture.h"

namespace shoebox {
namespace {

class CopiesInDoubtTest : public testing::OneRemoteFixture {
 protected:
  void start(bool uploads = true) {
    engine_ = make_engine();
    engine_->start(uploads);
  }
  void stop() {
    engine_->stop();
    engine_.reset();
  }
  void TearDown() override {
    remote_.release();
    if (engine_) stop();
  }
  void settle() { OneRemoteFixture::settle(*engine_); }
  // Well before the minute in which it looks again. The clock of the test stands still.
  static bool soon(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return condition();
  }
  std::string trouble() { return engine_->trouble_of("nas"); }
  OwnerRecord owner() { return parse_owner_record(remote_.object(".shoebox/owner/1").value()).value(); }

  std::unique_ptr<SyncEngine> engine_;
};

TEST_F(CopiesInDoubtTest, NoneOfItCountsAfterAMountBeforeItWasComparedAndThatIsSoon) {
  add("a.jpg", "one", {"nas"});
  start();
  EXPECT_EQ(trouble(), "") << "nothing was sent there yet";
  settle();
  EXPECT_EQ(trouble(), "");
  std::map<std::string, std::string> before;
  for (const std::string& key : remote_.keys()) before[key] = remote_.object(key).value();
  add("b.jpg", "two", {"nas"});
  settle();
  stop();

  start(/*uploads=*/false);
  EXPECT_EQ(trouble(), "") << "nobody would compare it";
  stop();

  remote_.hold();
  start();
  EXPECT_NE(trouble().find("not compared"), std::string::npos) << trouble();
  remote_.release();
  EXPECT_TRUE(soon([&] { return trouble().empty(); })) << trouble();
  EXPECT_EQ(pending("nas"), 0U) << "all is there";
  stop();

  for (const std::string& key : remote_.keys()) {
    if (!before.contains(key)) ASSERT_TRUE(remote_.remove(key, {}));
  }
  for (const auto& [key, bytes] : before) remote_.place(key, bytes);
  start();
  EXPECT_TRUE(soon([&] { return trouble().empty(); })) << trouble();
  EXPECT_TRUE(pending("nas") > 0 || remote_.object("Library/b.jpg")) << "its copies were doubted first";
}

TEST_F(CopiesInDoubtTest, NoneOfItCountsWhereThisWriterWritesAndYetNotThisMount) {
  add("a.jpg", "one", {"nas"});
  start();
  settle();
  OwnerRecord record = owner();
  record.nonce = std::string(32, '7');
  remote_.place(".shoebox/owner/1", encode(record));
  clock_.advance(1000);
  add("b.jpg", "two", {"nas"});
  ASSERT_TRUE(engine_->run_now());
  EXPECT_TRUE(soon([&] { return trouble().find("mount this library again") != std::string::npos; }))
      << trouble();
}

TEST_F(CopiesInDoubtTest, CopiesCountWhereAnotherMachineWrites) {
  add("a.jpg", "one", {"nas"});
  start();
  settle();
  stop();
  OwnerRecord record = owner();
  record.term = 2;
  record.writer = std::string(32, 'b');
  remote_.place(".shoebox/owner/2", encode(record));
  start();
  EXPECT_TRUE(soon([&] {
    const auto status = engine_->status();
    return !status->front().owner.problem.empty() && trouble().empty();
  })) << trouble();
}

}  // namespace
}  // namespace shoebox
