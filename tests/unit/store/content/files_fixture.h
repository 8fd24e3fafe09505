// A small store: catalog, contents, tree (Library only), files, and a remote that is a map.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "store/content/content_source.h"
#include "store/evictor.h"
#include "store/files.h"
#include "store/settings.h"
#include "store/tree/tree.h"
#include "tests/unit/store/content/content_fixture.h"

namespace shoebox::testing {

// Moves only when told to.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {seconds_.load(), 5}; }
  [[nodiscard]] Steady steady() const override { return Steady(std::chrono::seconds(seconds_.load())); }
  void advance(int64_t seconds) { seconds_ += seconds; }

 private:
  std::atomic<int64_t> seconds_{1'700'000'000};
};

// Serves what was put into it, on the calling thread or on one of its own.
class FakeSource final : public ContentSource {
 public:
  explicit FakeSource(ContentStore& contents) : contents_(contents) {}
  ~FakeSource() override { join(); }

  void put(ContentNo content, std::string bytes) {
    const std::lock_guard lock(mutex_);
    bytes_[content] = std::move(bytes);
  }
  void fail_with(Status status) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(status);
  }
  void use_threads() { threaded_ = true; }
  [[nodiscard]] int requests() const { return requests_; }
  void found(ContentNo content, ByteRange range) override {
    const std::lock_guard lock(mutex_);
    found_.emplace_back(content, range);
  }
  [[nodiscard]] std::vector<std::pair<ContentNo, ByteRange>> all_found() const {
    const std::lock_guard lock(mutex_);
    return found_;
  }
  void join() {
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      threads.swap(threads_);
    }
    for (std::thread& thread : threads) thread.join();
  }

  void fetch(ContentNo content, ByteRange range, CancelToken, std::function<void(Status)> done) override {
    ++requests_;
    if (!threaded_) return done(serve(content, range));
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([this, content, range, done = std::move(done)] { done(serve(content, range)); });
  }

 private:
  Status serve(ContentNo content, ByteRange range) {
    std::string bytes;
    {
      const std::lock_guard lock(mutex_);
      if (!failure_) return failure_;
      const auto found = bytes_.find(content);
      if (found == bytes_.end()) return Status(Code::kNotFound, "no remote has it");
      bytes = found->second;
    }
    for (uint64_t index = range.begin / kBlockBytes; index * kBlockBytes < range.end; ++index) {
      const ByteRange block = block_range(index, bytes.size());
      SHOEBOX_TRY(
          contents_.store_block(content, index, std::string_view(bytes).substr(block.begin, block.size())));
    }
    return contents_.settle_fetched(content);
  }

  ContentStore& contents_;
  mutable std::mutex mutex_;
  std::vector<std::pair<ContentNo, ByteRange>> found_;
  std::map<ContentNo, std::string> bytes_;
  Status failure_;
  std::vector<std::thread> threads_;
  std::atomic<bool> threaded_{false};
  std::atomic<int> requests_{0};
};

class FilesFixture : public ContentFixture {
 protected:
  using Handle = std::shared_ptr<FileHandle>;

  void SetUp() override {
    add_remote("nas");
    ContentFixture::SetUp();
    start();
  }
  void TearDown() override {
    stop();
    ContentFixture::TearDown();
  }

  void add_remote(const std::string& name) {
    RemoteSettings& added = settings.remotes.emplace_back();
    added.name = name;
    added.url = "file:///nowhere";
  }
  void start() {
    tree = std::make_unique<Tree>(Tree::Dependencies{*catalog, clock, settings, views});
    files = std::make_unique<Files>(Files::Dependencies{*catalog, *contents, *tree, clock, settings});
    source = std::make_unique<FakeSource>(*contents);
    for (const auto& [content, bytes] : remote) source->put(content, bytes);
    files->set_source(source.get());
    files->on_sealed([this](ContentNo content) {
      const std::lock_guard lock(sealed_mutex);
      sealed_contents.push_back(content);
    });
    tree->set_open_check([this](InodeNo inode) { return files->is_open(inode); });
    evictor = std::make_unique<Evictor>(
        Evictor::Dependencies{*catalog, *contents, *files, settings, clock, library()});
  }
  void stop() {
    if (evictor) evictor->stop();
    evictor.reset();
    if (source) source->join();
    files.reset();
    source.reset();
    tree.reset();
  }
  // kill -9 and a new mount: nothing is committed or sealed on the way.
  void restart() {
    stop();
    reopen();
    start();
    ASSERT_TRUE(tree->forget_orphans());
    ASSERT_TRUE(files->seal_leftovers());
  }

  InodeNo create(const std::string& name) {
    const auto entry = tree->create(kLibraryInode, name, S_IFREG | 0644, {});
    EXPECT_TRUE(entry) << entry.status().message();
    return entry ? entry->number : InodeNo();
  }
  InodeNo inode_of(const std::string& name) {
    const auto entry = tree->lookup(kLibraryInode, name);
    return entry ? entry->number : InodeNo();
  }
  Handle open(InodeNo inode, OpenFlags flags = {}) {
    auto handle = files->open(inode, flags);
    EXPECT_TRUE(handle) << handle.status().message();
    return handle ? *handle : nullptr;
  }
  static OpenFlags for_writing() { return {.read = true, .write = true}; }
  static OpenFlags truncating() { return {.read = true, .write = true, .append = false, .truncate = true}; }
  static OpenFlags appending() { return {.read = true, .write = true, .append = true}; }

  void write(const Handle& handle, uint64_t offset, std::string_view bytes) {
    const auto written = files->write(handle, offset, bytes);
    ASSERT_TRUE(written) << written.status().message();
    ASSERT_EQ(*written, bytes.size());
  }
  // In pieces of 128 KiB, as the kernel does.
  void write_all(const Handle& handle, std::string_view bytes) {
    for (size_t offset = 0; offset < bytes.size(); offset += 131072) {
      write(handle, offset, bytes.substr(offset, 131072));
    }
  }
  // Writes, closes and waits for the seal.
  InodeNo make(const std::string& name, std::string_view bytes) {
    const InodeNo inode = create(name);
    Handle handle = open(inode, for_writing());
    write_all(handle, bytes);
    EXPECT_TRUE(files->flush(handle));
    files->release(handle);
    files->drain();
    return inode;
  }
  void close(Handle& handle) {
    EXPECT_TRUE(files->flush(handle));
    files->release(std::move(handle));
    handle = nullptr;
  }

  // Copies the reply while it is valid; waits when it comes from another thread.
  Result<std::string> read(const Handle& handle, uint64_t offset, size_t bytes) {
    std::promise<Result<std::string>> answer;
    files->read(handle, offset, bytes, CancelToken(), [&](const Result<ReadReply>& reply) {
      if (!reply) return answer.set_value(reply.status());
      if (reply->fd < 0) return answer.set_value(std::string(reply->memory));
      std::string buffer(reply->bytes, '\0');
      const auto got = pread_full(reply->fd, buffer.data(), buffer.size(), reply->fd_offset);
      if (!got) return answer.set_value(got.status());
      buffer.resize(*got);
      answer.set_value(std::move(buffer));
    });
    return answer.get_future().get();
  }
  std::string read_all(InodeNo inode) {
    Handle handle = open(inode);
    if (!handle) return "cannot open";
    InodeRecord record = inode_record(inode);
    files->overlay(inode, record);
    const auto bytes = read(handle, 0, record.size + 1);
    files->release(handle);
    return bytes ? *bytes : "error: " + bytes.status().message();
  }

  InodeRecord inode_record(InodeNo inode) { return catalog->inode(inode)->value_or(InodeRecord{}); }
  ContentNo content_of(InodeNo inode) { return inode_record(inode).content; }
  // What a decoder and an uploader would have said.
  void mark_decoded(ContentNo content) {
    auto transaction = catalog->begin();
    const auto photo = *transaction->photo_of_content(content);
    if (!photo) return;
    PhotoRecord record_now = transaction->photo(*photo)->value();
    record_now.info.kind = MediaKind::kPhoto;
    transaction->put_photo(*photo, record_now);
    ASSERT_TRUE(transaction->commit());
  }
  void confirm(ContentNo content, const std::string& remote_name = "nas") {
    const std::string bytes = all_of(path_of("objects", content));
    remote[content] = bytes;
    source->put(content, bytes);
    auto transaction = catalog->begin();
    transaction->erase_job(content, remote_name);
    transaction->put_copy(content, remote_name, {"key", "etag", bytes.size(), 1});
    ASSERT_TRUE(transaction->commit());
  }
  // A file that is decoded, backed up and evicted.
  InodeNo make_evicted(const std::string& name, const std::string& bytes) {
    const InodeNo inode = make(name, bytes);
    mark_decoded(content_of(inode));
    confirm(content_of(inode));
    const Status evicted = evictor->evict(content_of(inode));
    EXPECT_TRUE(evicted) << evicted.message();
    return inode;
  }

  ManualClock clock;
  Settings settings;
  std::vector<std::unique_ptr<View>> views;
  std::map<ContentNo, std::string> remote;
  std::unique_ptr<Tree> tree;
  std::unique_ptr<Files> files;
  std::unique_ptr<FakeSource> source;
  std::unique_ptr<Evictor> evictor;
  std::mutex sealed_mutex;
  std::vector<ContentNo> sealed_contents;
};

}  // namespace shoebox::testing
