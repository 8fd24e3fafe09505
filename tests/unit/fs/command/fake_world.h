// A real library in a temporary folder with everything else faked: a decoder that believes file
// names, a sync that confirms when told to, and a source that serves what "the remote" holds.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fs/command/service.h"
#include "fs/command/verb.h"
#include "fs/views/all_views.h"
#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/content/content_source.h"
#include "store/content/content_store.h"
#include "store/decode/media_decoder.h"
#include "store/files.h"
#include "store/importer.h"
#include "store/library.h"
#include "store/outbox.h"
#include "store/sync_control.h"
#include "store/tree/tree.h"
#include "tests/unit/temp_dir.h"

namespace shoebox::testing {

class NameDecoder final : public MediaDecoder {
 public:
  Result<DecodedMedia> decode(int, const std::string& name) override {
    DecodedMedia media;
    media.info.kind = name.ends_with(".jpg") ? MediaKind::kPhoto : MediaKind::kOther;
    if (media.info.kind == MediaKind::kPhoto) {
      media.info.mime = "image/jpeg";
      media.info.date = LocalDate{2023, 7, 14, 10, 11, 12};
      media.thumbnails = {{256, "small picture"}, {1024, "large picture"}};
    }
    return media;
  }
  Result<DecodedMedia> decode_part(int fd, const std::string& name, ByteRange) override {
    return decode(fd, name);
  }
};

// Holds the bytes of every content it confirmed, by number.
class FakeRemote final : public SyncControl, public ContentSource {
 public:
  explicit FakeRemote(Library& library) : library_(library) {}

  Result<std::vector<RemoteStatus>> status() override {
    std::vector<RemoteStatus> all;
    for (const RemoteSettings& remote : library_.settings().remotes) {
      SHOEBOX_ASSIGN(const Outbox::Totals totals, library_.outbox().totals(remote.name));
      RemoteStatus one;
      one.name = remote.name;
      one.url = remote.url;
      one.paused = paused;
      one.pending_files = totals.pending_files;
      one.pending_bytes = totals.pending_bytes;
      one.confirmed_files = totals.confirmed_files;
      one.confirmed_bytes = totals.confirmed_bytes;
      one.owner = owner;
      all.push_back(one);
    }
    return all;
  }
  Status pause() override {
    paused = true;
    return Status::ok();
  }
  Status resume() override {
    paused = false;
    return Status::ok();
  }
  Status change_settings(const SettingsChange& change) override {
    SHOEBOX_ASSIGN(const Settings next, change.read());
    return change.apply(next);
  }
  Result<RemoteOwner> test(const RemoteSettings&, CancelToken) override {
    if (!refuses) return refuses;
    return owner;
  }
  Status take_over(const TakeoverRequest& request, CancelToken,
                   const std::function<void(const std::string&, uint64_t, uint64_t)>& progress) override {
    taken_over.push_back(request);
    progress("watching whether anna@desk is alive", 1, 90);
    return refuses;
  }
  void wait_for_owners(std::chrono::milliseconds) override {}
  Status run_now() override {
    ++hurried;
    return Status::ok();
  }
  Result<VerifyReport> verify(const VerifyRequest& request, CancelToken,
                              const std::function<void(const VerifyReport&)>& progress) override {
    verified = request;
    progress(verify_report);
    return verify_report;
  }
  Result<AdoptReport> adopt(const AdoptRequest& request, CancelToken,
                            const std::function<void(const AdoptReport&)>& progress) override {
    adopted = request;
    progress(adopt_report);
    return adopt_report;
  }
  Status wait(CancelToken, const std::function<void(const std::vector<RemoteStatus>&)>& progress) override {
    library_.files().drain();
    library_.importer().drain();
    SHOEBOX_ASSIGN(const std::vector<RemoteStatus> before, status());
    progress(before);
    if (!refuses.is_ok()) return refuses;
    for (const RemoteSettings& remote : library_.settings().remotes) SHOEBOX_TRY(confirm_all(remote.name));
    return Status::ok();
  }

  void found(ContentNo, ByteRange) override {}
  void fetch(ContentNo content, ByteRange range, CancelToken, std::function<void(Status)> done) override {
    ++fetches;
    const auto it = held.find(content.value);
    if (it == held.end()) return done(Status(Code::kUnavailable, "the remote is away"));
    for (uint64_t index = range.begin / kBlockBytes; index * kBlockBytes < range.end; ++index) {
      const std::string block = it->second.substr(index * kBlockBytes, kBlockBytes);
      if (const Status stored = library_.contents().store_block(content, index, block); !stored)
        return done(stored);
    }
    if (const Status settled = library_.contents().settle_fetched(content); !settled) return done(settled);
    done(Status::ok());
  }

  RemoteOwner owner;
  std::vector<TakeoverRequest> taken_over;
  VerifyRequest verified;      // as it was asked for last
  VerifyReport verify_report;  // what verify() answers
  AdoptRequest adopted;
  AdoptReport adopt_report;  // what adopt() answers
  std::atomic<bool> paused{false};
  std::atomic<int> hurried{0};
  std::atomic<int> fetches{0};
  Status refuses;
  std::map<uint64_t, std::string> held;

 private:
  Status confirm_all(const std::string& remote) {
    std::vector<ContentNo> pending;
    SHOEBOX_TRY(library_.catalog().for_each_job(remote, ContentNo(), [&](const UploadJob& job) {
      pending.push_back(job.content);
      return true;
    }));
    for (const ContentNo content : pending) {
      SHOEBOX_ASSIGN(const UniqueFd fd, library_.contents().open_local(content));
      SHOEBOX_ASSIGN(held[content.value], read_file("/proc/self/fd/" + std::to_string(fd.get())));
      RemoteCopy copy;
      copy.key = "Library/" + std::to_string(content.value);
      copy.size = held[content.value].size();
      SHOEBOX_TRY(library_.outbox().confirmed(content, remote, copy));
    }
    return Status::ok();
  }

  Library& library_;
};

class FakeWorld : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    Library::Options options;
    options.path = dir.path("library");
    RemoteSettings remote;
    remote.name = "nas";
    remote.url = "file://" + dir.path("nas");
    options.extra_remotes = {remote};
    options.views = make_views(Settings());
    options.decoder = &decoder;
    Result<std::unique_ptr<Library>> opened = Library::open(std::move(options));
    ASSERT_TRUE(opened) << opened.status().message();
    library = std::move(*opened);
    library->catalog().add_observer([this](const Change& change) {
      const std::lock_guard lock(told_mutex);
      for (const Change::Name& name : change.names) told.push_back(name);
    });
    remote_side = std::make_unique<FakeRemote>(*library);
    library->start(remote_side.get());
  }
  void TearDown() override {
    library.reset();
    remote_side.reset();
  }

  // What a command would get; progress is collected in `interim`.
  Result<nlohmann::json> ask(const std::string& name,
                             const nlohmann::json& arguments = nlohmann::json::object()) {
    for (const Verb& verb : verbs()) {
      if (verb.name != name) continue;
      ServiceContext context{*library, *remote_side, mounted ? dir.path("mount") : std::string(), cancel,
                             [this](const nlohmann::json& value) { interim.push_back(value); }};
      return verb.service(context, arguments);
    }
    return Status(Code::kNotFound, "no verb " + name);
  }

  // The answer; a refusal fails the test, with its message.
  nlohmann::json must(const std::string& name, const nlohmann::json& arguments = nlohmann::json::object()) {
    Result<nlohmann::json> result = ask(name, arguments);
    EXPECT_TRUE(result) << name << " " << arguments.dump() << ": " << result.status().message();
    return result ? std::move(*result) : nlohmann::json::object();
  }

  // A source file, as a camera card has it.
  void put(const std::string& path, const std::string& bytes) {
    const std::filesystem::path whole = std::filesystem::path(dir.path("card")) / path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole, std::ios::binary) << bytes;
  }
  void settle() {
    library->files().drain();
    library->importer().drain();
  }
  Result<std::string> read(const std::string& path) {
    SHOEBOX_ASSIGN(const Entry entry, library->tree().resolve(path));
    SHOEBOX_ASSIGN(const UniqueFd fd, library->contents().open_local(entry.inode.content));
    return read_file("/proc/self/fd/" + std::to_string(fd.get()));
  }
  ContentNo content_of(const std::string& path) {
    const Result<Entry> entry = library->tree().resolve(path);
    EXPECT_TRUE(entry) << path << ": " << entry.status().message();
    return entry ? entry->inode.content : ContentNo();
  }

  TempDir dir;
  NameDecoder decoder;
  std::mutex told_mutex;
  std::vector<Change::Name> told;  // every name that changed; outlives the library's threads
  std::unique_ptr<Library> library;
  std::unique_ptr<FakeRemote> remote_side;
  CancelToken cancel;
  bool mounted = true;  // false: as if the command had opened the library itself
  std::vector<nlohmann::json> interim;
};

}  // namespace shoebox::testing
