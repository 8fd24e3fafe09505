// The pool survives decoders that crash, hang, lie or do not start.
#include "store/decode/decoder_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <random>
#include <thread>

#include "photos.h"
#include "store/base/file_io.h"
#include "store/decode/wire.h"

namespace shoebox {
namespace {

using namespace std::chrono_literals;

class DecoderPoolTest : public testing::Test {
 protected:
  DecoderPoolTest() {
    std::string pattern = testing::TempDir() + "/decoder.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~DecoderPoolTest() override { std::filesystem::remove_all(folder_); }

  // A decoder that says it is ready, waits for a request and then does this.
  std::string script(const std::string& then) const {
    const std::string path = folder_ + "/decoder";
    const std::string text =
        "#!/bin/sh\nprintf '\\000\\000\\000\\002R\\004' >&3\nhead -c 1 <&3 >/dev/null\n" + then + "\n";
    EXPECT_TRUE(write_file_atomically(path, text, 0700).is_ok());
    return path;
  }
  UniqueFd file(const std::string& bytes) const {
    const std::string path = folder_ + "/file";
    EXPECT_TRUE(write_file_atomically(path, bytes).is_ok());
    Result<UniqueFd> fd = open_file(path, O_RDONLY);
    EXPECT_TRUE(fd.is_ok());
    return std::move(fd).value();
  }
  std::string folder_;
};

TEST_F(DecoderPoolTest, ATextIsNoPhotoAndAnEmptyJpegIsUndecodable) {
  DecoderPool pool({.program = SHOEBOX_DECODER, .processes = 1});
  const auto text = pool.decode(file("hello").get(), "notes.txt");
  ASSERT_TRUE(text.is_ok()) << text.status().message();
  EXPECT_EQ(text.value().info.kind, MediaKind::kOther);
  EXPECT_EQ(pool.decode(file("").get(), "a.jpg").value().info.kind, MediaKind::kUndecodable);
  EXPECT_EQ(pool.decode(file("hello").get(), "a.JPG").value().info.kind, MediaKind::kUndecodable);
}

TEST_F(DecoderPoolTest, ACrashIsDataLossAndNamesTheSignal) {
  DecoderPool pool({.program = script("kill -SEGV $$"), .processes = 1});
  const auto media = pool.decode(file("x").get(), "a.jpg");
  EXPECT_EQ(media.code(), Code::kDataLoss);
  EXPECT_NE(media.status().message().find("signal 11"), std::string::npos) << media.status().message();
}

TEST_F(DecoderPoolTest, AHangIsKilledAtTheDeadline) {
  DecoderPool pool({.program = script("while :; do :; done"), .processes = 1, .deadline = 200ms});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(pool.decode(file("x").get(), "a.jpg").code(), Code::kDataLoss);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(DecoderPoolTest, ASleeperIsKilledAfterThreeDeadlines) {
  DecoderPool pool({.program = script("read never <&3"), .processes = 1, .deadline = 100ms});
  EXPECT_EQ(pool.decode(file("x").get(), "a.jpg").code(), Code::kDataLoss);
}

TEST_F(DecoderPoolTest, WhatIsBeingDecodedAndWhatWaitsForItEndWhenNobodyWaits) {
  const std::string taken = folder_ + "/taken";
  ASSERT_EQ(::mkfifo(taken.c_str(), 0600), 0);
  DecoderPool pool({.program = script("echo > " + taken + "; read never <&3"), .processes = 1});
  const UniqueFd photo = file("x");
  const auto decode = [&] { return pool.decode(photo.get(), "a.jpg").code(); };
  auto first = std::async(std::launch::async, decode);
  const auto reading = open_file(taken, O_RDONLY);  // once the decoder has it
  ASSERT_TRUE(reading);
  auto second = std::async(std::launch::async, decode);
  const auto begin = std::chrono::steady_clock::now();
  pool.cancel();
  EXPECT_EQ(first.get(), Code::kCancelled);
  EXPECT_EQ(second.get(), Code::kCancelled);
  EXPECT_EQ(decode(), Code::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST_F(DecoderPoolTest, NonsenseIsRefused) {
  DecoderPool pool(
      {.program = script("printf '\\000\\000\\000\\004abcd' >&3; read never <&3"), .processes = 1});
  EXPECT_EQ(pool.decode(file("x").get(), "a.jpg").code(), Code::kDataLoss);
}

TEST_F(DecoderPoolTest, AnAnswerThatIsTooLongIsRefused) {
  DecoderPool pool({.program = script("printf '\\377\\377\\377\\377' >&3; read never <&3"), .processes = 1});
  EXPECT_EQ(pool.decode(file("x").get(), "a.jpg").code(), Code::kDataLoss);
}

TEST_F(DecoderPoolTest, ADecoderThatIsNotThereOrOfAnotherBuildIsUnavailable) {
  DecoderPool missing({.program = folder_ + "/nothing", .processes = 1});
  EXPECT_EQ(missing.decode(file("x").get(), "a.jpg").code(), Code::kUnavailable);
  DecoderPool ends({.program = "/bin/false", .processes = 1});
  EXPECT_EQ(ends.decode(file("x").get(), "a.jpg").code(), Code::kUnavailable);
}

TEST_F(DecoderPoolTest, AfterACrashTheNextFileGetsANewProcess) {
  const std::string mark = folder_ + "/crashed";
  const std::string path = folder_ + "/wrapper";
  const std::string crash = script("kill -SEGV $$");
  ASSERT_TRUE(write_file_atomically(path,
                                    "#!/bin/sh\nif [ -e " + mark +
                                        " ]; then exec " SHOEBOX_DECODER "; fi\n: > " + mark + "\nexec " +
                                        crash + "\n",
                                    0700)
                  .is_ok());
  DecoderPool pool({.program = path, .processes = 1});
  EXPECT_EQ(pool.decode(file("x").get(), "a.txt").code(), Code::kDataLoss);
  const auto media = pool.decode(file("x").get(), "a.txt");
  ASSERT_TRUE(media.is_ok()) << media.status().message();
  EXPECT_EQ(media.value().info.kind, MediaKind::kOther);
}

TEST_F(DecoderPoolTest, MoreCallersThanProcessesAllGetTheirAnswer) {
  DecoderPool pool({.program = SHOEBOX_DECODER, .processes = 2, .files_per_process = 3});
  const UniqueFd text = file("hello");
  std::atomic<int> answers = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&] {
      for (int k = 0; k < 3; ++k) answers += pool.decode(text.get(), "a.txt").is_ok();
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(answers, 18);
}

// Photos with random bytes changed, for a few seconds: whatever happens in the decoder, the pool
// answers and goes on.
TEST_F(DecoderPoolTest, MutatedPhotosNeverHurtThePool) {
  SHOEBOX_NEED_PHOTOS(photos);
  std::vector<std::string> seeds;
  for (const nlohmann::json& row : read_manifest(photos)) {
    if (row["bytes"].get<uint64_t>() < 60'000 && row.contains("type") && seeds.size() < 400)
      seeds.push_back(row["path"]);
  }
  ASSERT_FALSE(seeds.empty());
  DecoderPool pool({.program = SHOEBOX_DECODER, .processes = 1, .deadline = 2s});
  std::mt19937 random(std::random_device{}());
  const auto end = std::chrono::steady_clock::now() + 4s;
  int files = 0, crashes = 0;
  while (std::chrono::steady_clock::now() < end) {
    const std::string& seed = seeds[random() % seeds.size()];
    Result<std::string> bytes = read_file(photos + seed);
    ASSERT_TRUE(bytes.is_ok());
    std::string& mutated = bytes.value();
    if (mutated.empty()) continue;
    for (unsigned i = 0; i < 1 + random() % 16; ++i)
      mutated[random() % std::min<size_t>(mutated.size(), 8192)] = static_cast<char>(random());
    if (random() % 4 == 0) mutated.resize(random() % mutated.size());
    const auto media = pool.decode(file(mutated).get(), seed);
    ASSERT_TRUE(media.is_ok() || media.code() == Code::kDataLoss) << seed << ": " << media.status().message();
    ++files;
    crashes += !media.is_ok();
  }
  RecordProperty("files", files);
  RecordProperty("crashes", crashes);
  EXPECT_TRUE(pool.decode(file("hello").get(), "a.txt").is_ok());
}

}  // namespace
}  // namespace shoebox
