#include "store/catalog/records.h"

#include "store/catalog/record_coding.h"

// Encoding: version byte (1; 2 for content records, 3 for photo records and media descriptions; one more for
// what was adopted), then the fields in the order of the struct. Numbers are varints (signed ones zigzag),
// flags one byte, optional fields a flag byte first, lists a count first.

namespace shoebox {

using namespace record_coding;

namespace {

// Of the records with a MediaInfo in them; 2: caption, sidecars; 3: places.
constexpr uint8_t kMediaVersion = 3;
constexpr uint8_t kContentVersion = 2;  // of content records; 2: disk_bytes
// What was adopted, and nothing else, is written in these, so that programs which cannot know it refuse it.
constexpr uint8_t kAdoptedContentVersion = 3;
constexpr uint8_t kAdoptedCopyVersion = 2;
constexpr uint8_t kKeptObjectVersion = 2;

void put_media(std::string& out, const MediaInfo& m) {
  put_u8(out, static_cast<uint8_t>(m.kind));
  put_string(out, m.mime);
  put_optional(out, m.date, [&](const LocalDate& d) { put_date(out, d); });
  put_optional(out, m.utc_offset_minutes, [&](int16_t v) { put_svarint(out, v); });
  put_strings(out, m.people);
  put_strings(out, m.tags);
  put_optional(out, m.latitude, [&](double v) { put_double(out, v); });
  put_optional(out, m.longitude, [&](double v) { put_double(out, v); });
  put_string(out, m.make);
  put_string(out, m.model);
  put_varint(out, m.width);
  put_varint(out, m.height);
  put_u8(out, m.orientation);
  put_double(out, m.duration_s);
  put_u8(out, static_cast<uint8_t>(m.rating));
  put_u8(out, m.date_is_original ? 1 : 0);
  put_string(out, m.caption);
  for (const std::string* level : {&m.place.country, &m.place.state, &m.place.city, &m.place.location})
    put_string(out, *level);
}

void fill_media(Reader& r, MediaInfo& m) {
  m.kind = r.enumeration(MediaKind::kUnknown, MediaKind::kUndecodable);
  m.mime = r.string();
  if (r.flag()) m.date = r.date();
  if (r.flag()) m.utc_offset_minutes = r.signed_number<int16_t>();
  m.people = r.strings();
  m.tags = r.strings();
  if (r.flag()) m.latitude = r.in.f64();
  if (r.flag()) m.longitude = r.in.f64();
  m.make = r.string();
  m.model = r.string();
  m.width = r.number<uint32_t>();
  m.height = r.number<uint32_t>();
  m.orientation = r.in.u8();
  m.duration_s = r.in.f64();
  m.rating = static_cast<int8_t>(r.in.u8());
  if (r.version < 2) return;
  m.date_is_original = r.flag();
  m.caption = r.string();
  if (r.version < 3) return;
  for (std::string* level : {&m.place.country, &m.place.state, &m.place.city, &m.place.location})
    *level = r.string();
}

}  // namespace

std::string encode(const InodeRecord& i) {
  std::string out = start();
  out.reserve(96);
  put_varint(out, i.mode);
  put_varint(out, i.uid);
  put_varint(out, i.gid);
  put_varint(out, i.rdev);
  put_varint(out, i.nlink);
  put_varint(out, i.size);
  for (const Timestamp& t : {i.atime, i.mtime, i.ctime, i.btime}) put_time(out, t);
  put_varint(out, i.content.value);
  put_varint(out, i.photo.value);
  put_u8(out, i.mtime_was_set ? 1 : 0);
  put_u8(out, static_cast<uint8_t>(i.view));
  put_varint(out, i.parent.value);
  put_string(out, i.view_value);
  put_string(out, i.symlink_target);
  return out;
}

Result<InodeRecord> decode_inode(std::string_view bytes) {
  return parse<InodeRecord>(bytes, "file", [](Reader& r, InodeRecord& i) {
    i.mode = r.number<uint32_t>();
    i.uid = r.number<uint32_t>();
    i.gid = r.number<uint32_t>();
    i.rdev = r.in.varint();
    i.nlink = r.number<uint32_t>();
    i.size = r.in.varint();
    for (Timestamp* t : {&i.atime, &i.mtime, &i.ctime, &i.btime}) *t = r.time();
    i.content = ContentNo(r.in.varint());
    i.photo = PhotoId(r.in.varint());
    i.mtime_was_set = r.flag();
    i.view = r.view();
    i.parent = InodeNo(r.in.varint());
    i.view_value = r.string();
    i.symlink_target = r.string();
  });
}

std::string encode(const DentryRecord& d) {
  std::string out = start();
  put_varint(out, d.inode.value);
  put_varint(out, d.type);
  put_u8(out, static_cast<uint8_t>(d.kind));
  return out;
}

Result<DentryRecord> decode_dentry(std::string_view bytes) {
  return parse<DentryRecord>(bytes, "name", [](Reader& r, DentryRecord& d) {
    d.inode = InodeNo(r.in.varint());
    d.type = r.number<uint32_t>();
    d.kind = r.enumeration(NameKind::kGiven, NameKind::kGenerated);
  });
}

std::string encode(const ContentRecord& c) {
  std::string out = start(c.state == ContentState::kAdopted ? kAdoptedContentVersion : kContentVersion);
  put_u8(out, static_cast<uint8_t>(c.state));
  put_u8(out, static_cast<uint8_t>(c.residence));
  put_varint(out, c.size);
  out.append(c.sha256.view());
  put_varint(out, c.references);
  put_u8(out, c.pinned ? 1 : 0);
  put_u8(out, c.decoder_crashes);
  put_svarint(out, c.last_access_s);
  put_svarint(out, c.changed_s);
  put_varint(out, c.disk_bytes);
  return out;
}

Result<ContentRecord> decode_content(std::string_view bytes) {
  const auto fill = [](Reader& r, ContentRecord& c) {
    const bool may_be_adopted = r.version >= kAdoptedContentVersion;
    c.state = r.enumeration(ContentState::kStaging,
                            may_be_adopted ? ContentState::kAdopted : ContentState::kSealed);
    c.residence = r.enumeration(Residence::kLocal, Residence::kPartial);
    c.size = r.in.varint();
    c.sha256 = r.hash();
    c.references = r.number<uint32_t>();
    c.pinned = r.flag();
    c.decoder_crashes = r.in.u8();
    c.last_access_s = r.in.svarint();
    c.changed_s = r.in.svarint();
    if (r.version >= 2) c.disk_bytes = r.in.varint();
  };
  return parse<ContentRecord>(bytes, "content", fill, kAdoptedContentVersion);
}

std::string encode(const PhotoRecord& p) {
  std::string out = start(kMediaVersion);
  put_varint(out, p.content.value);
  put_media(out, p.info);
  put_u8(out, static_cast<uint8_t>(p.date_source));
  put_optional(out, p.date, [&](const LocalDate& d) { put_date(out, d); });
  put_optional(out, p.stated_date, [&](const LocalDate& d) { put_date(out, d); });
  put_varint(out, p.statements.size());
  for (const auto& [value, statement] : p.statements) {
    put_u8(out, static_cast<uint8_t>(value.view));
    put_string(out, value.value);
    put_u8(out, static_cast<uint8_t>(statement));
  }
  put_u8(out, p.homed ? 1 : 0);
  put_string(out, p.original_name);
  put_optional(out, p.file_info, [&](const MediaInfo& info) { put_media(out, info); });
  put_varint(out, p.sidecars.size());
  for (const auto& [content, info] : p.sidecars) {
    put_varint(out, content.value);
    put_media(out, info);
  }
  put_optional(out, p.stated_place, [&](const std::string& place) { put_string(out, place); });
  return out;
}

Result<PhotoRecord> decode_photo(std::string_view bytes) {
  const auto fill = [](Reader& r, PhotoRecord& p) {
    p.content = ContentNo(r.in.varint());
    fill_media(r, p.info);
    p.date_source = r.enumeration(DateSource::kNone, DateSource::kMtime);
    if (r.flag()) p.date = r.date();
    if (r.flag()) p.stated_date = r.date();
    for (size_t n = r.count(); n > 0 && r.in.ok() && r.sane; --n) {
      ViewValue value;
      value.view = r.view();
      value.value = r.string();
      p.statements[std::move(value)] = r.enumeration(Statement::kAsserted, Statement::kDenied);
    }
    p.homed = r.flag();
    p.original_name = r.string();
    if (r.version < 2) return;
    if (r.flag()) fill_media(r, p.file_info.emplace());
    for (size_t n = r.count(); n > 0 && r.in.ok() && r.sane; --n) {
      const ContentNo sidecar(r.in.varint());
      fill_media(r, p.sidecars[sidecar]);
    }
    if (r.version < 3) return;
    if (r.flag()) p.stated_place = r.string();
  };
  return parse<PhotoRecord>(bytes, "photo", fill, kMediaVersion);
}

std::string encode(const RemoteCopy& c) {
  const bool adopted = !c.adopted_path.empty();
  std::string out = start(adopted ? kAdoptedCopyVersion : kVersion);
  put_string(out, c.key);
  put_string(out, c.etag);
  put_varint(out, c.size);
  put_svarint(out, c.confirmed_s);
  if (adopted) put_string(out, c.adopted_path);
  return out;
}

Result<RemoteCopy> decode_remote_copy(std::string_view bytes) {
  const auto fill = [](Reader& r, RemoteCopy& c) {
    c.key = r.string();
    c.etag = r.string();
    c.size = r.in.varint();
    c.confirmed_s = r.in.svarint();
    if (r.version >= kAdoptedCopyVersion) c.adopted_path = r.string();
  };
  return parse<RemoteCopy>(bytes, "remote copy", fill, kAdoptedCopyVersion);
}

std::string encode(const UploadJob& j) {
  std::string out = start();
  put_varint(out, j.content.value);
  put_string(out, j.remote);
  put_varint(out, j.attempts);
  put_svarint(out, j.not_before_s);
  put_string(out, j.last_error);
  put_string(out, j.progress);
  return out;
}

Result<UploadJob> decode_upload_job(std::string_view bytes) {
  return parse<UploadJob>(bytes, "queued upload", [](Reader& r, UploadJob& j) {
    j.content = ContentNo(r.in.varint());
    j.remote = r.string();
    j.attempts = r.number<uint32_t>();
    j.not_before_s = r.in.svarint();
    j.last_error = r.string();
    j.progress = r.string();
  });
}

std::string encode(const TidyRecord& t) {
  std::string out = start();
  put_varint(out, t.attempts);
  put_svarint(out, t.not_before_s);
  put_u8(out, t.beside ? 1 : 0);
  put_string(out, t.last_error);
  return out;
}

Result<TidyRecord> decode_tidy(std::string_view bytes) {
  return parse<TidyRecord>(bytes, "key to be tidied", [](Reader& r, TidyRecord& t) {
    t.attempts = r.number<uint32_t>();
    t.not_before_s = r.in.svarint();
    t.beside = r.flag();
    t.last_error = r.string();
  });
}

std::string encode(const LooseObject& o) {
  std::string out = start(o.keep ? kKeptObjectVersion : kVersion);
  put_varint(out, o.maker.value);
  put_string(out, o.etag);
  put_varint(out, o.size);
  out.append(o.sha256.view());
  put_varint(out, o.attempts);
  put_svarint(out, o.not_before_s);
  put_string(out, o.last_error);
  if (o.keep) put_u8(out, 1);
  return out;
}

Result<LooseObject> decode_loose(std::string_view bytes) {
  const auto fill = [](Reader& r, LooseObject& o) {
    o.maker = ContentNo(r.in.varint());
    o.etag = r.string();
    o.size = r.in.varint();
    o.sha256 = r.hash();
    o.attempts = r.number<uint32_t>();
    o.not_before_s = r.in.svarint();
    o.last_error = r.string();
    if (r.version >= kKeptObjectVersion) o.keep = r.flag();
  };
  return parse<LooseObject>(bytes, "loose object", fill, kKeptObjectVersion);
}

std::string encode(const SidecarObject& s) {
  std::string out = start();
  put_string(out, s.key);
  put_string(out, s.etag);
  put_varint(out, s.size);
  out.append(s.sha256.view());
  return out;
}

Result<SidecarObject> decode_sidecar(std::string_view bytes) {
  return parse<SidecarObject>(bytes, "sidecar on a remote", [](Reader& r, SidecarObject& s) {
    s.key = r.string();
    s.etag = r.string();
    s.size = r.in.varint();
    s.sha256 = r.hash();
  });
}

std::string encode(const TrashRecord& t) {
  std::string out = start();
  put_varint(out, t.directory.value);
  put_string(out, t.path);
  put_svarint(out, t.trashed_s);
  put_varint(out, t.uid);
  put_varint(out, t.photo.value);
  put_varint(out, t.names.size());
  for (const NameOf& n : t.names) {
    put_varint(out, n.directory.value);
    put_string(out, n.name);
  }
  put_varint(out, t.statements.size());
  for (const ViewValue& v : t.statements) {
    put_u8(out, static_cast<uint8_t>(v.view));
    put_string(out, v.value);
  }
  return out;
}

Result<TrashRecord> decode_trash(std::string_view bytes) {
  return parse<TrashRecord>(bytes, "trashed file", [](Reader& r, TrashRecord& t) {
    t.directory = InodeNo(r.in.varint());
    t.path = r.string();
    t.trashed_s = r.in.svarint();
    t.uid = r.number<uint32_t>();
    t.photo = PhotoId(r.in.varint());
    t.names.resize(r.count());
    for (NameOf& n : t.names) {
      n.directory = InodeNo(r.in.varint());
      n.name = r.string();
    }
    t.statements.resize(r.count());
    for (ViewValue& v : t.statements) {
      v.view = r.view();
      v.value = r.string();
    }
  });
}

std::string encode(const VersionRecord& v) {
  std::string out = start();
  put_varint(out, v.content.value);
  put_svarint(out, v.replaced_s);
  put_string(out, v.name);
  return out;
}

Result<VersionRecord> decode_version(std::string_view bytes) {
  return parse<VersionRecord>(bytes, "version", [](Reader& r, VersionRecord& v) {
    v.content = ContentNo(r.in.varint());
    v.replaced_s = r.in.svarint();
    v.name = r.string();
  });
}

std::string encode(const MediaInfo& m) {
  std::string out = start(kMediaVersion);
  put_media(out, m);
  return out;
}

Result<MediaInfo> decode_media_info(std::string_view bytes) {
  return parse<MediaInfo>(
      bytes, "media description", [](Reader& r, MediaInfo& m) { fill_media(r, m); }, kMediaVersion);
}

}  // namespace shoebox
