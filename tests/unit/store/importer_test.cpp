// The importer over a real library with a decoder that does what the test says.
#include "store/importer.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>

#include "fs/views/all_views.h"
#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/decode/media_decoder.h"
#include "store/files.h"
#include "store/library.h"
#include "store/thumbnail_id.h"
#include "store/thumbnails/thumbnails.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

DecodedMedia photo_of_2023() {
  DecodedMedia media;
  media.info.kind = MediaKind::kPhoto;
  media.info.mime = "image/jpeg";
  media.info.date = LocalDate{2023, 7, 14, 10, 11, 12};
  media.info.people = {"Anna"};
  media.thumbnails = {{256, "\xff\xd8\xff small"}, {1024, "\xff\xd8\xff large"}};
  return media;
}

class FakeDecoder : public MediaDecoder {
 public:
  using Answer = std::function<Result<DecodedMedia>(int call)>;
  void answer_with(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  Result<DecodedMedia> decode(int, const std::string&) override {
    Answer answer;
    int call = 0;
    {
      const std::lock_guard lock(mutex_);
      answer = answer_;
      call = ++calls_;
    }
    called_.notify_all();
    return answer(call);
  }
  Result<DecodedMedia> decode_part(int fd, const std::string& name, ByteRange hole) override {
    {
      const std::lock_guard lock(mutex_);
      holes_.push_back(hole);
    }
    return decode(fd, name);
  }
  [[nodiscard]] std::vector<ByteRange> holes() const {
    const std::lock_guard lock(mutex_);
    return holes_;
  }
  [[nodiscard]] int calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  bool wait_for_calls(int count) {
    std::unique_lock lock(mutex_);
    return called_.wait_for(lock, std::chrono::seconds(20), [&] { return calls_ >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable called_;
  Answer answer_ = [](int) { return photo_of_2023(); };
  int calls_ = 0;
  std::vector<ByteRange> holes_;
};

class ImporterTest : public ::testing::Test {
 protected:
  ImporterTest() {
    std::string pattern = ::testing::TempDir() + "/importer.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~ImporterTest() override {
    library_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(MediaDecoder* decoder) {
    library_.reset();
    Library::Options options;
    options.path = folder_ + "/library";
    options.views = make_views(Settings{});
    options.decoder = decoder;
    Result<std::unique_ptr<Library>> opened = Library::open(std::move(options));
    ASSERT_TRUE(opened.is_ok()) << opened.status().message();
    library_ = std::move(opened).value();
  }
  // Writes and closes a file in Library/; its content.
  ContentNo write(const std::string& name, const std::string& bytes) {
    const auto made = library_->tree().create(kLibraryInode, name, S_IFREG | 0644, Caller{});
    EXPECT_TRUE(made.is_ok()) << made.status().message();
    auto handle = library_->files().open(made->number, {.read = true, .write = true});
    EXPECT_TRUE(handle.is_ok()) << handle.status().message();
    EXPECT_TRUE(library_->files().write(*handle, 0, bytes).is_ok());
    EXPECT_TRUE(library_->files().flush(*handle).is_ok());
    library_->files().release(std::move(*handle));
    library_->files().drain();  // sealed now
    return library_->tree().getattr(made->number)->content;
  }
  PhotoRecord photo(ContentNo content) {
    const auto id = library_->catalog().photo_of_content(content);
    EXPECT_TRUE(id.is_ok() && id.value());
    return *library_->catalog().photo(*id.value()).value();
  }
  ContentRecord content(ContentNo number) { return *library_->catalog().content(number).value(); }

  FakeDecoder decoder_;
  std::string folder_;
  std::unique_ptr<Library> library_;
};

TEST_F(ImporterTest, AClosedPhotoGetsItsDatePeopleAndThumbnails) {
  open(&decoder_);
  library_->start(nullptr);
  const ContentNo number = write("a.jpg", "photo");
  library_->importer().drain();
  EXPECT_EQ(photo(number).info.kind, MediaKind::kPhoto);
  EXPECT_EQ(photo(number).info.people, std::vector<std::string>{"Anna"});
  EXPECT_EQ(library_->thumbnails().get(sha256("photo"), 256).value(), "\xff\xd8\xff small");
  EXPECT_EQ(library_->thumbnails().get(sha256("photo"), 1024).value(), "\xff\xd8\xff large");
  EXPECT_TRUE(library_->tree().resolve("Dates/2023/07/a.jpg").is_ok());
  EXPECT_EQ(library_->importer().pending(), 0u);
}

TEST_F(ImporterTest, ThumbnailsStandBeforeThePhotoIsDecoded) {
  open(&decoder_);
  bool stood = false;
  library_->catalog().add_observer([&](const Change&) {
    const auto found = library_->catalog().for_each_photo([&](PhotoId, const PhotoRecord& record) {
      if (record.info.kind == MediaKind::kPhoto)
        stood = library_->thumbnails().get(sha256("photo"), 256).value().has_value();
      return true;
    });
    EXPECT_TRUE(found.is_ok());
  });
  library_->start(nullptr);
  write("a.jpg", "photo");
  library_->importer().drain();
  EXPECT_TRUE(stood);
}

TEST_F(ImporterTest, OneCrashIsForgivenAndCounted) {
  decoder_.answer_with([](int call) -> Result<DecodedMedia> {
    if (call == 1) return {Code::kDataLoss, "the decoder crashed"};
    return photo_of_2023();
  });
  open(&decoder_);
  library_->start(nullptr);
  const ContentNo number = write("a.jpg", "photo");
  library_->importer().drain();
  EXPECT_EQ(photo(number).info.kind, MediaKind::kPhoto);
  EXPECT_EQ(content(number).decoder_crashes, 1);
}

TEST_F(ImporterTest, TwoCrashesMakeItUndecodableForGood) {
  decoder_.answer_with([](int) -> Result<DecodedMedia> { return {Code::kDataLoss, "the decoder crashed"}; });
  open(&decoder_);
  library_->start(nullptr);
  const ContentNo number = write("a.jpg", "photo");
  library_->importer().drain();
  EXPECT_EQ(decoder_.calls(), 2);
  EXPECT_EQ(photo(number).info.kind, MediaKind::kUndecodable);
  open(&decoder_);
  library_->start(nullptr);
  library_->importer().drain();
  EXPECT_EQ(decoder_.calls(), 2);
}

// Never answers before it is told that nobody waits.
class StuckDecoder final : public MediaDecoder {
 public:
  Result<DecodedMedia> decode(int, const std::string&) override {
    std::unique_lock lock(mutex_);
    asked_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return cancelled_; });
    return {Code::kCancelled, "nobody waits"};
  }
  Result<DecodedMedia> decode_part(int fd, const std::string& name, ByteRange) override {
    return decode(fd, name);
  }
  void cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }
  bool wait_until_asked() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return asked_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
  bool cancelled_ = false;
};

TEST_F(ImporterTest, WhatIsBeingDecodedAtTheEndIsDecodedByTheNextMountAndIsNoCrash) {
  StuckDecoder stuck;
  open(&stuck);
  library_->start(nullptr);
  const ContentNo number = write("a.jpg", "photo");
  ASSERT_TRUE(stuck.wait_until_asked());
  library_->stop();
  EXPECT_EQ(content(number).decoder_crashes, 0);
  EXPECT_EQ(photo(number).info.kind, MediaKind::kUnknown);
  open(&decoder_);
  library_->start(nullptr);
  library_->importer().drain();
  EXPECT_EQ(photo(number).info.kind, MediaKind::kPhoto);
}

TEST_F(ImporterTest, ARestartDecodesWhatWasNotDecoded) {
  open(nullptr);
  const ContentNo number = write("a.jpg", "photo");
  EXPECT_EQ(photo(number).info.kind, MediaKind::kUnknown);
  open(&decoder_);
  library_->start(nullptr);
  library_->importer().drain();
  EXPECT_EQ(photo(number).info.kind, MediaKind::kPhoto);
}

TEST_F(ImporterTest, ADecoderThatCannotStartIsTriedAgainWithoutBlame) {
  decoder_.answer_with([](int call) -> Result<DecodedMedia> {
    if (call == 1) return {Code::kUnavailable, "no decoder"};
    return photo_of_2023();
  });
  open(&decoder_);
  library_->start(nullptr);
  const ContentNo number = write("a.jpg", "photo");
  ASSERT_TRUE(decoder_.wait_for_calls(2));
  library_->importer().drain();
  EXPECT_EQ(content(number).decoder_crashes, 0);
  EXPECT_EQ(photo(number).info.kind, MediaKind::kPhoto);
}

TEST_F(ImporterTest, AMissingDecoderDoesNotHoldUpDrainOrStop) {
  decoder_.answer_with([](int) -> Result<DecodedMedia> { return {Code::kUnavailable, "no decoder"}; });
  open(&decoder_);
  library_->start(nullptr);
  write("a.jpg", "photo");
  ASSERT_TRUE(decoder_.wait_for_calls(1));
  library_->importer().drain();
  EXPECT_EQ(library_->importer().pending(), 1u);
  library_->stop();
}

TEST_F(ImporterTest, KnownBytesAreNotDecodedAgain) {
  open(&decoder_);
  library_->start(nullptr);
  write("a.jpg", "photo");
  library_->importer().drain();
  write("b.jpg", "photo");
  library_->importer().drain();
  EXPECT_EQ(decoder_.calls(), 1);
}

TEST_F(ImporterTest, AMissingThumbnailIsMadeWhenAskedFor) {
  open(&decoder_);
  library_->start(nullptr);
  const ContentNo number = write("a.jpg", "photo");
  library_->importer().drain();
  ASSERT_TRUE(library_->thumbnails().remove(sha256("photo")).is_ok());
  ASSERT_TRUE(library_->importer().make_thumbnails(number).is_ok());
  EXPECT_TRUE(library_->thumbnails().get(sha256("photo"), 1024).value().has_value());
  EXPECT_EQ(library_->importer().make_thumbnails(ContentNo{999'999}).code(), Code::kNotFound);
}

// A photo that stands on a remote, with its head and tail here.
class AdoptedPhotoTest : public ImporterTest {
 protected:
  ContentNo adopt(const std::string& name, const std::string& bytes) {
    AdoptedFile file;
    file.path = "Library/" + name;
    file.remote = "nas";
    file.copy = {name, "etag", bytes.size(), 1, {}};
    file.content = library_->catalog().begin()->new_content_no();
    std::vector<ContentStore::Part> parts;
    for (const ByteRange& range : kept_ranges(bytes.size()))
      parts.push_back({range.begin, bytes.substr(range.begin, range.size())});
    EXPECT_TRUE(library_->contents().put_adopted(file.content, bytes.size(), parts));
    EXPECT_TRUE(library_->tree().adopt({file}, Caller{}));
    return file.content;
  }
  const std::string bytes_ = std::string(1'000'000, 'p');
};

TEST_F(AdoptedPhotoTest, IsDecodedByItsHeadAndTailAndAgainWhenItIsWhole) {
  open(&decoder_);
  library_->start(nullptr);
  const ContentNo number = adopt("a.jpg", bytes_);
  library_->importer().drain();
  EXPECT_EQ(photo(number).info.kind, MediaKind::kPhoto);
  EXPECT_TRUE(library_->tree().resolve("Dates/2023/07/a.jpg").is_ok());
  ASSERT_EQ(decoder_.holes().size(), 1u);
  EXPECT_EQ(decoder_.holes()[0].begin, kHeadBytes);
  EXPECT_EQ(decoder_.holes()[0].end, kept_ranges(bytes_.size())[1].begin);
  const ContentHash early = thumbnail_id(number, content(number));
  EXPECT_TRUE(library_->thumbnails().get(early, 256).value());

  for (uint64_t index = 0; index < 4; ++index) {
    const uint64_t begin = index * kBlockBytes;
    const std::string block = bytes_.substr(begin, kBlockBytes);
    ASSERT_TRUE(library_->contents().store_block(number, index, block));
  }
  ASSERT_TRUE(library_->contents().settle_fetched(number));
  library_->importer().drain();
  EXPECT_EQ(content(number).state, ContentState::kSealed);
  EXPECT_EQ(decoder_.calls(), 2);
  EXPECT_EQ(decoder_.holes().size(), 1u);
  EXPECT_EQ(photo(number).info.kind, MediaKind::kPhoto);
  EXPECT_TRUE(library_->thumbnails().get(sha256(bytes_), 1024).value());
}

TEST_F(AdoptedPhotoTest, ThatWasNotDecodedBeforeACrashIsAtTheNextStart) {
  open(nullptr);
  const ContentNo number = adopt("a.jpg", bytes_);
  EXPECT_EQ(photo(number).info.kind, MediaKind::kUnknown);
  open(&decoder_);
  library_->start(nullptr);
  library_->importer().drain();
  EXPECT_EQ(photo(number).info.kind, MediaKind::kPhoto);
}

TEST_F(AdoptedPhotoTest, WhoseHeadIsNotHereIsNotTakenForSomethingElse) {
  open(nullptr);
  const ContentNo number = adopt("a.jpg", bytes_);
  library_.reset();
  std::filesystem::remove_all(folder_ + "/library/partial");
  open(&decoder_);
  library_->start(nullptr);
  library_->importer().drain();
  EXPECT_EQ(decoder_.calls(), 0);
  EXPECT_EQ(photo(number).info.kind, MediaKind::kUnknown);
}

}  // namespace
}  // namespace shoebox
