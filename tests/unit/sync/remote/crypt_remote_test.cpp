// CryptRemote over a folder: what it asks the remote below for, and what it makes of bytes that were changed.
#include "sync/remote/crypt_remote.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "store/base/hash.h"
#include "sync/remote/crypt_check.h"
#include "sync/remote/dir_remote.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

namespace fs = std::filesystem;

// Notes what it is asked for. Lets a test save progress and break off, as S3 does between parts.
class WatchedRemote final : public Remote {
 public:
  explicit WatchedRemote(std::unique_ptr<Remote> below) : below_(std::move(below)) {}
  [[nodiscard]] const std::string& name() const override { return below_->name(); }
  Status check(const RequestContext& context) override { return below_->check(context); }
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override {
    puts.push_back(key);
    sent.push_back(options.sha256);
    progress.push_back(options.progress);
    if (!save.empty() && options.save_progress) SHOEBOX_TRY(options.save_progress(std::exchange(save, "")));
    auto stored = below_->put(key, fd, options, context);
    if (lose_answer) return Status(Code::kUnavailable, "the answer was lost");
    return stored;
  }
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override {
    return below_->stat(key, context);
  }
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override {
    gets.push_back(range);
    return below_->get(key, range, etag, sink, context);
  }
  Result<ListPage> list(const std::string& prefix, const std::string& next,
                        const RequestContext& context) override {
    return below_->list(prefix, next, context);
  }
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override {
    return below_->copy(from, to, context);
  }
  Status remove(const std::string& key, const RequestContext& context) override {
    return below_->remove(key, context);
  }
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override {
    leftovers_of = key;
    for (const Leftover& left : leftovers) {
      SHOEBOX_ASSIGN(const bool goes, given_up(left));
      if (goes) ended.push_back(left.id);
    }
    return below_->remove_leftovers(key, given_up, context);
  }

  std::vector<std::string> puts;
  std::vector<ContentHash> sent;
  std::vector<std::string> progress;
  std::vector<ByteRange> gets;
  std::vector<Leftover> leftovers;
  std::string leftovers_of;
  std::vector<std::string> ended;
  std::string save;
  bool lose_answer = false;

 private:
  const std::unique_ptr<Remote> below_;
};

std::string noise(size_t size, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

UniqueFd file_of(const std::string& bytes) {
  UniqueFd fd(::memfd_create("crypt", MFD_CLOEXEC));
  EXPECT_TRUE(pwrite_full(fd.get(), bytes.data(), bytes.size(), 0));
  return fd;
}

class CryptRemoteTest : public ::testing::Test {
 protected:
  void SetUp() override { open("right"); }

  // A new remote over the same folder, as after a remount.
  void open(const std::string& passphrase) {
    auto watched = std::make_unique<WatchedRemote>(std::make_unique<DirRemote>("nas", folder_.path(), false));
    below_ = watched.get();
    CryptRemote::Options options;
    passphrase_ = passphrase;
    options.read_keys = [this]() -> Result<CryptRemote::Keys> {
      ++keys_read_;
      return CryptKeys::derive(passphrase_, "");
    };
    options.refused_for = std::chrono::milliseconds(0);
    options.scratch.folder = scratch_.path();
    remote_ = std::make_unique<CryptRemote>(std::move(watched), std::move(options));
  }
  Result<RemoteObject> put(const std::string& key, const std::string& bytes, PutOptions options = {}) {
    options.size = bytes.size();
    options.sha256 = sha256(bytes);
    return remote_->put(key, file_of(bytes).get(), options, {});
  }
  Result<std::string> get(const std::string& key, ByteRange range, const RequestContext& context = {}) {
    std::string bytes;
    SHOEBOX_TRY(remote_->get(
        key, range, "",
        [&](std::string_view piece) {
          bytes += piece;
          return Status::ok();
        },
        context));
    return bytes;
  }
  // The only object, as it stands in the folder.
  std::string stored_path() {
    std::string found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      const std::string path = entry.path().string();
      if (!entry.is_regular_file() || path.find("/.shoebox/") != std::string::npos) continue;
      EXPECT_TRUE(found.empty()) << found << " and " << path;
      found = path;
    }
    return found;
  }
  std::string stored_path_of(const std::string& key) {
    return folder_.path(*CryptNames(*CryptKeys::derive("right", "")).encrypt(key));
  }
  static std::string read_path(const std::string& path) { return *read_file(path); }
  static void write_path(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  testing::TempDir folder_;
  testing::TempDir scratch_;
  std::string passphrase_;  // as the settings name it now
  int keys_read_ = 0;
  std::unique_ptr<CryptRemote> remote_;
  WatchedRemote* below_ = nullptr;
};

TEST_F(CryptRemoteTest, NeitherNamesNorBytesStandInTheFolder) {
  const std::string bytes = "a text that anybody would know again, " + noise(1000);
  auto stored = put("Library/2023/Secret Wedding.jpg", bytes);
  ASSERT_TRUE(stored) << stored.status().message();
  EXPECT_EQ(stored->key, "Library/2023/Secret Wedding.jpg");
  EXPECT_EQ(stored->size, bytes.size());
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.path().string().find("Wedding"), std::string::npos);
    EXPECT_EQ(entry.path().string().find("Library"), std::string::npos);
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(read_path(entry.path()).find("anybody"), std::string::npos);
  }
  EXPECT_EQ(fs::file_size(stored_path()), crypt_sealed_size(bytes.size()));
  EXPECT_TRUE(fs::is_empty(scratch_.path()));
}

TEST_F(CryptRemoteTest, ARangeCostsTheBlocksThatItNeeds) {
  const std::string bytes = noise(1'000'000);
  ASSERT_TRUE(put("a", bytes));
  open("right");  // no nonce is remembered
  ASSERT_TRUE(remote_->stat("a", {}));
  below_->gets.clear();
  EXPECT_TRUE(*get("a", {262'144, 524'288}) == bytes.substr(262'144, 262'144));
  const std::vector<ByteRange> cold = {{0, 32}, {32 + 4 * 65'552, 32 + 8 * 65'552}};
  EXPECT_EQ(below_->gets, cold);

  below_->gets.clear();
  EXPECT_TRUE(*get("a", {524'288, 1'000'000}) == bytes.substr(524'288));
  const std::vector<ByteRange> to_the_end = {{32 + 8 * 65'552, crypt_sealed_size(1'000'000)}};
  EXPECT_EQ(below_->gets, to_the_end) << "the nonce is known, and the last block is short";

  below_->gets.clear();
  EXPECT_TRUE(*get("a", {0, 65'536}) == bytes.substr(0, 65'536));
  const std::vector<ByteRange> head = {{0, 32 + 65'552}};
  EXPECT_EQ(below_->gets, head);
}

TEST_F(CryptRemoteTest, AnyRangeIsExact) {
  for (const size_t size : {size_t{1}, size_t{65'535}, size_t{65'536}, size_t{65'537}, size_t{300'000}}) {
    const std::string bytes = noise(size, static_cast<uint32_t>(size));
    const std::string key = std::to_string(size);
    ASSERT_TRUE(put(key, bytes));
    std::mt19937 random(7);
    for (int i = 0; i < 40; ++i) {
      uint64_t begin = random() % size;
      uint64_t end = begin + 1 + random() % (size - begin);
      if (i == 0) begin = 0, end = size;
      if (i == 1) begin = 0, end = 1;
      if (i == 2) begin = size - 1, end = size;
      if (i % 5 == 0) open("right");
      auto read = get(key, {begin, end});
      ASSERT_TRUE(read) << size << " " << begin << " " << end << ": " << read.status().message();
      EXPECT_TRUE(*read == bytes.substr(begin, end - begin)) << size << " " << begin << " " << end;
    }
    EXPECT_EQ(get(key, {0, size + 1}).code(), Code::kDataLoss);
    EXPECT_EQ(get(key, {size, size + 70'000}).code(), Code::kDataLoss);
  }
}

TEST_F(CryptRemoteTest, WhatCameOverTheWireIsTold) {
  const std::string bytes = noise(300'000);
  ASSERT_TRUE(put("a", bytes));
  open("right");
  ASSERT_TRUE(remote_->stat("a", {}));
  RequestHints hints;
  RequestContext context;
  context.hints = &hints;
  ASSERT_TRUE(get("a", {70'000, 70'010}, context));
  // The header; a block that was taken for the last and is not; the whole block.
  EXPECT_EQ(hints.extra_bytes, 32 + (16 + 70'010 - 65'536) + 65'552 - 10);
}

TEST_F(CryptRemoteTest, ChangedBytesAreNeverGiven) {
  const std::string bytes = noise(300'000);
  ASSERT_TRUE(put("a", bytes));
  const std::string good = read_path(stored_path());
  // One bit anywhere: magic, nonce, a tag, the middle of a block, the last byte.
  for (const size_t at : {size_t{0}, size_t{8}, size_t{31}, size_t{32}, size_t{32 + 65'552 + 3},
                          size_t{100'000}, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    write_path(stored_path(), bad);
    open("right");
    std::string given;
    const Status status = remote_->get("a", {0, bytes.size()}, "",
                                       [&](std::string_view piece) {
                                         given += piece;
                                         return Status::ok();
                                       },
                                       {});
    EXPECT_EQ(status.code(), Code::kDataLoss) << at;
    EXPECT_TRUE(given == bytes.substr(0, given.size())) << "what was given before was right";
    if (at < 32) EXPECT_TRUE(given.empty()) << at;
  }
  // A range that does not touch the changed block is read all the same.
  std::string bad = good;
  bad[good.size() - 1] = static_cast<char>(bad.back() ^ 1);
  write_path(stored_path(), bad);
  EXPECT_TRUE(*get("a", {65'536, 131'072}) == bytes.substr(65'536, 65'536));
}

TEST_F(CryptRemoteTest, BlocksInAnotherOrderOrCutOffAreDataLoss) {
  const std::string bytes = noise(5 * 65'536);
  ASSERT_TRUE(put("a", bytes));
  const std::string good = read_path(stored_path());
  const auto block = [&](size_t i) { return good.substr(32 + i * 65'552, 65'552); };
  const std::string swapped = good.substr(0, 32) + block(0) + block(2) + block(1) + block(3) + block(4);
  const std::string twice = good.substr(0, 32) + block(0) + block(1) + block(1) + block(3) + block(4);
  const std::string dropped = good.substr(0, 32) + block(0) + block(2) + block(3) + block(4);
  const std::string cut_within = good.substr(0, good.size() - 100);
  const std::string cut_between = good.substr(0, 32 + 4 * 65'552);
  for (const std::string& bad : {swapped, twice, dropped, cut_within, cut_between, good.substr(0, 20)}) {
    write_path(stored_path(), bad);
    open("right");
    EXPECT_EQ(get("a", {0, bytes.size()}).code(), Code::kDataLoss) << bad.size();
  }
  EXPECT_EQ(remote_->stat("a", {}).code(), Code::kDataLoss) << "20 bytes are no encrypted file";
}

TEST_F(CryptRemoteTest, AWrongPassphraseIsKnownBeforeAnythingIsReadOrWritten) {
  ASSERT_TRUE(put("a", "bytes"));
  const auto before = std::distance(fs::recursive_directory_iterator(folder_.path()), {});
  open("wrong");
  const auto says = [](const Status& status) {
    EXPECT_EQ(status.code(), Code::kUnauthorized);
    EXPECT_NE(status.message().find("passphrase"), std::string::npos) << status.message();
    EXPECT_EQ(status.message().find("wrong"), std::string::npos) << "the passphrase itself is never told";
  };
  says(remote_->check({}));
  says(put("b", "other").status());
  says(remote_->stat("a", {}).status());
  says(get("a", {0, 5}).status());
  says(remote_->list("", "", {}).status());
  says(remote_->copy("a", "c", {}));
  says(remote_->remove("a", {}));
  EXPECT_TRUE(below_->puts.empty());
  EXPECT_EQ(std::distance(fs::recursive_directory_iterator(folder_.path()), {}), before);
  open("right");
  EXPECT_EQ(*get("a", {0, 5}), "bytes");
}

TEST_F(CryptRemoteTest, AFolderThatHoldsOtherThingsIsLeftAlone) {
  write_path(folder_.path("holiday.jpg"), noise(1000));
  const Status status = remote_->check({});
  EXPECT_EQ(status.code(), Code::kUnauthorized);
  EXPECT_NE(status.message().find("holiday.jpg"), std::string::npos) << status.message();
  EXPECT_EQ(put("a", "x").code(), Code::kUnauthorized);
}

TEST_F(CryptRemoteTest, WithoutItsCheckObjectAFolderIsKnownByItsFiles) {
  ASSERT_TRUE(put("a", "bytes"));
  ASSERT_TRUE(put("empty", ""));
  fs::remove(folder_.path(kCryptCheckKey));
  open("wrong");
  EXPECT_EQ(remote_->check({}).code(), Code::kUnauthorized);
  open("right");
  EXPECT_EQ(*get("a", {0, 5}), "bytes");
  EXPECT_FALSE(fs::exists(folder_.path(kCryptCheckKey))) << "reading writes nothing";
  EXPECT_TRUE(remote_->check({}));
  EXPECT_TRUE(fs::exists(folder_.path(kCryptCheckKey)));
}

TEST_F(CryptRemoteTest, ReadingANewRemoteDoesNotSettleItsPassphrase) {
  open("mistyped");
  EXPECT_EQ(remote_->stat("a", {}).code(), Code::kNotFound);
  open("right");
  EXPECT_TRUE(remote_->check({}));
}

TEST_F(CryptRemoteTest, KeysAreMadeOnceAndReadAgainWhenRefused) {
  ASSERT_TRUE(put("a", "bytes"));
  ASSERT_TRUE(get("a", {0, 5}));
  EXPECT_EQ(keys_read_, 1);
  open("wrong");
  EXPECT_EQ(remote_->check({}).code(), Code::kUnauthorized);
  passphrase_ = "right";  // put right while the drive is mounted
  EXPECT_EQ(*get("a", {0, 5}), "bytes");
}

TEST_F(CryptRemoteTest, AListingTellsPlainNamesAndSizesAndCountsWhatItSkips) {
  ASSERT_TRUE(put("Library/a.jpg", "12345"));
  ASSERT_TRUE(put("Library/ab/c.jpg", noise(70'000)));
  ASSERT_TRUE(put("other", ""));
  write_path(folder_.path("README.txt"), "not ours");
  write_path(stored_path_of("other") + "0", "not ours either");
  auto page = remote_->list("", "", {});
  ASSERT_TRUE(page) << page.status().message();
  std::map<std::string, uint64_t> found;
  for (const RemoteObject& object : page->objects) found[object.key] = object.size;
  EXPECT_EQ(found, (std::map<std::string, uint64_t>{
                       {"Library/a.jpg", 5}, {"Library/ab/c.jpg", 70'000}, {"other", 0}}));
  EXPECT_EQ(page->skipped, 2u);
  page = remote_->list("Library/a", "", {});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects.size(), 2u);
  page = remote_->list("Library/ab/", "", {});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects.size(), 1u);
}

TEST_F(CryptRemoteTest, PutIfAbsentOfTheSameBytesIsTheSamePutUnderAnyNonce) {
  PutOptions if_absent;
  if_absent.if_absent = true;
  ASSERT_TRUE(remote_->check({}));
  below_->lose_answer = true;
  EXPECT_EQ(put("a", "the same bytes", if_absent).code(), Code::kUnavailable);
  below_->lose_answer = false;
  auto again = put("a", "the same bytes", if_absent);
  ASSERT_TRUE(again) << again.status().message();
  EXPECT_EQ(again->size, 14u);
  ASSERT_EQ(below_->sent.size(), 3u) << "the check object, and twice the file";
  EXPECT_NE(below_->sent[1], below_->sent[2]) << "a nonce is used once";
  EXPECT_EQ(put("a", "OTHER SAME BYT", if_absent).code(), Code::kConflict);
  EXPECT_EQ(put("a", "longer bytes than those", if_absent).code(), Code::kConflict);
  EXPECT_EQ(*get("a", {0, 14}), "the same bytes");
}

TEST_F(CryptRemoteTest, AnUploadThatGoesOnSendsTheSameBytes) {
  const std::string bytes = noise(200'000);
  std::string saved;
  PutOptions options;
  options.save_progress = [&](const std::string& text) {
    saved = text;
    return Status(Code::kCancelled, "power cut");
  };
  ASSERT_TRUE(remote_->check({}));
  below_->save = "what the remote below wants to know\n1 etag\n";
  EXPECT_EQ(put("a", bytes, options).code(), Code::kCancelled);
  ASSERT_FALSE(saved.empty());
  open("right");
  ASSERT_TRUE(remote_->check({}));
  PutOptions resumed;
  resumed.progress = saved;
  ASSERT_TRUE(put("a", bytes, resumed));
  EXPECT_EQ(below_->progress.back(), "what the remote below wants to know\n1 etag\n");
  const ContentHash first = below_->sent.back();
  ASSERT_TRUE(put("a", bytes, resumed));
  EXPECT_EQ(below_->sent.back(), first) << "the nonce is that of the progress";
  // Other bytes of the same size never go under a nonce that was used.
  const std::string other = noise(200'000, 2);
  ASSERT_TRUE(put("a", other, resumed));
  const std::string nonce_of_other = read_path(stored_path()).substr(8, 24);
  EXPECT_EQ(saved.find(hex(nonce_of_other)), std::string::npos);
  EXPECT_EQ(below_->progress.back(), "what the remote below wants to know\n1 etag\n")
      << "so that it is ended";
  EXPECT_TRUE(*get("a", {0, 200'000}) == other);
}

TEST_F(CryptRemoteTest, LocalBytesThatChangedAreNotSent) {
  ASSERT_TRUE(remote_->check({}));
  const size_t puts = below_->puts.size();
  PutOptions options;
  options.size = 7;
  options.sha256 = sha256("as kept");
  EXPECT_EQ(remote_->put("a", file_of("rotten!").get(), options, {}).code(), Code::kDataLoss);
  EXPECT_EQ(remote_->put("a", file_of("short").get(), options, {}).code(), Code::kDataLoss);
  EXPECT_EQ(below_->puts.size(), puts);
}

TEST_F(CryptRemoteTest, AnObjectThatAnotherMachineReplacedIsReadUnderItsOwnNonce) {
  const std::string first = noise(300'000, 1);
  const std::string second = noise(300'000, 2);
  ASSERT_TRUE(put("a", first));
  auto mine = std::move(remote_);
  open("right");
  ASSERT_TRUE(put("a", second));
  remote_ = std::move(mine);
  EXPECT_TRUE(*get("a", {131'072, 300'000}) == second.substr(131'072));
}

TEST(CryptScratchTest, WithoutRoomForTheEncryptedCopyOthersMayTry) {
  const testing::TempDir folder;
  CryptScratch scratch;
  uint64_t asked = 0;
  scratch.folder = folder.path();
  scratch.make_room = [&](uint64_t bytes) {
    asked = bytes;
    return uint64_t{0};
  };
  const uint64_t huge = 1ULL << 60;
  const auto made = scratch.make(huge);
  EXPECT_EQ(made.code(), Code::kBusy);
  EXPECT_GE(asked, huge) << "the evictor is asked first";
  EXPECT_NE(made.status().message().find(folder.path()), std::string::npos);

  asked = 0;
  const auto small = scratch.make(100'000);
  ASSERT_TRUE(small) << small.status().message();
  EXPECT_EQ(asked, 0u);
  struct stat st {};
  ASSERT_EQ(::fstat(small->get(), &st), 0);
  EXPECT_GE(st.st_blocks * 512, 100'000) << "the room is taken before anything is written";
  EXPECT_TRUE(fs::is_empty(folder.path())) << "and it has no name";
}

TEST(CryptScratchTest, PhotosAreSentWhileNoDiskHasRoom) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("TMPDIR", "/nowhere", 1);
  CryptScratch scratch;
  scratch.folder = "/nowhere/either";
  EXPECT_TRUE(scratch.make(20 << 20));
  EXPECT_EQ(scratch.make(100 << 20).code(), Code::kBusy);
  before != nullptr ? ::setenv("TMPDIR", kept.c_str(), 1) : ::unsetenv("TMPDIR");
}

TEST_F(CryptRemoteTest, LeftoversAreToldByTheirPlainKeysAndThoseOfOthersAreLetBe) {
  ASSERT_TRUE(put("Library/a.jpg", "bytes"));
  const std::string name = *CryptNames(*CryptKeys::derive("right", "")).encrypt("Library/a.jpg");
  below_->leftovers = {{name, "ours"}, {"Library/theirs.jpg", "theirs"}, {"", "temporary"}};
  std::vector<std::string> asked;
  ASSERT_TRUE(remote_->remove_leftovers(
      "Library/a.jpg", [&](const Leftover& left) { return asked.push_back(left.key), true; }, {}));
  EXPECT_EQ(below_->leftovers_of, name);
  EXPECT_EQ(asked, (std::vector<std::string>{"Library/a.jpg", ""}));
  EXPECT_EQ(below_->ended, (std::vector<std::string>{"ours", "temporary"}));
}

}  // namespace
}  // namespace shoebox
