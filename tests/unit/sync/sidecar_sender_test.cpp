// What stands beside originals on a remote after something was said about them. Random sequences with faults
// and kills: tidy_model_test.cpp.
#include "sync/sidecar_sender.h"

#include <random>

#include "store/tree/content_refs.h"
#include "store/xmp_sidecar.h"
#include "sync/sidecar_upload.h"
#include "sync/tidy.h"
#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/sync/model_remote.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

constexpr const char* kRemote = "nas";

class SidecarTest : public testing::SyncFixture {
 protected:
  // A photo whose copy stands on the remote.
  PhotoId photo(const std::string& name) {
    const ContentNo content = add(name, "bytes of " + name, {}, MediaKind::kPhoto);
    remote_.objects["Library/" + name] = {"bytes of " + name, "o-" + name, false};
    const auto txn = catalog_->begin();
    txn->put_copy(content, kRemote, {"Library/" + name, "o-" + name, 9 + name.size(), 1});
    EXPECT_TRUE(txn->commit());
    return **catalog_->photo_of_content(content);
  }
  InodeNo inode(const std::string& name) { return (*catalog_->dentry(kLibraryInode, name))->inode; }
  void say(const std::string& name, const std::string& caption) {
    const Status said = caption.empty() ? tree_->removexattr(inode(name), "user.xdg.comment")
                                        : tree_->setxattr(inode(name), "user.xdg.comment", caption, {});
    ASSERT_TRUE(said) << said.message();
  }
  Status send_one(const SidecarStep& step) {
    RequestHints hints;
    const Status done = SidecarUpload{*outbox_, remote_, clock_}.run(step, {}, hints);
    if (!done) EXPECT_TRUE(outbox_->sidecar_failed(step, kRemote, done, clock_.now().seconds + 1));
    return done;
  }
  std::optional<SidecarStep> next(bool hurry = true) {
    auto step = outbox_->next_sidecar(kRemote, hurry, nullptr, nullptr);
    EXPECT_TRUE(step) << step.status().message();
    return step ? *step : std::nullopt;
  }
  // Until nothing is left to do.
  void settle() {
    for (int idle = 0; idle < 2;) {
      clock_.advance(3);
      const auto step = next();
      if (step) (void)send_one(*step);
      auto tidy = outbox_->next_tidy(kRemote, true, nullptr, nullptr);
      ASSERT_TRUE(tidy);
      RequestHints hints;
      if (*tidy) ASSERT_TRUE((Tidy{*outbox_, remote_, clock_}.run(**tidy, {}, hints)));
      idle = step || *tidy ? 0 : idle + 1;
    }
    EXPECT_EQ(outbox_->sidecar_totals(kRemote)->pending, 0U);
  }
  std::string bytes_at(const std::string& key) {
    const auto found = remote_.objects.find(key);
    return found == remote_.objects.end() ? "nothing" : found->second.bytes;
  }
  std::string said_of(PhotoId id) { return *xmp_sidecar_of(*catalog_, id); }

  std::mt19937 random_{1};
  testing::ModelRemote remote_{kRemote, random_};
};

TEST_F(SidecarTest, WhatIsSaidStandsBesideTheOriginalAndFollowsIt) {
  const PhotoId id = photo("a.jpg");
  settle();
  EXPECT_EQ(remote_.objects.size(), 1U) << "of a photo about which nobody said anything there is none";
  say("a.jpg", "at the sea");
  EXPECT_EQ(outbox_->sidecar_totals(kRemote)->pending, 1U) << "in the same batch";
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
  say("a.jpg", "at the lake");
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
  rename("a.jpg", "b.jpg");
  settle();
  EXPECT_EQ(bytes_at("Library/b.jpg.xmp"), said_of(id));
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), "nothing");
  say("b.jpg", "");
  settle();
  EXPECT_EQ(bytes_at("Library/b.jpg.xmp"), "nothing");
  EXPECT_EQ(remote_.objects.size(), 1U);
}

TEST_F(SidecarTest, WhenATwinIsEditedTheSidecarStaysWithTheOldBytes) {
  const PhotoId id = photo("a.jpg");
  const ContentNo old = (*catalog_->photo(id))->content;
  {
    const auto txn = catalog_->begin();
    const InodeNo twin = txn->new_inode_no();
    txn->put_inode(twin, **txn->inode(inode("a.jpg")));
    ASSERT_TRUE(txn->put_dentry(kLibraryInode, "b.jpg", {twin, S_IFREG, NameKind::kGiven}));
    ASSERT_TRUE(retain_content(*txn, old));
    ASSERT_TRUE(txn->commit());
  }
  say("a.jpg", "x");
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
  const ContentNo edited = add("new", "edited", {kRemote}, MediaKind::kPhoto);
  {
    const auto txn = catalog_->begin();
    const InodeNo made = inode("new");
    ASSERT_TRUE(txn->erase_photo((*txn->inode(made))->photo));
    ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "new"));
    ASSERT_TRUE(txn->erase_inode(made));
    InodeRecord record = **txn->inode(inode("a.jpg"));
    ASSERT_TRUE(replace_content(*txn, inode("a.jpg"), record, edited, clock_.now()));
    ASSERT_TRUE(txn->commit());
  }
  const PhotoId rest = (*catalog_->inode(inode("b.jpg")))->photo;
  ASSERT_NE(rest, id);
  ASSERT_TRUE(*catalog_->sidecar(rest, kRemote));
  EXPECT_FALSE(*catalog_->sidecar(id, kRemote));
  settle();
  EXPECT_EQ(bytes_at("Library/b.jpg.xmp"), said_of(rest));
  for (const auto& [key, object] : remote_.objects)
    EXPECT_FALSE(key.starts_with(".shoebox/versions/")) << key << " counted as somebody else's";
}

// Of a photo that is left without a file, as a version is: captions stand on files.
TEST_F(SidecarTest, WhatWasSaidOfAFileThatWentIsNotLeftOnTheRemote) {
  const PhotoId gone = photo("a.jpg");
  const PhotoId moved = photo("b.jpg");
  const PhotoId other = photo("c.jpg");
  say("a.jpg", "x");
  say("b.jpg", "y");
  settle();
  ASSERT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(gone));
  ASSERT_EQ(bytes_at("Library/b.jpg.xmp"), said_of(moved));
  {
    const auto txn = catalog_->begin();
    ASSERT_TRUE(txn->erase_inode(inode("a.jpg")));
    ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "a.jpg"));
    InodeRecord record = **txn->inode(inode("b.jpg"));
    record.photo = other;
    txn->put_inode(inode("b.jpg"), record);
    ASSERT_TRUE(txn->commit());
  }
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), "nothing");
  EXPECT_EQ(bytes_at("Library/b.jpg.xmp"), "nothing");
}

TEST_F(SidecarTest, ATrashedPhotoTakesItsSidecarAlong) {
  const PhotoId id = photo("a.jpg");
  say("a.jpg", "x");
  settle();
  ASSERT_TRUE(tree_->unlink(kLibraryInode, "a.jpg", {}));
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), "nothing");
  const auto sidecar = catalog_->sidecar(id, kRemote);
  if (*sidecar) {
    EXPECT_TRUE((*sidecar)->key.starts_with(".shoebox/sidecars/versions/")) << (*sidecar)->key;
    EXPECT_EQ(bytes_at((*sidecar)->key), said_of(id));
  }
  const auto trashed = tree_->trash_list();
  ASSERT_EQ(trashed->size(), 1U);
  ASSERT_TRUE(tree_->trash_restore(trashed->front().inode, {}));
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
  EXPECT_EQ(remote_.objects.size(), 2U) << "and nothing is left where it was meanwhile";
}

TEST_F(SidecarTest, TheOwnersOwnSidecarStaysAndOursGoesApart) {
  const PhotoId id = photo("a.jpg");
  say("a.jpg", "x");
  settle();
  // The owner adds one of their own where ours stands: it waits until ours has gone elsewhere.
  const ContentNo own = add("a.jpg.xmp", "<own/>", {kRemote});
  EXPECT_TRUE(ready(kRemote).empty());
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), "nothing");
  const auto uploads = ready(kRemote);
  ASSERT_EQ(uploads.size(), 1U);
  EXPECT_EQ(uploads.front().key, "Library/a.jpg.xmp");
  remote_.objects["Library/a.jpg.xmp"] = {"<own/>", "own", false};
  ASSERT_TRUE(outbox_->confirmed(own, kRemote, {"Library/a.jpg.xmp", "own", 6, 1}));
  outbox_->ended(own, kRemote);
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), "<own/>");
  EXPECT_EQ(bytes_at(".shoebox/sidecars/Library/a.jpg.xmp"), said_of(id));
  say("a.jpg", "y");
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), "<own/>");
  EXPECT_EQ(bytes_at(".shoebox/sidecars/Library/a.jpg.xmp"), said_of(id));
  // It is taken away: ours comes back.
  ASSERT_TRUE(tree_->unlink(kLibraryInode, "a.jpg.xmp", {}));
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
  EXPECT_EQ(bytes_at(".shoebox/sidecars/Library/a.jpg.xmp"), "nothing");
}

TEST_F(SidecarTest, WhatAStrangerPutThereIsNeverOverwritten) {
  const PhotoId id = photo("a.jpg");
  remote_.place("Library/a.jpg.xmp", "stranger");
  remote_.place(".shoebox/sidecars/Library/a.jpg.xmp", "another");
  say("a.jpg", "x");
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), "stranger");
  EXPECT_EQ(bytes_at(".shoebox/sidecars/Library/a.jpg.xmp"), said_of(id));
  int moved_aside = 0;
  for (const auto& [key, object] : remote_.objects) {
    if (key.starts_with(".shoebox/versions/") && object.bytes == "another") ++moved_aside;
  }
  EXPECT_EQ(moved_aside, 1);
  // Nor what they wrote over ours.
  const PhotoId other = photo("b.jpg");
  say("b.jpg", "x");
  settle();
  remote_.place("Library/b.jpg.xmp", "over ours");
  say("b.jpg", "y");
  settle();
  EXPECT_EQ(bytes_at("Library/b.jpg.xmp"), "over ours");
  EXPECT_EQ(bytes_at(".shoebox/sidecars/Library/b.jpg.xmp"), said_of(other));
}

TEST_F(SidecarTest, TwoPhotosOfWhichTheSameWasSaidShareNoSidecar) {
  const PhotoId one = photo("a.jpg");
  const PhotoId two = photo("b.jpg");
  say("a.jpg", "same");
  say("b.jpg", "same");
  settle();
  EXPECT_NE(said_of(one), said_of(two));
  // The second takes the first one's place before what the first left there is removed.
  ASSERT_TRUE(tree_->unlink(kLibraryInode, "a.jpg", {}));
  rename("b.jpg", "a.jpg");
  settle();
  const auto sidecar = catalog_->sidecar(two, kRemote);
  ASSERT_TRUE(*sidecar);
  EXPECT_EQ(bytes_at((*sidecar)->key), said_of(two));
}

TEST_F(SidecarTest, ALostAnswerIsNoStranger) {
  const PhotoId id = photo("a.jpg");
  say("a.jpg", "first");
  const auto step = next();
  ASSERT_TRUE(step);
  remote_.objects[step->key] = {step->bytes, "unknown", false};  // it arrived, and nobody heard of it
  ASSERT_TRUE(outbox_->sidecar_failed(*step, kRemote, Status(Code::kUnavailable, "no answer"), 1));
  say("a.jpg", "second");
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
  EXPECT_EQ(remote_.objects.size(), 2U);
}

TEST_F(SidecarTest, OneThatALostCatalogWroteMakesRoomAndIsKept) {
  const PhotoId id = photo("a.jpg");
  say("a.jpg", "before");
  settle();
  {
    const auto txn = catalog_->begin();
    txn->erase_sidecar(id, kRemote);  // as in a library that was made anew from the originals
    ASSERT_TRUE(txn->commit());
  }
  const std::string before = bytes_at("Library/a.jpg.xmp");
  say("a.jpg", "after");
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
  int kept = 0;
  for (const auto& [key, object] : remote_.objects) {
    if (key.starts_with(".shoebox/versions/") && object.bytes == before) ++kept;
  }
  EXPECT_EQ(kept, 1);
}

// A file called as a sidecar changed names with its photo, after the answer to its upload was lost.
TEST_F(SidecarTest, WhereTheOriginalItselfMayStandItsSidecarGoesApart) {
  const PhotoId id = photo("a.jpg");
  const std::string bytes = bytes_at("Library/a.jpg");
  {
    const auto txn = catalog_->begin();
    const ContentNo content = (*txn->photo(id))->content;
    txn->put_loose(kRemote, "Library/a.jpg.xmp",
                   {content, "", bytes.size(), (*txn->content(content))->sha256, 0, 0, ""});
    ASSERT_TRUE(txn->commit());
  }
  remote_.objects["Library/a.jpg.xmp"] = {bytes, "e", false};
  say("a.jpg", "x");
  settle();
  EXPECT_EQ(bytes_at(".shoebox/sidecars/Library/a.jpg.xmp"), said_of(id));
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), "nothing") << "an upload of ours that nobody needs";
  EXPECT_EQ(bytes_at("Library/a.jpg"), bytes);
}

TEST_F(SidecarTest, OneThatGotAnotherSpellingOfItsKeyIsNotRemovedByTheOld) {
  for (const bool folds : {true, false}) {
    SCOPED_TRACE(folds);
    remote_.folds = folds;
    outbox_ = std::make_unique<Outbox>(*catalog_, *contents_, *tree_, clock_);
    KeyLimits limits;
    limits.folds = KeyLimits::Folds::kMaybe;
    outbox_->set_key_limits(kRemote, limits);
    const std::string name = folds ? "Sea.jpg" : "Lake.jpg", other = folds ? "sea.jpg" : "lake.jpg";
    const PhotoId id = photo(name);
    say(name, "x");
    settle();
    ASSERT_EQ(bytes_at("Library/" + name + ".xmp"), said_of(id));
    {
      const auto txn = catalog_->begin();
      const ContentNo content = (*txn->photo(id))->content;
      remote_.objects["Library/" + other] = remote_.objects["Library/" + name];
      remote_.objects.erase("Library/" + name);
      RemoteCopy copy = **txn->copy(content, kRemote);
      copy.key = "Library/" + other;
      txn->put_copy(content, kRemote, copy);
      const DentryRecord dentry = **txn->dentry(kLibraryInode, name);
      ASSERT_TRUE(txn->erase_dentry(kLibraryInode, name));
      ASSERT_TRUE(txn->put_dentry(kLibraryInode, other, dentry));
      ASSERT_TRUE(txn->commit());
    }
    settle();
    const auto standing = catalog_->sidecar(id, kRemote);
    ASSERT_TRUE(*standing);
    EXPECT_EQ((*standing)->key, "Library/" + other + ".xmp");
    EXPECT_EQ(bytes_at(remote_.called((*standing)->key)), said_of(id));
    if (!folds) EXPECT_EQ(bytes_at("Library/" + name + ".xmp"), "nothing");
  }
}

TEST_F(SidecarTest, WhatIsSaidWhileItIsSentIsSentAsWell) {
  const PhotoId id = photo("a.jpg");
  say("a.jpg", "first");
  const auto step = next();
  ASSERT_TRUE(step);
  say("a.jpg", "second");
  ASSERT_TRUE(send_one(*step));
  EXPECT_EQ(outbox_->sidecar_totals(kRemote)->pending, 1U);
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
}

TEST_F(SidecarTest, AFailureWaitsForItsBackOffAndIsCounted) {
  photo("a.jpg");
  say("a.jpg", "x");
  const auto step = next();
  ASSERT_TRUE(step);
  ASSERT_TRUE(outbox_->sidecar_failed(*step, kRemote, Status(Code::kUnavailable, "down"),
                                      clock_.now().seconds + 100));
  EXPECT_FALSE(next(false));
  const auto totals = outbox_->sidecar_totals(kRemote);
  EXPECT_EQ(totals->pending, 1U);
  EXPECT_EQ(totals->untried, 0U);
  EXPECT_EQ(totals->last_error, "down");
  EXPECT_TRUE(next(true)) << "asked for";
}

TEST_F(SidecarTest, WhatWasSaidBeforeIsQueuedOnce) {
  const PhotoId id = photo("a.jpg");
  say("a.jpg", "x");
  photo("b.jpg");
  {
    const auto txn = catalog_->begin();
    txn->erase_sidecar_mark(kRemote, id);  // as a library that knew no sidecars, or was rebuilt
    ASSERT_TRUE(txn->commit());
  }
  ASSERT_TRUE(outbox_->enqueue_sidecars());
  EXPECT_EQ(outbox_->sidecar_totals(kRemote)->pending, 1U);
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
  ASSERT_TRUE(outbox_->enqueue_sidecars());
  EXPECT_EQ(outbox_->sidecar_totals(kRemote)->pending, 0U);
}

TEST_F(SidecarTest, WhatIsNotThereAnyMoreIsSentAgain) {
  const PhotoId id = photo("a.jpg");
  say("a.jpg", "x");
  settle();
  remote_.objects.erase("Library/a.jpg.xmp");
  ASSERT_TRUE(outbox_->sidecar_lost(id, kRemote, "Library/a.jpg.xmp"));
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(id));
}

TEST_F(SidecarTest, WhatIsInDoubtAndStandsThereAfterAllGoesWithItsName) {
  const PhotoId id = photo("a.jpg");
  say("a.jpg", "x");
  settle();
  ASSERT_TRUE(outbox_->sidecar_damaged(id, kRemote, "Library/a.jpg.xmp"));
  rename("a.jpg", "b.jpg");
  settle();
  EXPECT_EQ(bytes_at("Library/b.jpg.xmp"), said_of(id));
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), "nothing");
}

TEST_F(SidecarTest, AnOriginalThatIsOnItsWayIsWaitedFor) {
  const ContentNo content = add("a.jpg", "bytes", {kRemote}, MediaKind::kPhoto);
  say("a.jpg", "x");
  EXPECT_FALSE(next());
  remote_.objects["Library/a.jpg"] = {"bytes", "e", false};
  ASSERT_TRUE(outbox_->confirmed(content, kRemote, {"Library/a.jpg", "e", 5, 1}));
  settle();
  EXPECT_EQ(bytes_at("Library/a.jpg.xmp"), said_of(**catalog_->photo_of_content(content)));
}

TEST_F(SidecarTest, TheSenderSendsByItselfAfterItsQuiet) {
  testing::FakeRemote remote("attic");
  SidecarSender::Options options;
  options.connections = 1;
  SidecarSender sender(*outbox_, remote, clock_, options);
  outbox_->on_sidecar([&] { sender.wake(); });
  sender.start(false);
  const ContentNo content = add("a.jpg", "bytes", {}, MediaKind::kPhoto);
  {
    const auto txn = catalog_->begin();
    txn->put_copy(content, "attic", {"Library/a.jpg", "e", 5, 1});
    ASSERT_TRUE(txn->commit());
  }
  say("a.jpg", "x");
  Mutex mutex;
  ConditionVariable never;
  while (!remote.object("Library/a.jpg.xmp")) {
    clock_.advance(1);
    sender.set_paused(false);  // looks at the clock again
    MutexLock lock(mutex);
    never.wait_for(mutex, std::chrono::milliseconds(2));
  }
  EXPECT_EQ(*remote.object("Library/a.jpg.xmp"), said_of(**catalog_->photo_of_content(content)));
  sender.stop();
}

}  // namespace
}  // namespace shoebox
