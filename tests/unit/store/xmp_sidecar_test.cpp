#include "store/xmp_sidecar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "store/base/hash.h"
#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> items(const pugi::xml_node& list) {
  std::vector<std::string> values;
  for (const pugi::xml_node& item : list.first_child().children("rdf:li"))
    values.emplace_back(item.text().get());
  return values;
}

pugi::xml_node description(pugi::xml_document& document, const std::string& text) {
  EXPECT_TRUE(document.load_string(text.c_str())) << text;
  return document.child("x:xmpmeta").child("rdf:RDF").child("rdf:Description");
}

TEST(XmpSidecar, NothingSaidIsNoSidecar) { EXPECT_EQ(xmp_sidecar(OwnerStatements()), ""); }

TEST(XmpSidecar, WhatWasSaidStandsInTheSpellingsOfOthers) {
  OwnerStatements said;
  said.tags = {"beach", "summer & sun"};
  said.caption = "<we> two";
  said.rating = 4;
  said.date = LocalDate{2023, 7, 0};
  said.people = {"Anna", "Jos\u00e9"};
  said.albums = {"Trip/Day 1"};
  said.denied_people = {"Bob"};
  said.favorite = true;
  pugi::xml_document document;
  const pugi::xml_node about = description(document, xmp_sidecar(said));
  EXPECT_THAT(items(about.child("dc:subject")), ElementsAre("beach", "summer & sun"));
  EXPECT_THAT(items(about.child("dc:description")), ElementsAre("<we> two"));
  EXPECT_STREQ(about.child("xmp:Rating").text().get(), "4");
  EXPECT_STREQ(about.child("exif:DateTimeOriginal").text().get(), "2023-07");
  EXPECT_THAT(items(about.child("Iptc4xmpExt:PersonInImage")), ElementsAre("Anna", "Jos\u00e9"));
  EXPECT_THAT(items(about.child("digiKam:TagsList")),
              ElementsAre("beach", "summer & sun", "People/Anna", "People/Jos\u00e9"));
  EXPECT_THAT(items(about.child("shoebox:Albums")), ElementsAre("Trip/Day 1"));
  EXPECT_THAT(items(about.child("shoebox:DeniedPeople")), ElementsAre("Bob"));
  EXPECT_STREQ(about.child("shoebox:Favorite").text().get(), "True");
}

TEST(XmpSidecar, APlaceStandsInTheSpellingsOfOthersAndComesBack) {
  OwnerStatements said;
  said.place = "Germany/Hessen/Frankfurt\uFF0FMain/R\u00f6mer";
  pugi::xml_document document;
  const pugi::xml_node about = description(document, xmp_sidecar(said));
  EXPECT_STREQ(about.child("photoshop:Country").text().get(), "Germany");
  EXPECT_STREQ(about.child("photoshop:State").text().get(), "Hessen");
  EXPECT_STREQ(about.child("photoshop:City").text().get(), "Frankfurt/Main");
  EXPECT_STREQ(about.child("Iptc4xmpCore:Location").text().get(), "R\u00f6mer");
  for (const char* place : {"Germany/Hessen/Frankfurt\uFF0FMain/R\u00f6mer", "Italy/Rome", "Italy", "",
                            "43.467448, 11.885126", "-34.000000, -0.000001"}) {
    said.place = place;
    const std::string written = xmp_sidecar(said, sha256("bytes"), PhotoId(7));
    const auto back = parse_xmp_sidecar(written);
    ASSERT_TRUE(back) << place;
    EXPECT_EQ(back->place, said.place);
    EXPECT_TRUE(is_unchanged_sidecar(written)) << place;
  }
}

TEST(XmpSidecar, APositionStandsAsOthersWriteIt) {
  OwnerStatements said;
  said.place = "43.467448, -11.885126";
  pugi::xml_document document;
  const pugi::xml_node about = description(document, xmp_sidecar(said));
  EXPECT_STREQ(about.child("exif:GPSLatitude").text().get(), "43,28.046880N");
  EXPECT_STREQ(about.child("exif:GPSLongitude").text().get(), "11,53.107560W");
}

// On remotes stand sidecars of before there were places: by their bytes they are known again.
TEST(XmpSidecar, WithoutAPlaceItsBytesAreThoseOfBefore) {
  OwnerStatements said;
  said.rating = 4;
  const std::string written = xmp_sidecar(said);
  EXPECT_EQ(
      written,
      "<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
      " <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
      "  <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
      "xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:exif=\"http://ns.adobe.com/exif/1.0/\" "
      "xmlns:photoshop=\"http://ns.adobe.com/photoshop/1.0/\" "
      "xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" "
      "xmlns:digiKam=\"http://www.digikam.org/ns/1.0/\" xmlns:lr=\"http://ns.adobe.com/lightroom/1.0/\" "
      "xmlns:shoebox=\"urn:shoebox:xmp:1\">\n"
      "   <xmp:Rating>4</xmp:Rating>\n"
      "  </rdf:Description>\n"
      " </rdf:RDF>\n"
      "</x:xmpmeta>\n"
      "<?xpacket end=\"r\"?>\n");
}

TEST(XmpSidecar, BytesThatXmlCannotHoldAreReplaced) {
  OwnerStatements said;
  said.caption = std::string(
      "a\x01"
      "b\xff"
      "c\0d",
      7);
  pugi::xml_document document;
  const pugi::xml_node about = description(document, xmp_sidecar(said));
  EXPECT_THAT(items(about.child("dc:description")), ElementsAre("a\uFFFD"
                                                                "b\uFFFD"
                                                                "c\uFFFD"
                                                                "d"));
}

class OwnerStatementsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<Catalog>> opened = Catalog::open("xmp", Catalog::Options::scratch());
    ASSERT_TRUE(opened) << opened.status().message();
    catalog = std::move(*opened);
    const auto txn = catalog->begin();
    id = txn->new_photo_id();
    inode = txn->new_inode_no();
    PhotoRecord photo;
    photo.info.people = {"Carl"};  // the file says so, not the owner
    photo.statements[{ViewId::kPeople, "Anna"}] = Statement::kAsserted;
    photo.statements[{ViewId::kPeople, "Bob"}] = Statement::kDenied;
    photo.statements[{ViewId::kAlbums, "Trip"}] = Statement::kAsserted;
    photo.stated_date = LocalDate{1999, 12, 0};
    photo.stated_place = "Italy/Rome";
    txn->put_photo(id, photo);
    InodeRecord record;
    record.mode = 0100644;
    record.photo = id;
    txn->put_inode(inode, record);
    txn->put_xattr(inode, "user.xdg.tags", "sea, sky,,");
    txn->put_xattr(inode, "user.xdg.comment", "hello");
    txn->put_xattr(inode, "user.baloo.rating", "7");
    ASSERT_TRUE(txn->commit());
  }
  std::unique_ptr<Catalog> catalog;
  PhotoId id;
  InodeNo inode;
};

TEST_F(OwnerStatementsTest, AreThoseOfTheCatalogAndNotOfTheFile) {
  const Result<OwnerStatements> said = owner_statements(*catalog, id);
  ASSERT_TRUE(said) << said.status().message();
  EXPECT_THAT(said->people, ElementsAre("Anna"));
  EXPECT_THAT(said->denied_people, ElementsAre("Bob"));
  EXPECT_THAT(said->albums, ElementsAre("Trip"));
  EXPECT_THAT(said->tags, ElementsAre("sea", "sky"));
  EXPECT_EQ(said->caption, "hello");
  EXPECT_EQ(said->rating, 4);  // 7 half stars
  ASSERT_TRUE(said->date);
  EXPECT_EQ(said->date->year, 1999);
  EXPECT_EQ(said->place, "Italy/Rome");
}

TEST_F(OwnerStatementsTest, ARatingThatIsNoneDoesNotCount) {
  for (const char* bad : {"", "11", "-1", "4x", "99999999999999999999"}) {
    const auto txn = catalog->begin();
    txn->put_xattr(inode, "user.baloo.rating", bad);
    ASSERT_TRUE(txn->commit());
    const Result<OwnerStatements> said = owner_statements(*catalog, id);
    ASSERT_TRUE(said);
    EXPECT_EQ(said->rating, -1) << bad;
  }
}

TEST(XmpSidecar, IsReadBackAsItWasWritten) {
  OwnerStatements said;
  said.tags = {"beach", "sea & sun"};
  said.caption = "first line\nsecond <line>";
  said.rating = 4;
  said.date = LocalDate{2023, 7, 14, 10, 11, 12};
  said.people = {"Anna", "Зоя"};
  said.denied_people = {"Ben"};
  said.albums = {"Trip/Day 1"};
  said.denied_albums = {"Other"};
  said.favorite = true;
  const auto back = parse_xmp_sidecar(xmp_sidecar(said));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->tags, said.tags);
  EXPECT_EQ(back->caption, said.caption);
  EXPECT_EQ(back->rating, 4);
  EXPECT_EQ(back->date, said.date);
  EXPECT_EQ(back->people, said.people);
  EXPECT_EQ(back->denied_people, said.denied_people);
  EXPECT_EQ(back->albums, said.albums);
  EXPECT_EQ(back->denied_albums, said.denied_albums);
  EXPECT_TRUE(back->favorite);
  OwnerStatements little;
  little.date = LocalDate{1999, 12};
  const auto month = parse_xmp_sidecar(xmp_sidecar(little));
  ASSERT_TRUE(month);
  EXPECT_EQ(month->date, little.date);
  EXPECT_EQ(month->rating, -1);
  EXPECT_FALSE(month->favorite);
}

TEST(XmpSidecar, WhatIsLongOrManyIsReadBackAsWell) {
  OwnerStatements said;
  said.albums = {"Short"};
  std::string deep;
  for (int level = 0; level < 250; ++level)
    deep += (level == 0 ? "" : "/") + std::string(255, 'a' + level % 26);
  said.albums.push_back(deep);
  said.denied_albums = {deep};
  for (int number = 0; number < 3000; ++number) said.tags.push_back("tag " + std::to_string(number));
  said.tags.emplace_back(65'000, 't');
  const std::string written = xmp_sidecar(said, sha256("a"), PhotoId(7));
  const auto back = parse_xmp_sidecar(written);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->albums, said.albums);
  EXPECT_EQ(back->denied_albums, said.denied_albums);
  EXPECT_EQ(back->tags, said.tags);
  EXPECT_TRUE(is_unchanged_sidecar(written));
}

TEST(XmpSidecar, ThatSomebodyElseWroteTellsNothingOfTheOwner) {
  EXPECT_FALSE(parse_xmp_sidecar(""));
  EXPECT_FALSE(parse_xmp_sidecar("no xml, but urn:shoebox:xmp:1"));
  EXPECT_FALSE(parse_xmp_sidecar(
      "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description/></rdf:RDF></x:xmpmeta>"));
  std::string bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
  OwnerStatements said;
  said.caption = "caption";
  const std::string own = xmp_sidecar(said);
  const auto read = parse_xmp_sidecar(bomb + own);
  if (read) EXPECT_EQ(read->caption, "caption");
}

TEST(XmpSidecar, WhatItWroteIsKnownAgainUnlessSomebodyChangedIt) {
  OwnerStatements said;
  said.tags = {"sea", "boat & <oar>"};
  said.people = {"Anna"};
  said.caption = "two lines\nof it";
  said.rating = 4;
  said.albums = {"Trip/Day 1"};
  said.denied_people = {"Ben"};
  said.favorite = true;
  const ContentHash original = sha256("bytes");
  const std::string written = xmp_sidecar(said, original, PhotoId(7));
  EXPECT_TRUE(is_unchanged_sidecar(written));
  EXPECT_FALSE(is_unchanged_sidecar(xmp_sidecar(said))) << "an export's: it may be anybody's";
  std::string changed = written;
  changed.replace(changed.find("Anna"), 4, "Anne");
  changed.insert(changed.find("<shoebox:Original>"), "<dc:title>mine</dc:title>");
  EXPECT_FALSE(is_unchanged_sidecar(changed));
  EXPECT_FALSE(is_unchanged_sidecar("no XML"));
}

}  // namespace
}  // namespace shoebox
