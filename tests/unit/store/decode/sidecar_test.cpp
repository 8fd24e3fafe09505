// XMP sidecars through a real decoder process: what they state, as ExifTool reads it, and hostile ones.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "photos.h"
#include "store/base/file_io.h"
#include "store/decode/decoder_pool.h"
#include "store/xmp_sidecar.h"

namespace shoebox {
namespace {

using nlohmann::json;

class SidecarTest : public testing::Test {
 protected:
  SidecarTest() {
    std::string pattern = testing::TempDir() + "/sidecar.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SidecarTest() override { std::filesystem::remove_all(folder_); }

  MediaInfo decode(const std::string& path) {
    const Result<UniqueFd> fd = open_file(path, O_RDONLY);
    EXPECT_TRUE(fd.is_ok()) << path;
    const auto media = pool_.decode(fd->get(), path.substr(path.rfind('/') + 1));
    EXPECT_TRUE(media.is_ok()) << path << ": " << media.status().message();
    if (!media.is_ok()) return {};
    EXPECT_TRUE(media->thumbnails.empty());
    return media->info;
  }
  MediaInfo decode_text(const std::string& text) {
    const std::string path = folder_ + "/a.jpg.xmp";
    EXPECT_TRUE(write_file_atomically(path, text).is_ok());
    return decode(path);
  }
  static std::string packet(const std::string& properties, const std::string& head = "") {
    return head +
           "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
           "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
           "<rdf:Description rdf:about='' xmlns:Iptc4xmpExt='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' "
           "xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:exif='http://ns.adobe.com/exif/1.0/' "
           "xmlns:digiKam='http://www.digikam.org/ns/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/' "
           "xmlns:MP='http://ns.microsoft.com/photo/1.2/' "
           "xmlns:MPRI='http://ns.microsoft.com/photo/1.2/t/RegionInfo#' "
           "xmlns:MPReg='http://ns.microsoft.com/photo/1.2/t/Region#' "
           "xmlns:mwg-rs='http://www.metadataworkinggroup.com/schemas/regions/'>" +
           properties + "</rdf:Description></rdf:RDF></x:xmpmeta>";
  }
  static std::string person(const std::string& name) {
    return "<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>" + name +
           "</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>";
  }

  std::string folder_;
  DecoderPool pool_{{.program = SHOEBOX_DECODER}};
};

TEST_F(SidecarTest, EverySidecarOfThePhotoSetIsReadAsExifToolReadsIt) {
  SHOEBOX_NEED_PHOTOS(folder);
  int read = 0, read_in_utf16 = 0, with_people = 0, with_date = 0;
  for (const json& row : read_manifest(folder)) {
    const std::string path = row["path"];
    if (!path.ends_with(".xmp") || path.starts_with("broken/") || row.value("type", json()) != "XMP")
      continue;
    const MediaInfo info = decode(folder + path);
    EXPECT_EQ(info.kind, MediaKind::kOther) << path;
    std::set<std::string> people;
    for (const json& one : row.value("people", json::array())) people.insert(one["name"]);
    EXPECT_EQ(std::set<std::string>(info.people.begin(), info.people.end()), people) << path;
    std::string want = row.value("date", json::object()).value("local", "");
    // UTF-16, which ExifTool 12.57 does not read: the manifest says what stands there.
    constexpr std::string_view kNote = "it says xmp:CreateDate ";
    const std::string note = row.value("note", "");
    if (const size_t at = note.find(kNote); at != std::string::npos) want = note.substr(at + kNote.size());
    std::string got;
    if (info.date) got = fmt::format("{:04}-{:02}-{:02}", info.date->year, info.date->month, info.date->day);
    EXPECT_EQ(got, want.substr(0, 10)) << path;
    if (path == "exiftool/XMP6.xmp") continue;  // one prefix for several namespaces: Exiv2 drops the first
    const double rating = row.value("rating", -1.0);
    EXPECT_EQ(info.rating, rating >= 0 && rating <= 5 ? static_cast<int>(rating) : -1) << path;
    EXPECT_EQ(info.place.country, row.value("country", "")) << path;
    EXPECT_EQ(info.place.state, row.value("state", "")) << path;
    // Three of them in the Extension only, which the manifest leaves out.
    const std::string city = path == "exiftool/XMP4.xmp" ? "one" : row.value("city", "");
    EXPECT_EQ(info.place.city, city) << path;
    EXPECT_EQ(info.place.location, row.value("sublocation", "")) << path;
    if (row.contains("description") && row["description"].is_string())
      EXPECT_EQ(info.caption, row["description"].get<std::string>()) << path;
    ++read;
    read_in_utf16 += want.size() > 10 && !note.empty();
    with_people += !people.empty();
    with_date += !want.empty();
  }
  EXPECT_GE(read, 40);
  EXPECT_GE(read_in_utf16, 3);
  EXPECT_GE(with_people, 6);
  EXPECT_GE(with_date, 20);
}

TEST_F(SidecarTest, EverySpellingOfPeopleCounts) {
  const auto people = [&](const std::string& properties) { return decode_text(packet(properties)).people; };
  using Names = std::vector<std::string>;
  EXPECT_EQ(people(person("Anna")), Names{"Anna"});
  EXPECT_EQ(people("<digiKam:TagsList><rdf:Seq><rdf:li>People/Ben</rdf:li></rdf:Seq></digiKam:TagsList>"),
            Names{"Ben"});
  EXPECT_EQ(people("<MP:RegionInfo rdf:parseType='Resource'><MPRI:Regions><rdf:Bag><rdf:li "
                   "rdf:parseType='Resource'><MPReg:PersonDisplayName>Carl</MPReg:PersonDisplayName></rdf:li>"
                   "</rdf:Bag></MPRI:Regions></MP:RegionInfo>"),
            Names{"Carl"});
  // As Picasa and digiKam write faces.
  EXPECT_EQ(
      people(
          "<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:RegionList><rdf:Bag><rdf:li "
          "rdf:parseType='Resource'><mwg-rs:Name>Dora</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type></rdf:li>"
          "</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"),
      Names{"Dora"});
}

// Of what other programs know as well; the rest parse_xmp_sidecar() or the owner reads.
TEST_F(SidecarTest, WhatShoeboxWritesIsReadAsItWasSaid) {
  OwnerStatements said;
  said.tags = {"beach", "Süd & West", "a/b"};
  said.caption = "At the sea <1>\nsecond line";
  said.rating = 4;
  said.people = {"Anna", "Zoë O'Neil"};
  said.denied_people = {"Ben"};
  said.albums = {"Trip/Day 1"};
  said.favorite = true;
  for (const LocalDate& date :
       {LocalDate{2019, 3, 4, 5, 6, 7}, LocalDate{2019, 3, 4}, LocalDate{2019, 3}, LocalDate{2019}}) {
    said.date = date;
    const MediaInfo read = decode_text(xmp_sidecar(said));
    EXPECT_EQ(read.tags, said.tags);
    EXPECT_EQ(read.caption, said.caption);
    EXPECT_EQ(read.rating, said.rating);
    EXPECT_EQ(read.people, said.people) << "who is not in it is not read as being in it";
    ASSERT_TRUE(read.date) << int{date.month};
    EXPECT_EQ(read.date->year, date.year);
    EXPECT_EQ(read.date->month, date.month);
    EXPECT_EQ(read.date->day, date.day);
    EXPECT_TRUE(read.date_is_original);
  }
  said.place = "Germany/Hessen/Frankfurt\uFF0FMain/R\u00f6mer";
  EXPECT_EQ(decode_text(xmp_sidecar(said)).place,
            (PlaceNames{"Germany", "Hessen", "Frankfurt/Main", "R\u00f6mer"}));
  said.place = "43.467448, -11.885126";
  const MediaInfo read = decode_text(xmp_sidecar(said));
  ASSERT_TRUE(read.latitude && read.longitude);
  EXPECT_NEAR(*read.latitude, 43.467448, 1e-9);
  EXPECT_NEAR(*read.longitude, -11.885126, 1e-9);
}

TEST_F(SidecarTest, APlaceThatTheExtensionTellsCountsWhereTheCoreTellsNone) {
  const std::string created =
      "<Iptc4xmpExt:LocationCreated><rdf:Bag><rdf:li rdf:parseType='Resource'>"
      "<Iptc4xmpExt:City>Arezzo</Iptc4xmpExt:City><Iptc4xmpExt:CountryName>Italy</Iptc4xmpExt:CountryName>"
      "</rdf:li><rdf:li "
      "rdf:parseType='Resource'><Iptc4xmpExt:ProvinceState>Elsewhere</Iptc4xmpExt:ProvinceState>"
      "</rdf:li></rdf:Bag></Iptc4xmpExt:LocationCreated>";
  EXPECT_EQ(decode_text(packet(created)).place, (PlaceNames{.country = "Italy", .city = "Arezzo"}));
  const std::string core =
      "<ps:State xmlns:ps='http://ns.adobe.com/photoshop/1.0/'>Lazio</ps:State>" + created;
  EXPECT_EQ(decode_text(packet(core)).place, (PlaceNames{.state = "Lazio"}));
}

TEST_F(SidecarTest, ADateTellsWhetherItMeansCapture) {
  const MediaInfo original =
      decode_text(packet("<exif:DateTimeOriginal>2019-03-04T05:06:07</exif:DateTimeOriginal>"));
  EXPECT_TRUE(original.date && original.date_is_original);
  const MediaInfo created = decode_text(packet("<xmp:CreateDate>2019-03-04T05:06:07</xmp:CreateDate>"));
  EXPECT_TRUE(created.date && !created.date_is_original);
}

TEST_F(SidecarTest, NoFileOrAddressThatItNamesIsRead) {
  const std::string secret = folder_ + "/secret";
  ASSERT_TRUE(write_file_atomically(secret, "SECRET").is_ok());
  for (const std::string& target : {"file://" + secret, secret, std::string("http://127.0.0.1:9/x")}) {
    const std::string doctype = "<!DOCTYPE r [<!ENTITY x SYSTEM '" + target + "'>]>";
    for (const std::string& name : decode_text(packet(person("&x;"), doctype)).people)
      EXPECT_EQ(name.find("SECRET"), std::string::npos) << target;
  }
  const MediaInfo after = decode_text(packet(person("Anna")));
  EXPECT_EQ(after.people, std::vector<std::string>{"Anna"});
}

TEST_F(SidecarTest, EntitiesThatGrowWithoutEndAndHugeFilesSayNothing) {
  std::string doctype = "<!DOCTYPE r [<!ENTITY e0 'lollollollol'>";
  for (int i = 1; i < 12; ++i) {
    doctype += fmt::format("<!ENTITY e{} '", i);
    for (int k = 0; k < 10; ++k) doctype += fmt::format("&e{};", i - 1);
    doctype += "'>";
  }
  EXPECT_TRUE(decode_text(packet(person("&e11;"), doctype + "]>")).people.empty());
  EXPECT_TRUE(decode_text(packet(person("Anna"), "<!--" + std::string(5 << 20, 'x') + "-->")).people.empty());
  std::string deep;
  for (int i = 0; i < 200000; ++i) deep += "<a>";
  const std::string path = folder_ + "/deep.xmp";
  ASSERT_TRUE(write_file_atomically(path, deep).is_ok());
  const Result<UniqueFd> fd = open_file(path, O_RDONLY);
  ASSERT_TRUE(fd.is_ok());
  const auto media = pool_.decode(fd->get(), "deep.xmp");
  if (!media.is_ok()) EXPECT_EQ(media.code(), Code::kDataLoss);  // the child may die of it, the parent not
  EXPECT_EQ(decode_text(packet(person("Anna"))).people, std::vector<std::string>{"Anna"});
}

}  // namespace
}  // namespace shoebox
