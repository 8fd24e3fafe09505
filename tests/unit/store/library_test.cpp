#include "store/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

#include "fs/views/all_views.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/files.h"
#include "store/importer.h"
#include "store/lost_copies.h"
#include "store/outbox.h"
#include "store/tree/tree.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

using ::testing::HasSubstr;

class LibraryTest : public ::testing::Test {
 protected:
  Library::Options options() {
    Library::Options options;
    options.path = dir.path("library");
    options.views = make_views(Settings());
    return options;
  }
  RemoteSettings remote(const std::string& name, const std::string& folder) {
    RemoteSettings settings;
    settings.name = name;
    settings.url = "file://" + dir.path(folder);
    return settings;
  }
  std::unique_ptr<Library> open(Library::Options with) {
    Result<std::unique_ptr<Library>> library = Library::open(std::move(with));
    EXPECT_TRUE(library) << library.status().message();
    return library ? std::move(*library) : nullptr;
  }
  void write(Library& library, const std::string& name, const std::string& bytes) {
    const Result<Entry> entry = library.tree().create(kLibraryInode, name, S_IFREG | 0644, Caller{});
    ASSERT_TRUE(entry) << entry.status().message();
    OpenFlags flags;
    flags.write = true;
    Result<std::shared_ptr<FileHandle>> handle = library.files().open(entry->number, flags);
    ASSERT_TRUE(handle);
    ASSERT_TRUE(library.files().write(*handle, 0, bytes));
    ASSERT_TRUE(library.files().flush(*handle));
    library.files().release(std::move(*handle));
    library.files().drain();
  }
  // a.jpg is replaced by a rename while a reader keeps its first bytes from being sealed.
  std::shared_ptr<FileHandle> replace_unsealed(Library& library) {
    write(library, "a.jpg", "first");
    Result<Entry> entry = library.tree().resolve("Library/a.jpg");
    OpenFlags flags;
    flags.write = true;
    Result<std::shared_ptr<FileHandle>> handle = library.files().open(entry->number, flags);
    EXPECT_TRUE(handle && library.files().write(*handle, 0, "again"));
    EXPECT_TRUE(library.files().flush(*handle));
    write(library, ".a.jpg.Xy12", "replaced");
    EXPECT_TRUE(library.tree().rename(kLibraryInode, ".a.jpg.Xy12", kLibraryInode, "a.jpg",
                                      RenameMode::kReplace, Caller{}));
    return *handle;
  }
  void expect_all_sealed(Library& library, size_t contents) {
    size_t sealed = 0;
    ASSERT_TRUE(library.catalog().for_each_content([&](ContentNo content, const ContentRecord& record) {
      EXPECT_EQ(record.state, ContentState::kSealed) << content.value;
      ++sealed;
      return true;
    }));
    EXPECT_EQ(sealed, contents);
  }
  std::string toml() {
    std::ifstream file(dir.path("library/shoebox.toml"));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  testing::TempDir dir;
};

TEST_F(LibraryTest, ANewLibraryIsMadeForItsOwnerOnly) {
  const auto library = open(options());
  struct stat st {};
  ASSERT_EQ(::stat(dir.path("library").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0700U);
  EXPECT_TRUE(library->tree().resolve("Library"));
  EXPECT_TRUE(library->tree().resolve("Albums"));
  EXPECT_FALSE(std::filesystem::exists(dir.path("library/shoebox.toml"))) << "there is nothing to keep in it";
}

TEST_F(LibraryTest, ASecondOpenIsRefusedByThePidOfTheFirst) {
  const auto library = open(options());
  const Result<std::unique_ptr<Library>> second = Library::open(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.code(), Code::kBusy);
  EXPECT_THAT(second.status().message(), HasSubstr(std::to_string(::getpid())));
}

TEST_F(LibraryTest, AFolderWithSomebodysFilesIsNotTakenOver) {
  std::filesystem::create_directories(dir.path("library"));
  std::ofstream(dir.path("library/IMG_1.jpg")) << "a photo";
  const Result<std::unique_ptr<Library>> library = Library::open(options());
  ASSERT_FALSE(library);
  EXPECT_THAT(library.status().message(), HasSubstr("IMG_1.jpg"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path("library")), {}), 1);
}

TEST_F(LibraryTest, BytesWhoseCatalogIsGoneAreNotBuiltOver) {
  {
    const auto library = open(options());
    write(*library, "a.jpg", "one");
  }
  std::filesystem::remove_all(dir.path("library/catalog"));
  const Result<std::unique_ptr<Library>> library = Library::open(options());
  ASSERT_FALSE(library);
  EXPECT_EQ(library.code(), Code::kDataLoss);
}

TEST_F(LibraryTest, OneThatWasKilledWhileItWasMadeIsMadeAnew) {
  std::filesystem::create_directories(dir.path("library/catalog"));
  std::ofstream(dir.path("library/catalog/MANIFEST-000001")) << "half a line";
  std::ofstream(dir.path("library/catalog/LOCK"));
  const auto library = open(options());
  ASSERT_TRUE(library);
  write(*library, "a.txt", "bytes");
}

TEST_F(LibraryTest, WithoutCreateNothingIsMade) {
  Library::Options with = options();
  with.create = false;
  const Result<std::unique_ptr<Library>> library = Library::open(std::move(with));
  ASSERT_FALSE(library);
  EXPECT_EQ(library.code(), Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(dir.path("library")));
}

TEST_F(LibraryTest, BadSettingsAreRefusedWithTheirLine) {
  std::filesystem::create_directories(dir.path("library"));
  std::ofstream(dir.path("library/shoebox.toml")) << "\ncahce = 1\n";
  const Result<std::unique_ptr<Library>> library = Library::open(options());
  ASSERT_FALSE(library);
  EXPECT_THAT(library.status().message(), HasSubstr("shoebox.toml:2: unknown key \"cahce\""));
}

TEST_F(LibraryTest, ARemoteOfTheCommandLineIsKeptInTheSettings) {
  {
    Library::Options with = options();
    with.extra_remotes = {remote("", "nas")};
    const auto library = open(std::move(with));
    ASSERT_EQ(library->settings().remotes.size(), 1U);
    EXPECT_EQ(library->settings().remotes[0].name, "default");
  }
  EXPECT_THAT(toml(), HasSubstr("url = \"file://" + dir.path("nas") + "\""));
  {
    Library::Options with = options();
    with.extra_remotes = {remote("", "nas"), remote("second", "other")};
    const auto library = open(std::move(with));
    EXPECT_EQ(library->settings().remotes.size(), 2U);
  }
  const auto library = open(options());
  EXPECT_EQ(library->settings().remotes.size(), 2U) << toml();
}

TEST_F(LibraryTest, ARemoteUnderATakenNameOrInsideTheLibraryIsRefused) {
  Library::Options with = options();
  with.extra_remotes = {remote("nas", "nas")};
  open(std::move(with)).reset();
  with = options();
  with.extra_remotes = {remote("nas", "elsewhere")};
  EXPECT_EQ(Library::open(std::move(with)).code(), Code::kExists);
  with = options();
  with.extra_remotes = {remote("inside", "library/backup")};
  EXPECT_EQ(Library::open(std::move(with)).code(), Code::kInvalid);
}

TEST_F(LibraryTest, ANewRemoteGetsWhatIsThereAlready) {
  {
    const auto library = open(options());
    write(*library, "a.jpg", "one");
    write(*library, "b.jpg", "three");
  }
  Library::Options with = options();
  with.extra_remotes = {remote("nas", "nas")};
  const auto library = open(std::move(with));
  const Result<Outbox::Totals> totals = library->outbox().totals("nas");
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->pending_files, 2U);
}

TEST_F(LibraryTest, CopiesOnARemoteThatMovedAreCheckedThereAgain) {
  {
    Library::Options with = options();
    with.extra_remotes = {remote("nas", "nas")};
    const auto library = open(std::move(with));
    write(*library, "a.jpg", "one");
    const Result<Entry> entry = library->tree().resolve("Library/a.jpg");
    ASSERT_TRUE(entry);
    RemoteCopy copy;
    copy.key = "Library/a.jpg";
    copy.size = 3;
    ASSERT_TRUE(library->outbox().confirmed(entry->inode.content, "nas", copy));
    EXPECT_EQ(library->outbox().totals("nas")->pending_files, 0U);
  }
  std::ofstream(dir.path("library/shoebox.toml"))
      << "[[remote]]\nname = \"nas\"\nurl = \"file:///mnt/elsewhere\"\n";
  const auto library = open(options());
  EXPECT_EQ(library->outbox().totals("nas")->pending_files, 1U);
  EXPECT_EQ(library->outbox().totals("nas")->confirmed_files, 0U);
}

TEST_F(LibraryTest, WhatWasClosedIsThereAfterAKill) {
  const pid_t child = ::fork();
  if (child == 0) {
    Result<std::unique_ptr<Library>> library = Library::open(options());
    if (!library) ::_exit(1);
    write(**library, "a.jpg", "kept");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto library = open(options());
  const Result<Entry> entry = library->tree().resolve("Library/a.jpg");
  ASSERT_TRUE(entry) << entry.status().message();
  EXPECT_EQ(entry->inode.size, 4U);
  const Result<std::optional<ContentRecord>> content = library->catalog().content(entry->inode.content);
  ASSERT_TRUE(content && content->has_value());
  EXPECT_EQ((*content)->state, ContentState::kSealed);
}

// Whoever finds that a remote lost a photo copies it in again, and close() says that it is kept.
TEST_F(LibraryTest, KnownBytesThatLeftThisDiskAreHereWhenTheyAreWrittenAgain) {
  Library::Options with = options();
  with.extra_remotes = {remote("nas", "nas")};
  const auto library = open(std::move(with));
  ASSERT_TRUE(library);
  const std::string bytes(1 << 20, 'x');
  write(*library, "a.jpg", bytes);
  const ContentNo content = library->tree().resolve("Library/a.jpg")->inode.content;
  RemoteCopy copy;
  copy.key = "Library/a.jpg";
  copy.size = bytes.size();
  ASSERT_TRUE(library->outbox().confirmed(content, "nas", copy));
  ASSERT_TRUE(library->contents().evict(content));
  ASSERT_FALSE(library->contents().missing(content, {0, bytes.size()})->empty());
  ASSERT_TRUE(note_lost_copies(library->catalog(), {{{content, "nas"}, true}}));

  write(*library, "b.jpg", bytes);
  EXPECT_EQ(library->tree().resolve("Library/b.jpg")->inode.content, content) << "a twin";
  const Result<UniqueFd> fd = library->contents().open_local(content);
  ASSERT_TRUE(fd) << fd.status().message();
  EXPECT_EQ(*read_file("/proc/self/fd/" + std::to_string(fd->get())), bytes);
  EXPECT_TRUE(library->catalog().copies(content)->empty()) << "the lost copy counts no more";
  EXPECT_EQ(library->catalog().jobs_of_content(content)->size(), 1U) << "sent again";
  ASSERT_TRUE(library->outbox().confirmed(content, "nas", copy));
  EXPECT_TRUE(lost_copies_of(library->catalog(), content)->empty()) << "it is there again";
}

TEST_F(LibraryTest, KnownBytesThatTheDiskSpoiledAreGoodWhenTheyAreWrittenAgain) {
  const auto library = open(options());
  ASSERT_TRUE(library);
  const std::string bytes(1 << 20, 'x');
  write(*library, "a.jpg", bytes);
  const ContentNo content = library->tree().resolve("Library/a.jpg")->inode.content;
  {
    const Result<UniqueFd> fd = library->contents().open_local(content);
    ASSERT_TRUE(fd);
    const std::string object = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd->get()));
    std::fstream file(object, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(300'000);
    file << "spoiled";
  }
  write(*library, "b.jpg", bytes);
  EXPECT_EQ(library->tree().resolve("Library/b.jpg")->inode.content, content) << "a twin";
  const Result<UniqueFd> fd = library->contents().open_local(content);
  ASSERT_TRUE(fd) << fd.status().message();
  EXPECT_EQ(*read_file("/proc/self/fd/" + std::to_string(fd->get())), bytes);
}

TEST_F(LibraryTest, KnownBytesWhoseFileIsGoneOrCutShortAreGoodWhenTheyAreWrittenAgain) {
  const auto library = open(options());
  ASSERT_TRUE(library);
  for (const bool gone : {true, false}) {
    const std::string name = gone ? "gone" : "short";
    const std::string bytes(1 << 20, name[0]);
    write(*library, name + ".jpg", bytes);
    const ContentNo content = library->tree().resolve("Library/" + name + ".jpg")->inode.content;
    std::string object;
    {
      const Result<UniqueFd> fd = library->contents().open_local(content);
      ASSERT_TRUE(fd);
      object = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd->get()));
    }
    if (gone) {
      std::filesystem::remove(object);
    } else {
      std::filesystem::resize_file(object, 1000);
    }
    write(*library, name + " again.jpg", bytes);
    for (const char* ending : {".jpg", " again.jpg"}) {
      const ContentNo now = library->tree().resolve("Library/" + name + ending)->inode.content;
      const Result<UniqueFd> fd = library->contents().open_local(now);
      ASSERT_TRUE(fd) << name << ending << fd.status().message();
      EXPECT_EQ(*read_file("/proc/self/fd/" + std::to_string(fd->get())), bytes) << name << ending;
    }
  }
}

// An error while the known ones are looked at is no reason to drop good bytes.
TEST_F(LibraryTest, BytesThatCannotTakeThePlaceOfKnownOnesAreKeptBesideThem) {
  const auto library = open(options());
  ASSERT_TRUE(library);
  const std::string bytes(1 << 20, 'x');
  write(*library, "a.jpg", bytes);
  library->files().on_known(
      [](ContentNo, int, const Files::GoOn&) { return Status(Code::kIo, "the disk is bad there"); });
  write(*library, "b.jpg", bytes);
  EXPECT_NE(library->tree().resolve("Library/b.jpg")->inode.content,
            library->tree().resolve("Library/a.jpg")->inode.content);
}

TEST_F(LibraryTest, ALookAtKnownBytesGivesWayToWhoWrites) {
  const auto library = open(options());
  ASSERT_TRUE(library);
  const std::string bytes(1 << 20, 'x');
  write(*library, "a.jpg", bytes);
  std::promise<void> looks;
  std::atomic<int> given_up{0};
  library->files().on_known([&](ContentNo, int, const Files::GoOn& go_on) {
    looks.set_value();
    for (;;) {  // as of a video that takes minutes to read
      Status told = go_on(0);
      if (told) continue;
      ++given_up;
      return told;
    }
  });
  const Result<Entry> entry = library->tree().create(kLibraryInode, "b.jpg", S_IFREG | 0644, Caller{});
  ASSERT_TRUE(entry) << entry.status().message();
  OpenFlags flags;
  flags.write = true;
  Result<std::shared_ptr<FileHandle>> handle = library->files().open(entry->number, flags);
  ASSERT_TRUE(handle && library->files().write(*handle, 0, bytes) && library->files().flush(*handle));
  library->files().release(std::move(*handle));
  looks.get_future().wait();
  handle = library->files().open(entry->number, flags);
  ASSERT_TRUE(handle && library->files().write(*handle, 0, "y") && library->files().flush(*handle));
  library->files().release(std::move(*handle));
  library->files().drain();
  EXPECT_EQ(given_up, 1);
  expect_all_sealed(*library, 2);
}

TEST_F(LibraryTest, AVersionReplacedBeforeItWasSealedIsSealed) {
  const auto library = open(options());
  library->files().release(replace_unsealed(*library));
  library->files().drain();
  expect_all_sealed(*library, 3);  // "first" and "again" are versions
}

TEST_F(LibraryTest, AVersionLeftUnsealedByAKillIsSealedAtTheNextOpen) {
  const pid_t child = ::fork();
  if (child == 0) {
    Result<std::unique_ptr<Library>> library = Library::open(options());
    if (!library) ::_exit(1);
    const auto handle = replace_unsealed(**library);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto library = open(options());
  library->files().drain();
  expect_all_sealed(*library, 3);
}

TEST_F(LibraryTest, AReadOnlyLibraryShowsWhatIsThereAndChangesNothing) {
  {
    const auto library = open(options());
    write(*library, "a.jpg", "one");
  }
  Library::Options with = options();
  with.read_only = true;
  const auto library = open(std::move(with));
  ASSERT_TRUE(library);
  EXPECT_TRUE(library->read_only());
  EXPECT_TRUE(library->tree().resolve("Library/a.jpg"));
}

TEST_F(LibraryTest, ThePathIsToldWithoutSymlinks) {
  std::filesystem::create_directories(dir.path("real"));
  std::filesystem::create_directory_symlink(dir.path("real"), dir.path("library"));
  const auto library = open(options());
  EXPECT_EQ(library->path(), std::filesystem::canonical(dir.path("real")));
}

}  // namespace
}  // namespace shoebox
