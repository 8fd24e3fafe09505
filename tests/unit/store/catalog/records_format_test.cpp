// The bytes of every kind of record, as libraries on people's disks have them. A change here is a change of
// the format: it needs a version (FORMAT.md), never another literal.
#include <gtest/gtest.h>

#include "store/base/hash.h"
#include "store/catalog/records.h"

namespace shoebox {
namespace {

ContentHash counting_hash() {
  ContentHash hash;
  for (size_t i = 0; i < hash.bytes.size(); ++i) hash.bytes[i] = static_cast<uint8_t>(i);
  return hash;
}

MediaInfo full_media() {
  MediaInfo m;
  m.kind = MediaKind::kVideo;
  m.mime = "video/mp4";
  m.date = LocalDate{2023, 7, 14, 10, 11, -1};
  m.utc_offset_minutes = -90;
  m.people = {"Anna", "Ben"};
  m.tags = {"beach"};
  m.latitude = -41.25;
  m.longitude = 12.5;
  m.make = "Canon";
  m.model = "R5";
  m.width = 6000;
  m.height = 4000;
  m.orientation = 8;
  m.duration_s = 1.5;
  m.rating = -1;
  m.date_is_original = true;
  m.caption = "sea";
  m.place = {"Italy", "", "Rome", ""};
  return m;
}

template <typename Record, typename Decode>
void expect_format(const Record& record, const std::string& wanted, Decode decode) {
  const std::string bytes = encode(record);
  EXPECT_EQ(hex(bytes), wanted);
  const auto back = decode(bytes);
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(hex(encode(*back)), wanted);
}

TEST(RecordsFormat, OfNames) {
  InodeRecord inode;
  inode.mode = 0100644;
  inode.uid = 1000;
  inode.gid = 4294967295U;
  inode.rdev = 1ULL << 63;
  inode.nlink = 3;
  inode.size = 1ULL << 40;
  inode.atime = {-1, 999'999'999};
  inode.mtime = {4'000'000'000, 1};
  inode.ctime = {1, 2};
  inode.btime = {3, 4};
  inode.content = ContentNo(5);
  inode.photo = PhotoId(600);
  inode.mtime_was_set = true;
  inode.view = ViewId::kPeople;
  inode.parent = InodeNo(7);
  inode.view_value = "Anna";
  inode.symlink_target = "../x";
  expect_format(inode,
                "01a48302e807ffffffff0f808080808080808080010380808080802001ff93ebdc0380a0d9e61d010202060405"
                "d80401040704416e6e61042e2e2f78",
                decode_inode);
  expect_format(DentryRecord{InodeNo(300), 0100000, NameKind::kGenerated}, "01ac0280800202", decode_dentry);
  expect_format(TrashRecord{InodeNo(2),
                            "Library/x",
                            5,
                            1000,
                            PhotoId(9),
                            {{InodeNo(4), "x"}, {InodeNo(5), "y"}},
                            {{ViewId::kAlbums, "Trip"}}},
                "0102094c6962726172792f780ae807090204017805017901030454726970", decode_trash);
  TrashRecord with_sidecars{InodeNo(2), "Library/x", 5, 1000, PhotoId(9), {}, {}};
  with_sidecars.sidecars = {InodeNo(6), InodeNo(300)};
  expect_format(with_sidecars, "0202094c6962726172792f780ae8070900000206ac02", decode_trash);
  expect_format(VersionRecord{ContentNo(8), -7, "x.jpg"}, "01080d05782e6a7067", decode_version);
}

TEST(RecordsFormat, OfPhotos) {
  expect_format(full_media(),
                "030209766964656f2f6d703401ce1f070e0a0bff01b3010204416e6e610342656e0105626561636801c044a000"
                "000000000140290000000000000543616e6f6e025235f02ea01f083ff8000000000000ff010373656105497461"
                "6c790004526f6d6500",
                decode_media_info);
  PhotoRecord photo;
  photo.content = ContentNo(77);
  photo.info = full_media();
  photo.date_source = DateSource::kMtime;
  photo.date = LocalDate{1899, 12, 31};
  photo.stated_date = LocalDate{2020, 2};
  photo.statements[{ViewId::kAlbums, "Trip/Day 1"}] = Statement::kAsserted;
  photo.statements[{ViewId::kPeople, "Anna"}] = Statement::kDenied;
  photo.homed = true;
  photo.original_name = "IMG_1.jpg";
  photo.file_info = MediaInfo{.kind = MediaKind::kPhoto, .mime = "image/jpeg"};
  photo.sidecars[ContentNo(78)] = MediaInfo{.kind = MediaKind::kOther, .people = {"Ben"}, .rating = 5};
  photo.sidecars[ContentNo(79)];
  photo.stated_place = "Rome";
  expect_format(photo,
                "034d0209766964656f2f6d703401ce1f070e0a0bff01b3010204416e6e610342656e0105626561636801c044a0"
                "00000000000140290000000000000543616e6f6e025235f02ea01f083ff8000000000000ff0103736561054974"
                "616c790004526f6d65000301d61d0c1fffffff01c81f0200ffffff02030a547269702f4461792031010404416e"
                "6e61020109494d475f312e6a706701010a696d6167652f6a706567000000000000000000000100000000000000"
                "00ff000000000000024e03000000010342656e00000000000000010000000000000000050000000000004f0000"
                "00000000000000000000010000000000000000ff0000000000000104526f6d65",
                decode_photo);
  expect_format(PhotoRecord(),
                "0300000000000000000000000000010000000000000000ff000000000000000000000000000000",
                decode_photo);
}

TEST(RecordsFormat, OfContentsAndWhatRemotesHold) {
  ContentRecord content;
  content.state = ContentState::kSealed;
  content.residence = Residence::kPartial;
  content.size = 4'000'000;
  content.sha256 = counting_hash();
  content.references = 2;
  content.pinned = true;
  content.decoder_crashes = 1;
  content.last_access_s = 1'700'000'000;
  content.changed_s = -1;
  content.disk_bytes = 4096;
  expect_format(content,
                "0202028092f401000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f02010180c49f"
                "d50c018020",
                decode_content);
  content.state = ContentState::kAdopted;
  expect_format(content,
                "0303028092f401000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f02010180c49f"
                "d50c018020",
                decode_content);

  expect_format(RemoteCopy{"a.jpg", "etag", 9, 10, ""}, "0105612e6a706704657461670914", decode_remote_copy);
  expect_format(RemoteCopy{"a.jpg", "etag", 9, 10, "Library/a.jpg"},
                "0205612e6a7067046574616709140d4c6962726172792f612e6a7067", decode_remote_copy);
  expect_format(UploadJob{ContentNo(3), "nas", 4, 1'700'000'000, "no route", std::string("a\0b", 3)},
                "0103036e61730480c49fd50c086e6f20726f75746503610062", decode_upload_job);
  UploadJob damaged{ContentNo(3), "nas", 4, 1'700'000'000, "no route", std::string("a\0b", 3)};
  damaged.damaged = true;
  expect_format(damaged, "0203036e61730480c49fd50c086e6f20726f7574650361006201", decode_upload_job);
  expect_format(TidyRecord{4, 1'700'000'000, true, "no route"}, "010480c49fd50c01086e6f20726f757465",
                decode_tidy);
  LooseObject loose{ContentNo(3), "etag", 1234, counting_hash(), 2, 1'700'000'000, "no route", false};
  expect_format(loose,
                "01030465746167d209000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0280c49f"
                "d50c086e6f20726f757465",
                decode_loose);
  loose.keep = true;
  expect_format(loose,
                "02030465746167d209000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0280c49f"
                "d50c086e6f20726f75746501",
                decode_loose);
  expect_format(SidecarObject{"a.jpg.xmp", "etag", 1234, counting_hash()},
                "0109612e6a70672e786d700465746167d209000102030405060708090a0b0c0d0e0f101112131415161718191a"
                "1b1c1d1e1f",
                decode_sidecar);
}

}  // namespace
}  // namespace shoebox
