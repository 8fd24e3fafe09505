// What the tests of backups share: a remote that breaks at a chosen put, and a reader that restores.
#pragma once

#include "store/catalog/backup_import.h"
#include "store/catalog/backup_rows.h"
#include "store/catalog/keys.h"
#include "sync/backup_copy.h"
#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox::testing {

// Breaks at one put, before it, in the middle of it, or after it was stored; from then on nothing more
// arrives until heal().
class BreakingRemote final : public Remote {
 public:
  enum class How { kBefore, kTorn, kAnswerLost };
  explicit BreakingRemote(FakeRemote& inner) : inner_(inner) {}
  void break_at(uint64_t put, How how) {
    left_ = put;
    how_ = how;
    broken_ = false;
    armed_ = true;
  }
  void heal() { armed_ = broken_ = false; }
  [[nodiscard]] bool broke() const { return broken_; }
  [[nodiscard]] uint64_t puts() const { return puts_; }
  [[nodiscard]] uint64_t bytes_put() const { return bytes_put_; }

  [[nodiscard]] const std::string& name() const override { return inner_.name(); }
  Status check(const RequestContext& context) override { return inner_.check(context); }
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override {
    ++puts_;
    bytes_put_ += options.size;
    if (broken_) return Status(Code::kUnavailable, "broken");
    if (!armed_ || left_-- > 0) return inner_.put(key, fd, options, context);
    broken_ = true;
    if (how_ == How::kAnswerLost) (void)inner_.put(key, fd, options, context);
    if (how_ == How::kTorn) {
      std::string half(options.size / 2, '\0');
      EXPECT_TRUE(pread_full(fd, half.data(), half.size(), 0));
      inner_.place(key, half);
    }
    return Status(Code::kUnavailable, "broken");
  }
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override {
    return inner_.stat(key, context);
  }
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override {
    return inner_.get(key, range, etag, sink, context);
  }
  Result<ListPage> list(const std::string& prefix, const std::string& next,
                        const RequestContext& context) override {
    return inner_.list(prefix, next, context);
  }
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override {
    return inner_.copy(from, to, context);
  }
  Status remove(const std::string& key, const RequestContext& context) override {
    if (broken_) return {Code::kUnavailable, "broken"};
    return inner_.remove(key, context);
  }
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override {
    return inner_.remove_leftovers(key, given_up, context);
  }

 private:
  FakeRemote& inner_;
  uint64_t left_ = 0, puts_ = 0, bytes_put_ = 0;
  How how_ = How::kBefore;
  bool armed_ = false, broken_ = false;
};

using BackedUpRows = std::map<std::string, std::string>;

// The rows of a catalog that go into a backup.
inline BackedUpRows backed_up_rows(const CatalogReader& reader) {
  BackedUpRows rows;
  EXPECT_TRUE(reader.scan("", "", [&](std::string_view key, std::string_view value) {
    if (backup::is_backed_up(key)) rows.emplace(key, backup::portable(key, value));
    return true;
  }));
  return rows;
}

// What the newest whole head on the remote restores. Fails the test when a segment of it is missing.
inline BackedUpRows restored_rows(Remote& remote, const Clock& clock, const std::string& library) {
  const BackupCopy copy(remote, clock);
  const auto heads = copy.heads(library);
  if (!heads || heads->whole.empty()) {
    ADD_FAILURE() << "no head can be read";
    return {};
  }
  const TempDir dir;
  auto import = CatalogImport::create(dir.path() + "/catalog");
  EXPECT_TRUE(import) << import.status().message();
  for (const backup::Segment& segment : heads->whole.front().segments) {
    if (segment.kind == backup::SegmentKind::kThumbnails) continue;
    const auto file = copy.segment(library, segment);
    EXPECT_TRUE(file) << file.status().message();
    if (file) EXPECT_TRUE((*import)->add(*file));
  }
  EXPECT_TRUE((*import)->finish(heads->whole.front().sequence));
  const auto catalog = Catalog::open(dir.path() + "/catalog", {.create = false, .reserve_bytes = 0});
  EXPECT_TRUE(catalog) << catalog.status().message();
  return catalog ? backed_up_rows(**catalog) : BackedUpRows();
}

}  // namespace shoebox::testing
