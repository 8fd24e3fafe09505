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

TEST_F(CatalogMendTest, WhatWentToTrashSinceIsInItsPlaceAgain) {
  const std::string bytes = some_bytes(kMiB, 1);
  const ContentNo content = add("a.jpg", bytes, {});
  remote_.place(".shoebox/versions/Library/a~0a1b2c3d.jpg", bytes);
  known_at("Library/a.jpg", "a.jpg", bytes.size(), content);
  EXPECT_EQ(mend().moved, 1U);
  EXPECT_EQ(tree_->resolve("Library/a.jpg")->inode.content, content);
  EXPECT_EQ((*catalog_->copy(content, "bucket"))->key, ".shoebox/versions/Library/a~0a1b2c3d.jpg");
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
