#include "sync/catalog_mend.h"

#include "tests/unit/sync/adopt_fixture.h"

namespace shoebox::testing {
namespace {

class CatalogMendTest : public SyncFixture {
 protected:
  // A photo of which the sound part of the catalog knows, and which stands under its key.
  ContentNo known(const std::string& name, const std::string& bytes) {
    remote_.place("Library/" + name, bytes);
    return known_at("Library/" + name, name, bytes.size(), add(name, bytes, {}));
  }
  ContentNo known_at(const std::string& key, const std::string& name, size_t size, ContentNo content) {
    const auto there = remote_.stat(key, {});
    const auto txn = catalog_->begin();
    txn->put_copy(content, "bucket", {key, there ? there->etag : "gone", size, 0, ""});
    EXPECT_TRUE(txn->commit()) << name;
    return content;
  }
  // Its sidecar says what `said` does; with `noted` the catalog knows that.
  void sidecar(const std::string& name, const OwnerStatements& said, bool noted) {
    const InodeRecord inode = tree_->resolve("Library/" + name)->inode;
    const std::string key = "Library/" + name + ".xmp";
    const std::string bytes = xmp_sidecar(said, (*catalog_->content(inode.content))->sha256, inode.photo);
    remote_.place(key, bytes);
    if (!noted) return;
    const auto txn = catalog_->begin();
    txn->put_sidecar(inode.photo, "bucket", {key, remote_.stat(key, {})->etag, bytes.size(), sha256(bytes)});
    EXPECT_TRUE(txn->commit());
  }
  OwnerStatements said(const std::string& name) {
    return *owner_statements(*catalog_, tree_->resolve("Library/" + name)->inode.photo);
  }
  AdoptReport mend() {
    remote_.reset_counts();
    AdoptRequest request;
    request.remote = "bucket";
    request.rebuild = request.mend = true;
    Adopter::Options options;
    options.backoff.random = [] { return 0.0; };
    const Adopter adopter({*catalog_, *contents_, *tree_, clock_}, options);
    const auto report = adopter.run(remote_, request, {}, nullptr);
    EXPECT_TRUE(report) << report.status().message();
    return report ? *report : AdoptReport();
  }

  StandingRemote remote_{"bucket"};
};

TEST_F(CatalogMendTest, WhereTheCatalogLacksNothingOnlyTheListingIsRead) {
  for (int i = 0; i < 9; ++i) known(fmt::format("{}.jpg", i), some_bytes(2 * kMiB, i + 1));
  OwnerStatements said;
  said.tags = {"beach"};
  const InodeNo photo = tree_->resolve("Library/3.jpg")->number;
  ASSERT_TRUE(*set_statements(*tree_, *catalog_, photo, said));
  EXPECT_FALSE(*set_statements(*tree_, *catalog_, photo, said));
  sidecar("3.jpg", said, /*noted=*/true);
  const AdoptReport report = mend();
  EXPECT_EQ(remote_.gets(), 0U);
  EXPECT_EQ(report.already, 10U);
  EXPECT_EQ(report.photos + report.moved + report.statements, 0U);
}

TEST_F(CatalogMendTest, ASidecarThatTheCatalogDoesNotKnowCountsAlsoForWhatItNoLongerTells) {
  known("a.jpg", some_bytes(1000, 1));
  OwnerStatements former;
  former.tags = {"beach", "sun"};
  former.caption = "At the sea";
  former.rating = 4;
  former.favorite = true;
  former.date = LocalDate{1999, 12, 0};
  ASSERT_TRUE(*set_statements(*tree_, *catalog_, tree_->resolve("Library/a.jpg")->number, former));
  sidecar("a.jpg", former, /*noted=*/true);
  OwnerStatements later;
  later.tags = {"sun"};
  later.date = LocalDate{2001, 1, 2};
  sidecar("a.jpg", later, /*noted=*/false);
  EXPECT_EQ(mend().statements, 1U);
  EXPECT_EQ(said("a.jpg"), later);
  // It is the one that stands there: known from now on.
  EXPECT_EQ(mend().statements, 0U);
  EXPECT_EQ(remote_.gets(), 0U);
}

TEST_F(CatalogMendTest, WhatTheCatalogSaidAfterTheSidecarItKnowsStays) {
  known("a.jpg", some_bytes(1000, 1));
  OwnerStatements sent;
  sent.caption = "Sent";
  sidecar("a.jpg", sent, /*noted=*/true);
  OwnerStatements later;
  later.caption = "Not sent yet";
  ASSERT_TRUE(*set_statements(*tree_, *catalog_, tree_->resolve("Library/a.jpg")->number, later));
  EXPECT_EQ(mend().statements, 0U);
  EXPECT_EQ(said("a.jpg"), later);
}

// A copy of the remote on another server: every ETag is another.
TEST_F(CatalogMendTest, ASidecarThatTheCatalogKnowsIsNotNewerBecauseItsServerIs) {
  known("a.jpg", some_bytes(1000, 1));
  OwnerStatements sent;
  sent.caption = "Sent";
  sidecar("a.jpg", sent, /*noted=*/true);
  OwnerStatements later;
  later.caption = "Not sent yet";
  ASSERT_TRUE(*set_statements(*tree_, *catalog_, tree_->resolve("Library/a.jpg")->number, later));
  sidecar("a.jpg", sent, /*noted=*/false);
  EXPECT_EQ(mend().statements, 0U);
  EXPECT_EQ(said("a.jpg"), later);
  mend();
  EXPECT_EQ(remote_.gets(), 0U) << "it was read once";
}

// As shoebox export writes it: a file that the owner has put there, and older than what is said by now.
TEST_F(CatalogMendTest, ASidecarOfAnExportIsAFileAndTellsNothing) {
  const std::string bytes = some_bytes(1000, 1);
  known("a.jpg", bytes);
  OwnerStatements later;
  later.tags = {"beach"};
  ASSERT_TRUE(*set_statements(*tree_, *catalog_, tree_->resolve("Library/a.jpg")->number, later));
  OwnerStatements exported;
  exported.caption = "Before";
  remote_.place("Library/export/a.jpg", bytes);
  remote_.place("Library/export/a.jpg.xmp", xmp_sidecar(exported));
  EXPECT_EQ(mend().statements, 0U);
  EXPECT_EQ(said("a.jpg"), later);
  EXPECT_TRUE(tree_->resolve("Library/export/a.jpg.xmp"));
}

TEST_F(CatalogMendTest, ASidecarOfOtherBytesTellsNothingOfTheFileThatHasTheName) {
  known("a.jpg", some_bytes(1000, 1));
  OwnerStatements of_another;
  of_another.tags = {"beach"};
  remote_.place("Library/a.jpg.xmp", xmp_sidecar(of_another, sha256("other bytes"), PhotoId(77)));
  const AdoptReport report = mend();
  EXPECT_TRUE(said("a.jpg").empty());
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].what, "said in vain");
}

TEST_F(CatalogMendTest, ACopyThatMovedIsFoundByItsEndsAndItsFileFollows) {
  const std::string bytes = some_bytes(2 * kMiB, 1);
  const ContentNo content = add("a.jpg", bytes, {});
  remote_.place("Library/2023/b.jpg", bytes);
  remote_.place("Library/same-size.jpg", some_bytes(2 * kMiB, 2));
  known_at("Library/a.jpg", "a.jpg", bytes.size(), content);
  const AdoptReport report = mend();
  EXPECT_EQ(report.moved, 1U);
  EXPECT_EQ(report.photos, 1U);
  EXPECT_FALSE(tree_->resolve("Library/a.jpg"));
  EXPECT_EQ(tree_->resolve("Library/2023/b.jpg")->inode.content, content);
  EXPECT_EQ((*catalog_->copy(content, "bucket"))->key, "Library/2023/b.jpg");
  EXPECT_LT(remote_.bytes_sent(), 2 * kMiB) << "no original was read whole";
}

// Raw files of one camera often have one size: a folder of them that was renamed.
TEST_F(CatalogMendTest, ManyOfOneSizeThatMovedAreReadOnceEach) {
  constexpr int kMany = 12;
  std::vector<ContentNo> contents;
  for (int i = 0; i < kMany; ++i) {
    const std::string bytes = some_bytes(kMiB, i + 1);
    const std::string name = fmt::format("{}.dng", i);
    contents.push_back(add(name, bytes, {}));
    known_at("Library/" + name, name, bytes.size(), contents.back());
    remote_.place(fmt::format("Library/trip/{}.dng", kMany - i), bytes);
  }
  EXPECT_EQ(mend().moved, static_cast<uint64_t>(kMany));
  EXPECT_LE(remote_.gets(), 2U * kMany);
  for (int i = 0; i < kMany; ++i)
    EXPECT_EQ(tree_->resolve(fmt::format("Library/trip/{}.dng", kMany - i))->inode.content,
              contents[static_cast<size_t>(i)]);
}

// What others keep in the bucket is nothing of ours: a file of the drive that is deleted goes there, too.
TEST_F(CatalogMendTest, WhatStandsElsewhereIsTakenInOnlyWhereTheLibraryAdoptedThere) {
  const std::string lost = some_bytes(kMiB, 1);
  known_at("Library/lost.jpg", "lost.jpg", lost.size(), add("lost.jpg", lost, {}));
  remote_.place("accounts/2023.ods", some_bytes(1000, 2));
  remote_.place("accounts/photo.jpg", lost);
  const auto before = remote_.all();
  const AdoptReport report = mend();
  EXPECT_EQ(report.photos + report.others + report.moved, 0U);
  EXPECT_EQ(report.skipped, 2U);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].what, "left alone");
  EXPECT_EQ(remote_.gets(), 0U);
  EXPECT_EQ(remote_.all(), before);

  remote_.place("camera/known.jpg", some_bytes(1000, 3));
  known_at("camera/known.jpg", "known.jpg", 1000, add("known.jpg", some_bytes(1000, 3), {}));
  const AdoptReport adopted = mend();
  EXPECT_EQ(adopted.others, 1U);
  EXPECT_EQ(adopted.moved, 1U);
}

TEST_F(CatalogMendTest, WhatWentToTrashSinceIsInItsPlaceAgain) {
  const std::string bytes = some_bytes(kMiB, 1);
  const ContentNo content = add("a.jpg", bytes, {});
  remote_.place(".shoebox/versions/Library/a~0a1b2c3d.jpg", bytes);
  known_at("Library/a.jpg", "a.jpg", bytes.size(), content);
  EXPECT_EQ(mend().moved, 1U);
  EXPECT_EQ(tree_->resolve("Library/a.jpg")->inode.content, content);
  EXPECT_EQ((*catalog_->copy(content, "bucket"))->key, ".shoebox/versions/Library/a~0a1b2c3d.jpg");
}

// Renumbered: the former name went to another photo, about which nothing was said.
TEST_F(CatalogMendTest, ANameThatAnotherPhotoHasByNowTakesNothingFromTheOneThatHadIt) {
  for (const size_t other : {2 * kMiB, 1 * kMiB}) {
    const std::string bytes = some_bytes(kMiB, other);
    const std::string a = fmt::format("a{}.jpg", other), b = fmt::format("b{}.jpg", other);
    const ContentNo content = known(a, bytes);
    OwnerStatements of_a;
    of_a.caption = "Grandmother";
    ASSERT_TRUE(*set_statements(*tree_, *catalog_, tree_->resolve("Library/" + a)->number, of_a));
    remote_.place("Library/" + b, bytes);
    remote_.place("Library/" + a, some_bytes(other, other + 1));
    const AdoptReport report = mend();
    EXPECT_EQ(report.moved, 1U);
    EXPECT_EQ(tree_->resolve("Library/" + b)->inode.content, content);
    EXPECT_EQ(said(b), of_a);
    EXPECT_EQ(tree_->resolve("Library/" + a)->inode.size, other);
    EXPECT_TRUE(said(a).empty());
  }
}

TEST_F(CatalogMendTest, AnotherETagIsAnEditOnlyWhereTheBytesAreOthers) {
  const std::string same = some_bytes(kMiB, 1);
  const ContentNo moved_server = known("same.jpg", same);
  const ContentNo edited = known("edited.jpg", some_bytes(kMiB, 2));
  remote_.place("Library/same.jpg", same);
  remote_.place("Library/edited.jpg", some_bytes(kMiB, 3));
  const AdoptReport report = mend();
  EXPECT_EQ(report.changed, 1U);
  EXPECT_EQ(tree_->resolve("Library/same.jpg")->inode.content, moved_server);
  EXPECT_EQ((*catalog_->copy(moved_server, "bucket"))->etag, remote_.stat("Library/same.jpg", {})->etag);
  EXPECT_NE(tree_->resolve("Library/edited.jpg")->inode.content, edited);
}

}  // namespace
}  // namespace shoebox::testing
