#include "store/outbox.h"

#include "store/base/hash.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using testing::some_bytes;

class OutboxTest : public testing::SyncFixture {};

TEST_F(OutboxTest, AQueuedFileIsReadyUnderItsLibraryPath) {
  const ContentNo content = add("IMG_1.jpg", "bytes", {"nas"});
  const auto found = ready("nas");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].job.content, content);
  EXPECT_EQ(found[0].key, "Library/IMG_1.jpg");
  EXPECT_TRUE(ready("other").empty());
}

TEST_F(OutboxTest, AFileThatStillChangesIsNotReadyAndTheOutboxSaysWhenToAsk) {
  const ContentNo content = add("new.jpg", "bytes", {"nas"});
  {
    const auto txn = catalog_->begin();
    ContentRecord record = **txn->content(content);
    record.changed_s = clock_.now().seconds - 2;
    txn->put_content(content, record);
    ASSERT_TRUE(txn->commit());
  }
  int64_t due_s = 0;
  EXPECT_TRUE(ready("nas", 5, &due_s).empty());
  EXPECT_EQ(due_s, clock_.now().seconds + 3);
  EXPECT_EQ(ready("nas", 0).size(), 1U) << "run now waits for no quiet";
  clock_.advance(3);
  EXPECT_EQ(ready("nas").size(), 1U);
}

TEST_F(OutboxTest, APhotoWaitsForItsDecoderButNotForEver) {
  add("IMG_1.jpg", "bytes", {"nas"}, MediaKind::kUnknown);
  EXPECT_TRUE(ready("nas").empty());
  clock_.advance(3600);
  EXPECT_EQ(ready("nas").size(), 1U);
}

TEST_F(OutboxTest, AFailedUploadWaitsForItsBackOffAndTellsItsError) {
  const ContentNo content = add("IMG_1.jpg", "bytes", {"nas"});
  ASSERT_TRUE(
      outbox_->failed(content, "nas", Status(Code::kUnavailable, "no route"), clock_.now().seconds + 10));
  int64_t due_s = 0;
  EXPECT_TRUE(ready("nas", 5, &due_s).empty());
  EXPECT_EQ(due_s, clock_.now().seconds + 10);
  EXPECT_EQ(outbox_->totals("nas")->last_error, "no route");
  clock_.advance(10);
  const auto found = ready("nas");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].job.attempts, 1U);
}

TEST_F(OutboxTest, AConfirmedUploadLeavesTheQueueAndIsACopy) {
  const ContentNo content = add("IMG_1.jpg", "bytes", {"nas", "s3"});
  ASSERT_TRUE(outbox_->confirmed(content, "nas", {"Library/IMG_1.jpg", "e", 5, 1}));
  EXPECT_TRUE(ready("nas").empty());
  EXPECT_EQ(ready("s3").size(), 1U);
  const auto totals = outbox_->totals("nas");
  EXPECT_EQ(totals->pending_files, 0U);
  EXPECT_EQ(totals->pending_bytes, 0U);
  EXPECT_EQ(totals->confirmed_files, 1U);
  EXPECT_EQ(totals->confirmed_bytes, 5U);
  EXPECT_EQ(outbox_->copies(content)->size(), 1U);
}

TEST_F(OutboxTest, TotalsAreTheSameAfterAnotherOpening) {
  const ContentNo content = add("a.jpg", "bytes", {"nas"});
  add("b.jpg", "longer bytes", {"nas"});
  ASSERT_TRUE(outbox_->confirmed(content, "nas", {"Library/a.jpg", "e", 5, 1}));
  const Outbox again(*catalog_, *contents_, *tree_, clock_);
  EXPECT_EQ(again.totals("nas")->pending_files, outbox_->totals("nas")->pending_files);
  EXPECT_EQ(again.totals("nas")->pending_bytes, 12U);
  EXPECT_EQ(outbox_->totals("nas")->pending_bytes, 12U);
  EXPECT_EQ(again.totals("nas")->confirmed_bytes, 5U);
}

TEST_F(OutboxTest, AKeyThatIsAboutToBecomeFreeIsWaitedForAndOneThatDoesNotIsLeft) {
  const ContentNo old = add("IMG_1.jpg", "old", {"nas"});
  ASSERT_TRUE(outbox_->confirmed(old, "nas", {"Library/IMG_1.jpg", "e", 3, 1}));
  rename("IMG_1.jpg", "IMG_0.jpg");
  const ContentNo other = add("IMG_1.jpg", "new", {"nas"});
  EXPECT_TRUE(ready("nas").empty()) << "the old one leaves";
  const auto step = outbox_->next_tidy("nas", false, nullptr, nullptr);
  ASSERT_TRUE(step && *step);
  EXPECT_EQ((*step)->content, old);
  EXPECT_EQ((*step)->to, "Library/IMG_0.jpg");
  ASSERT_TRUE(outbox_->tidy_failed(**step, "nas", Status(Code::kIo, "no"), clock_.now().seconds + 100));
  const auto found = ready("nas");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].job.content, other);
  EXPECT_EQ(found[0].key, "Library/IMG_1~" + sha256("new").hex().substr(0, 8) + ".jpg");
}

TEST_F(OutboxTest, AKeyThatIsBeingSentToIsNotGivenToAnother) {
  add("IMG_1.jpg", "old", {"nas"});
  ASSERT_EQ(ready("nas")[0].key, "Library/IMG_1.jpg");
  rename("IMG_1.jpg", "IMG_0.jpg");
  const ContentNo other = add("IMG_1.jpg", "new", {"nas"});
  auto found = outbox_->ready(
      "nas", 5, 100, [&](ContentNo content) { return content != other; }, nullptr);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_NE(found->front().key, "Library/IMG_1.jpg");
}

TEST_F(OutboxTest, AnUploadThatIsDoneWhileItIsChosenKeepsNobodyFromItsKey) {
  const ContentNo content = add("IMG_1.jpg", "bytes", {"nas"});
  const auto done_meanwhile = [&](ContentNo number) {
    EXPECT_TRUE(outbox_->confirmed(number, "nas", {"Library/IMG_1~12345678.jpg", "e", 5, 1}));
    outbox_->ended(number, "nas");
    return false;
  };
  ASSERT_TRUE(outbox_->ready("nas", 0, 10, done_meanwhile, nullptr));  // and what it gave out is not begun
  const auto step = outbox_->next_tidy("nas", true, nullptr, nullptr);
  ASSERT_TRUE(step && *step);
  EXPECT_EQ((*step)->content, content);
  EXPECT_EQ((*step)->to, "Library/IMG_1.jpg");
}

TEST_F(OutboxTest, NothingIsRemovedBeforeTheBackupOfTheCatalogKnowsWhy) {
  uint64_t backed_up = 0;
  outbox_->set_backed_up("nas", [&] { return backed_up; });
  const ContentNo content = add("IMG_1.jpg", "bytes", {"nas"});
  ASSERT_TRUE(outbox_->confirmed(content, "nas", {"Library/IMG_1.jpg", "e1", 5, 1}));
  const auto file = tree_->resolve("Library/IMG_1.jpg");
  ASSERT_TRUE(file);
  ASSERT_TRUE(tree_->rename(kLibraryInode, "IMG_1.jpg", kLibraryInode, "x.jpg", RenameMode::kReplace, {}));
  const auto move = outbox_->next_tidy("nas", false, nullptr, nullptr);
  ASSERT_TRUE(move && *move);
  EXPECT_EQ((*move)->to, "Library/x.jpg");
  backed_up = catalog_->last_change();  // the rename, but not yet where the copy is
  ASSERT_TRUE(outbox_->tidied(**move, "nas", {"e2", 5}));
  EXPECT_FALSE(outbox_->next_tidy("nas", true, nullptr, nullptr)->has_value());
  EXPECT_EQ(outbox_->tidy_totals("nas")->untried, 1U);
  backed_up = catalog_->last_change();
  const auto removal = outbox_->next_tidy("nas", false, nullptr, nullptr);
  ASSERT_TRUE(removal && *removal);
  EXPECT_EQ((*removal)->kind, TidyStep::Kind::kRemove);
  EXPECT_EQ((*removal)->key, "Library/IMG_1.jpg");
}

TEST_F(OutboxTest, TheOneObjectOfTwoSpellingsIsNotRemoved) {
  KeyLimits limits;
  limits.folds = KeyLimits::Folds::kMaybe;
  outbox_->set_key_limits("nas", limits);
  const ContentNo content = add("img.jpg", "bytes", {"nas"});
  ASSERT_TRUE(outbox_->confirmed(content, "nas", {"Library/img.jpg", "e1", 5, 1}));
  {
    const auto txn = catalog_->begin();
    txn->put_loose("nas", "Library/IMG.jpg", {ContentNo(), "e1", 5, sha256("bytes"), 0, 0, ""});
    ASSERT_TRUE(txn->commit());
  }
  // It is found out first what the remote makes of them.
  EXPECT_FALSE(outbox_->next_tidy("nas", false, nullptr, nullptr)->has_value());
  const auto probe = outbox_->next_tidy("nas", false, nullptr, nullptr);
  ASSERT_TRUE(probe && *probe);
  ASSERT_EQ((*probe)->kind, TidyStep::Kind::kProbe);
  outbox_->probed(**probe, "nas", true);
  const auto next = outbox_->next_tidy("nas", false, nullptr, nullptr);
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->key, (*probe)->key) << "only what the probe wrote is removed";
  ASSERT_TRUE(outbox_->removed(**next, "nas"));
  EXPECT_FALSE(outbox_->next_tidy("nas", false, nullptr, nullptr)->has_value());
  EXPECT_FALSE((*catalog_->loose("nas", "Library/IMG.jpg")).has_value());
}

TEST_F(OutboxTest, AnUploadWaitsForTheMoveOfTheVeryBytes) {
  const ContentNo content = add("IMG_1.jpg", "bytes", {"nas"});
  ASSERT_TRUE(outbox_->confirmed(content, "nas", {"Library/IMG_1.jpg", "e1", 5, 1}));
  ASSERT_TRUE(tree_->rename(kLibraryInode, "IMG_1.jpg", kLibraryInode, "x.jpg", RenameMode::kReplace, {}));
  const auto move = outbox_->next_tidy("nas", false, nullptr, nullptr);
  ASSERT_TRUE(move && *move);
  ASSERT_TRUE(outbox_->copy_lost(content, "nas"));
  EXPECT_TRUE(ready("nas").empty()) << "both would work at Library/x.jpg";
  ASSERT_TRUE(outbox_->tidied(**move, "nas", {"e2", 5}));
  const auto found = ready("nas");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, "Library/x.jpg") << "what the move made is taken for the upload";
}

TEST_F(OutboxTest, JunkStaysLocalAndIsSentWhenItGetsARealName) {
  ASSERT_TRUE(outbox_->enqueue_missing("nas"));
  const ContentNo content = add(".IMG_1.jpg.Xa81bc", "bytes", {"nas"});
  EXPECT_TRUE(ready("nas").empty());
  EXPECT_EQ(pending("nas"), 0U) << "nobody waits for junk";
  rename(".IMG_1.jpg.Xa81bc", "IMG_1.jpg");
  EXPECT_EQ(pending("nas"), 1U);
  const auto found = ready("nas");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].job.content, content);
}

TEST_F(OutboxTest, FormerBytesOfAPhotoAreSentUnderTheNameOfABackupCopyToo) {
  const ContentNo content = add("IMG_1.jpg", "former", {"nas"});
  add("IMG_2.jpg", "the photo", {});
  rename("IMG_1.jpg", "IMG_2.jpg~");
  {  // the photo went on with other bytes
    const auto txn = catalog_->begin();
    const PhotoId photo = (*txn->inode((*txn->dentry(kLibraryInode, "IMG_2.jpg"))->inode))->photo;
    ASSERT_TRUE(photo);
    ContentRecord record = **txn->content(content);
    ++record.references;
    txn->put_content(content, record);
    txn->put_version(photo, {content, clock_.now().seconds, "IMG_2.jpg"});
    ASSERT_TRUE(txn->commit());
  }
  const auto found = ready("nas");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].job.content, content);
  ASSERT_TRUE(outbox_->enqueue_missing("s3"));
  EXPECT_EQ(catalog_->jobs_of_content(content)->size(), 2U);
  EXPECT_EQ(outbox_->kept_here()->files, 0U);
}

TEST_F(OutboxTest, AnAddedRemoteGetsEverythingOnce) {
  add("a.jpg", "a", {"nas"});
  const ContentNo b = add("b.jpg", "b", {"nas"});
  add(".DS_Store", "junk", {});
  ASSERT_TRUE(outbox_->confirmed(b, "nas", {"Library/b.jpg", "e", 1, 1}));
  EXPECT_EQ(*outbox_->enqueue_missing("s3"), 2U);
  EXPECT_EQ(*outbox_->enqueue_missing("s3"), 0U);
  EXPECT_EQ(*outbox_->enqueue_missing("nas"), 0U);
  EXPECT_EQ(pending("s3"), 2U);
  ASSERT_TRUE(outbox_->drop_jobs_of_others({"nas"}));
  EXPECT_EQ(pending("s3"), 0U);
  EXPECT_EQ(pending("nas"), 1U);
}

TEST_F(OutboxTest, ALostCopyIsQueuedAgainWhileTheBytesAreLocal) {
  const ContentNo content = add("a.jpg", "a", {"nas"});
  ASSERT_TRUE(outbox_->confirmed(content, "nas", {"Library/a.jpg", "e", 1, 1}));
  ASSERT_TRUE(outbox_->copy_lost(content, "nas"));
  EXPECT_EQ(pending("nas"), 1U);
  EXPECT_TRUE(outbox_->copies(content)->empty());
}

TEST_F(OutboxTest, TheOnlyPlaceOfAnEvictedContentIsNeverForgotten) {
  const ContentNo content = add("a.jpg", some_bytes(1 << 20), {"nas"});
  ASSERT_TRUE(outbox_->confirmed(content, "nas", {"Library/a.jpg", "e", 1 << 20, 1}));
  ASSERT_TRUE(contents_->evict(content));
  EXPECT_EQ(outbox_->copy_lost(content, "nas").code(), Code::kDataLoss);
  EXPECT_EQ(outbox_->copies(content)->size(), 1U);
}

TEST_F(OutboxTest, ProgressIsKeptForTheNextAttempt) {
  const ContentNo content = add("a.jpg", "a", {"nas"});
  ASSERT_TRUE(outbox_->save_progress(content, "nas", "upload-id"));
  EXPECT_EQ(ready("nas")[0].job.progress, "upload-id");
  EXPECT_TRUE(outbox_->save_progress(ContentNo(999), "nas", "x")) << "gone meanwhile: nothing to save";
}

TEST_F(OutboxTest, ThePauseSwitchIsDurable) {
  EXPECT_FALSE(*outbox_->paused());
  ASSERT_TRUE(outbox_->set_paused(true));
  EXPECT_TRUE(*Outbox(*catalog_, *contents_, *tree_, clock_).paused());
}

TEST_F(OutboxTest, QueueingWakes) {
  int woken = 0;
  outbox_->on_job([&] { ++woken; });
  add("a.jpg", "a", {"nas"});
  EXPECT_GT(woken, 0);
}

TEST_F(OutboxTest, WhatTheDiskSpoiledWaitsForSomebodyToAskForIt) {
  const ContentNo content = add("IMG_1.jpg", "bytes", {"nas", "s3"});
  ASSERT_TRUE(outbox_->damaged(content, "nas"));
  EXPECT_EQ(outbox_->totals("nas")->damaged_files, 1U);
  EXPECT_EQ(outbox_->totals("s3")->damaged_files, 0U);
  int64_t due_s = 0;
  EXPECT_TRUE(ready("nas", 5, &due_s).empty());
  EXPECT_EQ(due_s, 0) << "it is not asked for by itself";
  EXPECT_EQ(ready("nas", 0).size(), 1U);
  auto named = outbox_->damaged_originals("nas", 10);
  ASSERT_EQ(named->size(), 1U);
  EXPECT_EQ(named->front().path, "Library/IMG_1.jpg");
  EXPECT_NE(named->front().what.find("no remote has a copy"), std::string::npos) << named->front().what;
  ASSERT_TRUE(outbox_->confirmed(content, "s3", {"Library/IMG_1.jpg", "e", 5, 1}));
  named = outbox_->damaged_originals("nas", 10);
  EXPECT_NE(named->front().what.find("another remote has it"), std::string::npos) << named->front().what;

  Outbox again(*catalog_, *contents_, *tree_, clock_);
  EXPECT_EQ(again.totals("nas")->damaged_files, 1U) << "known after the next mount";
  ASSERT_TRUE(outbox_->confirmed(content, "nas", {"Library/IMG_1.jpg", "e", 5, 1}));
  EXPECT_EQ(outbox_->totals("nas")->damaged_files, 0U);
}

TEST_F(OutboxTest, ASpoiledVersionIsNotToldOfAndTakesNobodysBytes) {
  const ContentNo content = add("IMG_1.jpg", "bytes", {"nas"});
  ASSERT_TRUE(outbox_->damaged(content, "nas"));
  {  // replaced
    const auto txn = catalog_->begin();
    const InodeNo file = (*txn->dentry(kLibraryInode, "IMG_1.jpg"))->inode;
    InodeRecord inode = **txn->inode(file);
    inode.content = ContentNo();
    txn->put_inode(file, inode);
    ASSERT_TRUE(txn->commit());
  }
  EXPECT_TRUE(ready("nas").empty());
  EXPECT_EQ(pending("nas"), 0U);
  EXPECT_EQ(outbox_->totals("nas")->damaged_files, 0U);
  ASSERT_EQ(catalog_->jobs_of_content(content)->size(), 1U);
  EXPECT_TRUE(catalog_->jobs_of_content(content)->front().damaged);
}

TEST_F(OutboxTest, FilesThatStayHereBecauseOfTheirNamesAreCounted) {
  add(".hidden", "1234", {});
  add("half.jpg.part", "12", {});
  add("real.jpg", "123456", {});
  const auto counts = [this](uint64_t files, uint64_t bytes) {
    const auto kept = outbox_->kept_here();
    ASSERT_TRUE(kept) << kept.status().message();
    EXPECT_EQ(kept->files, files);
    EXPECT_EQ(kept->bytes, bytes);
  };
  counts(2, 6);
  rename("half.jpg.part", "half.jpg");
  counts(1, 4);
  rename("real.jpg", "real.jpg~");
  add(".more", "1", {});
  counts(3, 11);
  {  // a second, real name
    const auto txn = catalog_->begin();
    const auto dentry = txn->dentry(kLibraryInode, ".hidden");
    ASSERT_TRUE(txn->put_dentry(kLibraryInode, "shown.jpg", **dentry));
    ASSERT_TRUE(txn->commit());
  }
  counts(2, 7);
  {
    const auto txn = catalog_->begin();
    ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "shown.jpg"));
    ASSERT_TRUE(txn->commit());
  }
  counts(3, 11);
}

}  // namespace
}  // namespace shoebox
