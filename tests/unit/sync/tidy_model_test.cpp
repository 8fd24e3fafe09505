// Random renames, deletions, restores and replacements, with uploads and tidying in between that fail
// and are killed anywhere. When all has drained, the keys on the remote are exactly those that the
// catalog implies, each with the right bytes, and beside them what was said about the photos.

#include <fmt/format.h>

#include "store/catalog/keys.h"
#include "store/tree/content_refs.h"
#include "store/wanted_keys.h"
#include "store/xmp_sidecar.h"
#include "sync/sidecar_upload.h"
#include "sync/tidy.h"
#include "sync/upload.h"
#include "tests/unit/sync/model_remote.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using testing::ModelRemote;

constexpr const char* kShelf = "nas";
constexpr unsigned kFirstThatMayFold = 10;

class TidyModelTest : public testing::SyncFixture, public ::testing::WithParamInterface<unsigned> {
 protected:
  TidyModelTest() : random_(GetParam()), remote_(kShelf, random_) {
    RemoteSettings remote;
    remote.name = kShelf;
    settings_.remotes.push_back(remote);
    remote_.folds = may_fold() && GetParam() % 2 == 0;
    settings_.trash_breaker_percent = 0;
  }
  void SetUp() override {
    SyncFixture::SetUp();
    for (const char* folder : {"d", "e", "d/f"}) {
      const auto made = tree_->mkdir(folder_of(std::string("Library/") + folder), leaf(folder), 0755, {});
      ASSERT_TRUE(made) << made.status().message();
    }
    reopen();
  }
  // As after a kill: what only memory held is gone.
  void reopen() {
    outbox_ = std::make_unique<Outbox>(*catalog_, *contents_, *tree_, clock_);
    KeyLimits limits;
    if (may_fold()) limits.folds = KeyLimits::Folds::kMaybe;
    outbox_->set_key_limits(kShelf, limits);
    ASSERT_TRUE(outbox_->enqueue_missing(kShelf));
    remote_.dead = false;
    remote_.calls_to_live = -1;
  }

  // Whether names are compared by their letters there is to be found out.
  static bool may_fold() { return GetParam() >= kFirstThatMayFold; }

  static std::string leaf(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  InodeNo folder_of(const std::string& path) {
    const auto entry = tree_->resolve(path.substr(0, path.rfind('/')));
    return entry ? entry->number : InodeNo();
  }
  InodeNo find(const std::string& path) {
    const auto entry = tree_->resolve(path);
    return entry ? entry->number : InodeNo();
  }
  template <typename T>
  const T& one_of(const std::vector<T>& choices) {
    return choices[random_() % choices.size()];
  }
  bool chance(unsigned one_in) { return random_() % one_in == 0; }

  // --- what a user does; each may be refused
  void write(const std::string& path, const std::string& bytes) {
    InodeNo file = find(path);
    if (!file) {
      const auto made = tree_->create(folder_of(path), leaf(path), S_IFREG | 0644, {});
      if (!made) return;
      file = made->number;
    }
    ContentNo content;
    {
      const auto txn = catalog_->begin();
      auto inode = txn->inode(file);
      if (!inode || !*inode || !S_ISREG((*inode)->mode)) return;
      content = txn->new_content_no();
      {
        auto fd = contents_->create_staging(content);
        ASSERT_TRUE(fd);
        ASSERT_TRUE(pwrite_full(fd->get(), bytes.data(), bytes.size(), 0));
      }
      ContentRecord record;
      record.size = bytes.size();
      record.references = 1;
      txn->put_content(content, record);
      txn->put_job({content, kShelf, 0, 0, "", ""});
      (*inode)->size = bytes.size();
      ASSERT_TRUE(tree_->replace_content(*txn, file, **inode, content));
      ASSERT_TRUE(txn->commit());
    }
    BlockHasher hasher;
    hasher.update(bytes.data(), bytes.size());
    const auto sealed = tree_->content_sealed(content, hasher.finish());
    ASSERT_TRUE(sealed) << sealed.status().message();
    if (*sealed == content) {
      ASSERT_TRUE(contents_->seal(content));
    }
    MediaInfo info;
    info.kind = path.ends_with(".jpg") ? MediaKind::kPhoto : MediaKind::kOther;
    ASSERT_TRUE(tree_->photo_decoded(*sealed, info));
  }
  void rename(const std::string& from, const std::string& to, RenameMode mode) {
    if (!find(from) || !folder_of(to)) return;
    (void)tree_->rename(folder_of(from), leaf(from), folder_of(to), leaf(to), mode, {});
  }
  void expire_a_version() {
    std::vector<std::pair<PhotoId, ContentNo>> all;
    ASSERT_TRUE(catalog_->for_each_photo([&](PhotoId photo, const PhotoRecord&) {
      const auto versions = catalog_->versions(photo);
      for (const VersionRecord& version : *versions) all.emplace_back(photo, version.content);
      return true;
    }));
    if (all.empty()) return;
    const auto [photo, content] = one_of(all);
    const auto txn = catalog_->begin();
    txn->erase_version(photo, content);
    ASSERT_TRUE(release_content(*txn, content));
    ASSERT_TRUE(txn->commit());
  }
  void say(const std::string& path) {
    const InodeNo file = find(path);
    if (!file) return;
    switch (random_() % 5) {
      case 0: return (void)tree_->setxattr(file, "user.xdg.tags", "tag " + std::to_string(random_() % 9), {});
      case 1: return (void)tree_->setxattr(file, "user.xdg.comment", "said " + std::to_string(random_()), {});
      case 2: return (void)tree_->setxattr(file, "user.shoebox.date", "2001-02-0" + one_of(days_), {});
      case 3: return (void)tree_->removexattr(file, "user.xdg.tags");
      default: return (void)tree_->removexattr(file, "user.xdg.comment");
    }
  }
  void act() {
    static const std::vector<std::string> files{
        "Library/a.jpg",   "Library/b.jpg",   "Library/n.txt",     "Library/d/a.jpg",
        "Library/d/b.jpg", "Library/e/a.jpg", "Library/e/n.txt",   "Library/d/f/a.jpg",
        "Library/d/f/c",   "Library/x",       "Library/a.jpg.xmp", "Library/d/b.jpg.xmp"};
    static const std::vector<std::string> folders{"Library/d",   "Library/e",   "Library/d/f", "Library/g",
                                                  "Library/e/d", "Library/g/h", "Library/x"};
    static const std::vector<std::string> spellings{"Library/A.jpg", "Library/d/B.jpg", "Library/D/a.jpg",
                                                    "Library/e/N.txt", "Library/X"};
    const auto some_file = [&] { return may_fold() && chance(3) ? one_of(spellings) : one_of(files); };
    const std::string file = some_file();
    clock_.advance(static_cast<int64_t>(random_() % 4));
    if (chance(4)) say(file);
    switch (random_() % 12) {
      case 0:
      case 1:
      case 2: return write(file, "bytes " + std::to_string(random_() % (chance(3) ? 5 : 1'000'000)));
      case 3:
      case 4: return rename(file, some_file(), RenameMode::kReplace);
      case 5: return rename(file, some_file(), RenameMode::kExchange);
      case 6: return rename(one_of(folders), one_of(folders), RenameMode::kReplace);
      case 7: return rename(one_of(folders), one_of(chance(2) ? folders : files), RenameMode::kExchange);
      case 8: return (void)tree_->unlink(folder_of(file), leaf(file), {});
      case 9: {
        const auto trashed = tree_->trash_list();
        if (!trashed || trashed->empty()) return;
        return (void)tree_->trash_restore(one_of(*trashed).inode, {});
      }
      case 10:
        if (chance(6)) return (void)tree_->trash_empty(0);
        return expire_a_version();
      default: {
        const InodeNo inode = find(file);
        const std::string to = some_file();
        if (inode && folder_of(to)) (void)tree_->link(inode, folder_of(to), leaf(to), {});
      }
    }
  }
  // Somebody else writes where we do.
  void meddle() {
    const std::string bytes = "stranger " + std::to_string(++strangers_);
    static const std::vector<std::string> keys{"Library/a.jpg",       "Library/d/b.jpg",
                                               "Library/e/n.txt",     "Library/d/f/c",
                                               "Library/d/a.jpg.xmp", ".shoebox/sidecars/Library/a.jpg.xmp"};
    const std::string& key = one_of(keys);
    if (tampered(key)) return;  // they would replace what is theirs
    remote_.place(key, bytes);
    stranger_bytes_.insert(bytes);
  }

  // --- what sync does
  bool upload_one() {
    const auto items = outbox_->ready(kShelf, 0, 1, nullptr, nullptr);
    EXPECT_TRUE(items) << items.status().message();
    if (!items || items->empty()) return false;
    const ReadyUpload& item = items->front();
    const Upload upload{*outbox_, remote_, nullptr, clock_};
    RequestHints hints;
    const auto sent = upload.send(item, {}, hints);
    if (remote_.dead || (sent && killing_ && chance(8))) return reopen(), true;
    if (sent) {
      EXPECT_TRUE(outbox_->confirmed(item.job.content, kShelf, *sent));
    } else {
      EXPECT_TRUE(outbox_->failed(item.job.content, kShelf, sent.status(), clock_.now().seconds + 1));
    }
    outbox_->ended(item.job.content, kShelf);
    return true;
  }
  bool tidy_one() {
    auto step = outbox_->next_tidy(kShelf, true, nullptr, nullptr);
    EXPECT_TRUE(step) << step.status().message();
    if (!step || !*step) return false;
    // The world goes on while the remote is asked.
    if (killing_ && chance(4)) act();
    const Tidy tidy{*outbox_, remote_, clock_};
    RequestHints hints;
    const Status done = tidy.run(**step, {}, hints);
    if (remote_.dead) return reopen(), true;
    if (!done) EXPECT_TRUE(outbox_->tidy_failed(**step, kShelf, done, clock_.now().seconds + 1));
    return true;
  }
  bool send_a_sidecar() {
    auto step = outbox_->next_sidecar(kShelf, true, nullptr, nullptr);
    EXPECT_TRUE(step) << step.status().message();
    if (!step || !*step) return false;
    if (killing_ && chance(4)) act();
    const SidecarUpload upload{*outbox_, remote_, clock_};
    RequestHints hints;
    const Status done = upload.run(**step, {}, hints);
    if (remote_.dead) return reopen(), true;
    if (!done) EXPECT_TRUE(outbox_->sidecar_failed(**step, kShelf, done, clock_.now().seconds + 1));
    return true;
  }
  void drain() {
    killing_ = false;
    remote_.faults = 0;
    for (int idle = 0, steps = 0; idle < 3; ++steps) {
      ASSERT_LT(steps, 5000) << "does not come to an end";
      clock_.advance(5);
      const bool uploaded = upload_one();
      const bool tidied = tidy_one();
      const bool said = send_a_sidecar();
      idle = uploaded || tidied || said ? 0 : idle + 1;
    }
  }

  // --- what must hold
  std::map<ContentNo, RemoteCopy> copies() {
    std::map<ContentNo, RemoteCopy> all;
    EXPECT_TRUE(catalog_->for_each_content([&](ContentNo number, const ContentRecord&) {
      const auto copy = catalog_->copy(number, kShelf);
      if (copy && *copy) all[number] = **copy;
      return true;
    }));
    return all;
  }
  bool tampered(const std::string& key) {
    const auto found = remote_.objects.find(remote_.called(key));
    return found != remote_.objects.end() && found->second.stranger;
  }
  // At any moment: a copy that counts stands where the catalog says, with the right bytes.
  void check_copies() {
    for (const auto& [content, copy] : copies()) {
      if (tampered(copy.key)) continue;
      const std::string name = remote_.called(copy.key);
      ASSERT_TRUE(remote_.objects.contains(name)) << content.value << " has no object at " << copy.key;
      EXPECT_EQ(sha256(remote_.objects[name].bytes), (*catalog_->content(content))->sha256) << copy.key;
    }
    for (const std::string& key : remote_.removed_strangers)
      ADD_FAILURE() << "a stranger's object removed: " << key;
  }
  // The keys of sidecars, each with what was said.
  std::set<std::string> check_sidecars() {
    std::set<std::string> keys;
    EXPECT_TRUE(catalog_->for_each_photo([&](PhotoId id, const PhotoRecord& photo) {
      const auto said = xmp_sidecar_of(*catalog_, id);
      const auto copy = catalog_->copy(photo.content, kShelf);
      const auto sidecar = catalog_->sidecar(id, kShelf);
      const bool wanted = !said->empty() && *copy;
      EXPECT_EQ(wanted, sidecar->has_value()) << id.value;
      if (!wanted || !*sidecar) return true;
      const std::string& key = (*sidecar)->key;
      EXPECT_TRUE(keys.insert(key).second) << "two sidecars under " << key;
      EXPECT_TRUE(key == sidecar_key((*copy)->key) || key.starts_with(".shoebox/sidecars/")) << key;
      const std::string apart = sidecar_key_apart((*copy)->key, ContentHash());
      EXPECT_TRUE(!key.starts_with(".shoebox/") || key == apart) << key;
      if (!tampered(key)) EXPECT_EQ(remote_.objects[remote_.called(key)].bytes, *said) << key;
      return true;
    }));
    EXPECT_EQ(outbox_->sidecar_totals(kShelf)->pending, 0U);
    return keys;
  }
  // Under another spelling of its path, or beside one that has that spelling.
  bool stands_well(ContentNo content, const std::string& key, const std::set<std::string>& paths) {
    for (const std::string& path : paths) {
      if (keys::fold(path) == keys::fold(key)) return may_fold();
      // What was in the way may have left since: a readable name is not worth another move.
      const auto hash = (*catalog_->content(content))->sha256;
      if (remote_.folds && keys::fold(upload_key_beside(path, hash)) == keys::fold(key)) return true;
    }
    return false;
  }
  // At rest, besides: nothing else stands there, and everything under the path that it has.
  void check_rest() {
    check_copies();
    std::set<std::string> implied;
    const auto all = copies();
    for (const auto& [content, copy] : all) implied.insert(remote_.called(copy.key));
    EXPECT_EQ(implied.size(), all.size()) << "two copies under one key";
    for (const std::string& key : check_sidecars())
      EXPECT_TRUE(implied.insert(remote_.called(key)).second) << "a sidecar over an original: " << key;
    std::set<std::string> left;
    for (const auto& [key, object] : remote_.objects) {
      if (object.stranger) {
        left.insert(object.bytes);
      } else if (!key.starts_with(".shoebox/versions/") || key.find(".xmp~") == std::string::npos) {
        // Sidecars whose answer was lost may have been taken for a stranger's, and moved aside.
        EXPECT_TRUE(implied.contains(key)) << "an orphan: " << key;
      }
    }
    EXPECT_EQ(left, stranger_bytes_) << "what others put there is still there";
    EXPECT_TRUE(catalog_->for_each_content([&](ContentNo content, const ContentRecord& record) {
      EXPECT_TRUE(all.contains(content)) << content.value << " has no copy";
      if (!all.contains(content)) return true;
      const std::string& key = all.at(content).key;
      std::set<std::string> paths;
      const auto inodes = catalog_->inodes_of_content(content);
      for (const InodeNo inode : *inodes) {
        const auto path = tree_->path_of(inode);
        if (!path || path->starts_with("Trash/")) continue;
        const auto names = catalog_->names_of(inode);
        for (const NameOf& name : *names) {
          const auto folder = tree_->path_of(name.directory);
          paths.insert((folder && !folder->empty() ? *folder + "/" : "") + name.name);
        }
      }
      if (paths.empty()) {
        EXPECT_TRUE(key.starts_with(".shoebox/versions/") || key.starts_with(".shoebox/short/")) << key;
      } else {
        EXPECT_TRUE(paths.contains(key) || stands_well(content, key, paths))
            << key << " of " << *paths.begin();
      }
      (void)record;
      return true;
    }));
    const auto totals = outbox_->tidy_totals(kShelf);
    EXPECT_EQ(totals->pending, 0U);
    int loose = 0;
    EXPECT_TRUE(catalog_->for_each_loose(
        kShelf, "", [&](std::string_view, const LooseObject&) { return ++loose, true; }));
    EXPECT_EQ(loose, 0);
  }

  const std::vector<std::string> days_{"1", "2", "3"};
  std::mt19937 random_;
  ModelRemote remote_;
  bool killing_ = true;
  int strangers_ = 0;
  std::set<std::string> stranger_bytes_;
};

TEST_P(TidyModelTest, KeysFollowTheCatalogThroughFaultsAndKills) {
  const bool meddling = GetParam() % 3 == 0;
  for (int round = 0; round < 4; ++round) {
    killing_ = true;
    remote_.faults = GetParam() % 2 == 0 ? 0.1 : 0.5;
    for (int i = 0; i < 60; ++i) {
      act();
      if (killing_ && chance(5)) remote_.calls_to_live = static_cast<int>(random_() % 8);
      if (meddling && chance(25)) meddle();
      if (chance(2)) upload_one();
      for (unsigned n = random_() % 4; n > 0; --n) tidy_one();
      if (chance(2)) send_a_sidecar();
      check_copies();
      if (HasFatalFailure() || HasNonfatalFailure()) {
        FAIL() << "round " << round << ", action " << i;
      }
    }
    reopen();
    drain();
    check_rest();
    if (HasFatalFailure() || HasNonfatalFailure()) FAIL() << "at rest after round " << round;
    stranger_bytes_.clear();
    std::erase_if(remote_.objects, [](const auto& object) { return object.second.stranger; });
    // What stood in a stranger's place is found to be gone by whoever moves or reads it next.
    ASSERT_TRUE(catalog_->for_each_photo([&](PhotoId id, const PhotoRecord&) {
      const auto sidecar = catalog_->sidecar(id, kShelf);
      if (*sidecar && !remote_.objects.contains(remote_.called((*sidecar)->key)))
        EXPECT_TRUE(outbox_->sidecar_lost(id, kShelf, (*sidecar)->key));
      return true;
    }));
    for (const auto& [content, copy] : copies()) {
      if (!remote_.objects.contains(remote_.called(copy.key)))
        ASSERT_TRUE(outbox_->copy_lost(content, kShelf, copy.key));
    }
  }
}

// SHOEBOX_MODEL_SEEDS=500 goes on to that seed.
unsigned end_of_seeds() {
  const char* wanted = std::getenv("SHOEBOX_MODEL_SEEDS");
  return std::max(22U, wanted ? static_cast<unsigned>(std::atoi(wanted)) : 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TidyModelTest, ::testing::Range(1U, kFirstThatMayFold));
INSTANTIATE_TEST_SUITE_P(Spellings, TidyModelTest, ::testing::Range(kFirstThatMayFold, end_of_seeds()));

}  // namespace
}  // namespace shoebox
