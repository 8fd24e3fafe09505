// Records of the catalog, as a backup on a remote brings them. The first byte says which kind.
#include "store/catalog/records.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

template <typename Decode>
void check(std::string_view bytes, Decode decode) {
  const auto record = decode(bytes);
  if (!record) {
    refused_well(record.status(), {Code::kDataLoss, Code::kIncompatible});
    return;
  }
  const std::string again = encode(*record);
  const auto back = decode(again);
  holds(back.is_ok() && encode(*back) == again, "what was read is written and read alike");
}

std::vector<std::string> seeds() {
  PhotoRecord photo;
  photo.info.kind = MediaKind::kPhoto;
  photo.info.date = LocalDate{2023, 7, 14, 10, 11, 12};
  photo.info.people = {"Anna"};
  photo.info.latitude = photo.info.longitude = 1.5;
  photo.statements[{ViewId::kAlbums, "Trip"}] = Statement::kAsserted;
  photo.file_info = photo.info;
  photo.sidecars[ContentNo(78)] = photo.info;
  InodeRecord inode;
  inode.symlink_target = "x";
  ContentRecord adopted;
  adopted.state = ContentState::kAdopted;
  const TrashRecord trash{
      InodeNo(2), "Library/x", 5, 1000, PhotoId(9), {{InodeNo(4), "x"}}, {{ViewId::kAlbums, "Trip"}}};
  const std::string records[] = {encode(inode),
                                 encode(DentryRecord{InodeNo(5), 0100000, NameKind::kGiven}),
                                 encode(adopted),
                                 encode(photo),
                                 encode(RemoteCopy{"a.jpg", "etag", 1, 2, "Library/a.jpg"}),
                                 encode(UploadJob{ContentNo(3), "nas", 4, 5, "why", "parts"}),
                                 encode(TidyRecord{1, 2, true, "why"}),
                                 encode(LooseObject{ContentNo(3), "etag", 1, {}, 2, 3, "why", true}),
                                 encode(SidecarObject{"a.xmp", "etag", 5, {}}),
                                 encode(trash),
                                 encode(VersionRecord{ContentNo(8), 7, "x.jpg"}),
                                 encode(photo.info)};
  std::vector<std::string> inputs;
  for (const std::string& record : records) {
    inputs.push_back(static_cast<char>('a' + inputs.size()) + record);
  }
  return inputs;
}

void run(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::string_view record = bytes.substr(1);
  switch (bytes[0]) {
    case 'a': check(record, decode_inode); break;
    case 'b': check(record, decode_dentry); break;
    case 'c': check(record, decode_content); break;
    case 'd': check(record, decode_photo); break;
    case 'e': check(record, decode_remote_copy); break;
    case 'f': check(record, decode_upload_job); break;
    case 'g': check(record, decode_tidy); break;
    case 'h': check(record, decode_loose); break;
    case 'i': check(record, decode_sidecar); break;
    case 'j': check(record, decode_trash); break;
    case 'k': check(record, decode_version); break;
    default: check(record, decode_media_info); break;
  }
}

}  // namespace

const Target kCatalogRecord{"catalog_record", seeds, run};

}  // namespace shoebox::fuzz
