#include "store/catalog/records.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

PhotoRecord full_photo() {
  PhotoRecord photo;
  photo.content = ContentNo(77);
  photo.info.kind = MediaKind::kPhoto;
  photo.info.mime = "image/jpeg";
  photo.info.date = LocalDate{2023, 7, 14, 10, 11, 12};
  photo.info.utc_offset_minutes = -90;
  photo.info.people = {"Anna", "Зоя"};
  photo.info.tags = {"beach"};
  photo.info.latitude = -41.25;
  photo.info.longitude = 12.5;
  photo.info.make = "Canon";
  photo.info.width = 6000;
  photo.info.orientation = 8;
  photo.info.rating = -1;
  photo.date_source = DateSource::kMtime;
  photo.date = LocalDate{1899, 12, 31};
  photo.stated_date = LocalDate{2020, 2};
  photo.statements[{ViewId::kAlbums, "Trip/Day 1"}] = Statement::kAsserted;
  photo.statements[{ViewId::kPeople, "Anna"}] = Statement::kDenied;
  photo.homed = true;
  photo.original_name = "IMG_1.jpg";
  photo.info.caption = "at the sea";
  photo.info.place = {"Italy", "Toscana", "Arezzo", "Duomo"};
  photo.stated_place = "Italy/Rome";
  photo.file_info = photo.info;
  photo.file_info->caption.clear();
  photo.sidecars[ContentNo(78)] = MediaInfo{.kind = MediaKind::kOther, .people = {"Ben"}, .rating = 5};
  photo.sidecars[ContentNo(79)];
  return photo;
}

TEST(Records, ASidecarObjectComesBack) {
  SidecarObject object{"Library/a.jpg.xmp", "etag", 1234, {}};
  object.sha256.bytes[3] = 7;
  const auto read = decode_sidecar(encode(object));
  ASSERT_TRUE(read) << read.status().message();
  EXPECT_EQ(read->key, object.key);
  EXPECT_EQ(read->etag, object.etag);
  EXPECT_EQ(read->size, object.size);
  EXPECT_EQ(read->sha256, object.sha256);
  EXPECT_EQ(decode_sidecar(encode(object) + "x").code(), Code::kDataLoss);
}

TEST(Records, AnInodeComesBackAsItWas) {
  InodeRecord inode;
  inode.mode = 0100644;
  inode.uid = 4294967295U;
  inode.rdev = 1ULL << 63;
  inode.nlink = 3;
  inode.size = 1ULL << 40;
  inode.atime = {-1, 999'999'999};
  inode.mtime = {4'000'000'000, 1};
  inode.content = ContentNo(5);
  inode.photo = PhotoId(6);
  inode.mtime_was_set = true;
  inode.view = ViewId::kPeople;
  inode.parent = InodeNo(7);
  inode.view_value = "Anna";
  inode.symlink_target = "../x";
  const auto back = decode_inode(encode(inode));
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(encode(*back), encode(inode));
  EXPECT_EQ(back->atime, inode.atime);
  EXPECT_EQ(back->rdev, inode.rdev);
  EXPECT_EQ(back->view, ViewId::kPeople);
}

TEST(Records, AContentOfTheFirstVersionIsReadWithoutWhatItDidNotTell) {
  ContentRecord content;
  content.state = ContentState::kSealed;
  content.size = 300;
  content.references = 2;
  content.changed_s = 1'700'000'000;
  content.disk_bytes = 4096;
  std::string bytes = encode(content);
  ASSERT_EQ(bytes[0], 2);
  EXPECT_EQ(decode_content(bytes)->disk_bytes, 4096U);
  // Version 1 ended before it, a number of two bytes.
  bytes[0] = 1;
  bytes.resize(bytes.size() - 2);
  const auto old = decode_content(bytes);
  ASSERT_TRUE(old) << old.status().message();
  EXPECT_EQ(old->changed_s, content.changed_s);
  EXPECT_EQ(old->disk_bytes, 0U);
}

TEST(Records, APhotoComesBackAsItWas) {
  const PhotoRecord photo = full_photo();
  const auto back = decode_photo(encode(photo));
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(back->info.people, photo.info.people);
  EXPECT_EQ(back->info.date, photo.info.date);
  EXPECT_EQ(back->info.utc_offset_minutes, photo.info.utc_offset_minutes);
  EXPECT_EQ(back->info.latitude, photo.info.latitude);
  EXPECT_EQ(back->info.rating, -1);
  EXPECT_EQ(back->stated_date, photo.stated_date);
  EXPECT_EQ(back->statements, photo.statements);
  EXPECT_EQ(back->info.place, photo.info.place);
  EXPECT_EQ(back->stated_place, photo.stated_place);
  EXPECT_EQ(encode(*back), encode(photo));
}

TEST(Records, APhotoOfTheSecondVersionIsRead) {
  PhotoRecord photo;
  photo.content = ContentNo(7);
  photo.info.caption = "at the sea";
  photo.original_name = "a.jpg";
  std::string bytes = encode(photo);
  ASSERT_EQ(bytes[0], 3);
  // Version 2 had neither the four names after the caption nor a place that was stated.
  bytes[0] = 2;
  bytes.erase(bytes.find("at the sea") + 10, 4);
  bytes.pop_back();
  const auto old = decode_photo(bytes);
  ASSERT_TRUE(old) << old.status().message();
  EXPECT_EQ(old->info.caption, "at the sea");
  EXPECT_TRUE(old->info.place.empty());
  EXPECT_FALSE(old->stated_place);
  EXPECT_EQ(encode(*old), encode(photo));
}

TEST(Records, APhotoOfTheFirstVersionIsRead) {
  // PhotoRecord{content 7, no info, homed, "a.jpg"} as version 1 wrote it.
  const std::string first(
      "\x01\x07"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
      "\x00\x00\x00\x00\x00\x00\x00\x00\xff"
      "\x00\x00\x00\x00\x01\x05"
      "a.jpg",
      35);
  const auto photo = decode_photo(first);
  ASSERT_TRUE(photo) << photo.status().message();
  EXPECT_EQ(photo->content, ContentNo(7));
  EXPECT_EQ(photo->original_name, "a.jpg");
  EXPECT_EQ(photo->info.rating, -1);
  EXPECT_TRUE(photo->homed);
  EXPECT_TRUE(photo->sidecars.empty());
}

TEST(Records, JobsCopiesTrashAndVersionsComeBackAsTheyWere) {
  UploadJob job{ContentNo(3), "nas", 4, 1'700'000'000, "no route", std::string("a\0b", 3)};
  EXPECT_EQ(encode(*decode_upload_job(encode(job))), encode(job));
  RemoteCopy copy{"Library/x.jpg", "\"etag\"", 9, 10};
  EXPECT_EQ(encode(*decode_remote_copy(encode(copy))), encode(copy));
  TrashRecord trash{
      InodeNo(2), "Library/x", 5, 1000, PhotoId(9), {{InodeNo(4), "x"}}, {{ViewId::kAlbums, "Trip"}}};
  EXPECT_EQ(encode(*decode_trash(encode(trash))), encode(trash));
  VersionRecord version{ContentNo(8), 7, "x.jpg"};
  EXPECT_EQ(encode(*decode_version(encode(version))), encode(version));
  ContentRecord content;
  content.state = ContentState::kSealed;
  content.residence = Residence::kPartial;
  content.sha256.bytes.fill(0xab);
  content.references = 2;
  EXPECT_EQ(encode(*decode_content(encode(content))), encode(content));
}

TEST(Records, EveryTruncationIsDataLossAndNothingWorse) {
  const std::string bytes = encode(full_photo());
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto cut = decode_photo(std::string_view(bytes).substr(0, length));
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.code(), Code::kDataLoss);
  }
  EXPECT_EQ(decode_photo(bytes + "x").code(), Code::kDataLoss);
}

TEST(Records, FlippedBytesNeverCrashTheDecoder) {
  const std::string bytes = encode(full_photo());
  for (size_t at = 1; at < bytes.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ flip);
      (void)decode_photo(flipped).is_ok();
    }
  }
}

TEST(Records, ANewerVersionIsIncompatible) {
  ContentRecord newest;
  newest.state = ContentState::kAdopted;
  std::string bytes = encode(newest);
  ++bytes[0];
  EXPECT_EQ(decode_content(bytes).code(), Code::kIncompatible);
}

TEST(Records, WhatWasAdoptedHasVersionsOfItsOwnAndTheRestIsWrittenAsBefore) {
  ContentRecord content;
  content.state = ContentState::kAdopted;
  content.residence = Residence::kPartial;
  content.size = 4'000'000;
  content.references = 1;
  content.disk_bytes = 7;
  std::string bytes = encode(content);
  EXPECT_EQ(bytes[0], 3);
  const auto back = decode_content(bytes);
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(back->state, ContentState::kAdopted);
  EXPECT_EQ(encode(*back), bytes);
  bytes[0] = 2;
  EXPECT_EQ(decode_content(bytes).code(), Code::kDataLoss) << "no earlier program wrote that state";
  content.state = ContentState::kSealed;
  EXPECT_EQ(encode(content)[0], 2);

  RemoteCopy copy{"2019/a.jpg", "etag", 5, 6, "Library/2019/a.jpg"};
  EXPECT_EQ(encode(copy)[0], 2);
  EXPECT_EQ(decode_remote_copy(encode(copy))->adopted_path, "Library/2019/a.jpg");
  copy.adopted_path.clear();
  EXPECT_EQ(encode(copy)[0], 1);
  EXPECT_EQ(decode_remote_copy(encode(copy))->key, "2019/a.jpg");

  LooseObject object;
  object.etag = "etag";
  EXPECT_EQ(encode(object)[0], 1);
  EXPECT_FALSE(decode_loose(encode(object))->keep);
  object.keep = true;
  EXPECT_EQ(encode(object)[0], 2);
  EXPECT_TRUE(decode_loose(encode(object))->keep);
}

}  // namespace
}  // namespace shoebox
