// A library folder with a catalog and a content store, and contents made in one call.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/content/block_set.h"
#include "store/content/content_store.h"

namespace shoebox::testing {

inline std::string random_bytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; i += 8) {
    const uint64_t word = random();
    bytes.replace(i, std::min<size_t>(8, size - i), reinterpret_cast<const char*>(&word),
                  std::min<size_t>(8, size - i));
  }
  return bytes;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "shoebox-content-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class ContentFixture : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void TearDown() override { contents.reset(); }

  // As a restart does: everything in memory is gone.
  void reopen() {
    contents.reset();
    catalog.reset();
    auto opened = Catalog::open(catalog_path.empty() ? library() + "/catalog" : catalog_path, {});
    ASSERT_TRUE(opened) << opened.status().message();
    catalog = std::move(*opened);
    auto store = ContentStore::open(library(), *catalog);
    ASSERT_TRUE(store) << store.status().message();
    contents = std::move(*store);
    const auto recovered = contents->recover();
    ASSERT_TRUE(recovered) << recovered.status().message();
    rescued = *recovered;
  }

  [[nodiscard]] const std::string& library() const { return folder.path(); }

  void put_record(ContentNo content, const ContentRecord& record) {
    auto transaction = catalog->begin();
    transaction->put_content(content, record);
    ASSERT_TRUE(transaction->commit());
  }
  ContentRecord record(ContentNo content) { return catalog->content(content)->value(); }

  ContentNo staged(const std::string& bytes) {
    auto transaction = catalog->begin();
    const ContentNo content = transaction->new_content_no();
    ContentRecord staging;
    staging.size = bytes.size();
    staging.references = 1;
    transaction->put_content(content, staging);
    EXPECT_TRUE(transaction->commit());
    const auto fd = contents->create_staging(content);
    EXPECT_TRUE(fd);
    EXPECT_TRUE(pwrite_full(fd->get(), bytes.data(), bytes.size(), 0));
    EXPECT_TRUE(contents->sync_staging(content, fd->get()));
    return content;
  }

  void mark_sealed(ContentNo content, const std::string& bytes) {
    BlockHasher hasher;
    hasher.update(bytes.data(), bytes.size());
    const ContentHashes hashes = hasher.finish();
    auto transaction = catalog->begin();
    ContentRecord now = transaction->content(content)->value();
    now.state = ContentState::kSealed;
    now.size = bytes.size();
    now.sha256 = hashes.whole;
    transaction->put_content(content, now);
    transaction->put_block_hashes(content, hashes.blocks);
    ASSERT_TRUE(transaction->commit());
  }

  ContentNo sealed(const std::string& bytes) {
    const ContentNo content = staged(bytes);
    EXPECT_TRUE(contents->seal(content));
    mark_sealed(content, bytes);
    return content;
  }

  void put_copy(ContentNo content, const std::string& remote) {
    auto transaction = catalog->begin();
    transaction->put_copy(content, remote, {"key", "etag", record(content).size, 1});
    ASSERT_TRUE(transaction->commit());
  }

  Status store(ContentNo content, const std::string& bytes, uint64_t index) {
    const ByteRange range = block_range(index, bytes.size());
    SHOEBOX_TRY(
        contents->store_block(content, index, std::string_view(bytes).substr(range.begin, range.size())));
    return contents->settle_fetched(content);
  }
  void store_all(ContentNo content, const std::string& bytes) {
    for (uint64_t index = 0; index < block_count(bytes.size()); ++index) {
      const Status stored = store(content, bytes, index);
      ASSERT_TRUE(stored) << stored.message();
    }
  }

  [[nodiscard]] std::string path_of(const std::string& folder_name, ContentNo content) const {
    if (folder_name == "objects") {
      char name[16];
      std::snprintf(name, sizeof name, "%04llx", static_cast<unsigned long long>(content.value / 1024));
      return library() + "/objects/" + name + "/" + std::to_string(content.value);
    }
    return library() + "/" + folder_name + "/" + std::to_string(content.value);
  }
  [[nodiscard]] bool in(const std::string& folder_name, ContentNo content) const {
    return std::filesystem::exists(path_of(folder_name, content));
  }
  static std::string all_of(const std::string& path) {
    auto bytes = read_file(path, 256 << 20);
    EXPECT_TRUE(bytes) << path;
    return bytes ? *bytes : std::string();
  }
  static void spoil(const std::string& path, uint64_t offset) {
    const auto fd = open_file(path, O_RDWR);
    ASSERT_TRUE(fd);
    char byte = 0;
    ASSERT_EQ(::pread(fd->get(), &byte, 1, static_cast<off_t>(offset)), 1);
    byte = static_cast<char>(byte ^ 1);
    ASSERT_EQ(::pwrite(fd->get(), &byte, 1, static_cast<off_t>(offset)), 1);
  }
  static size_t files_in(const std::string& path) {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) count += entry.is_regular_file();
    return count;
  }

  TemporaryFolder folder;
  std::string catalog_path;  // empty: in the library
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<ContentStore> contents;
  uint64_t rescued = 0;
};

}  // namespace shoebox::testing
