// The records of bytes: contents, their copies on remotes, and what is still to be done there.
#include "store/catalog/record_fields.h"

namespace shoebox {
namespace {

using records::kFirstVersion;

constexpr uint8_t kContentVersion = 2;  // 2: disk_bytes
// What was adopted, and nothing else, is written in these, so that programs which cannot know it refuse it.
constexpr uint8_t kAdoptedContentVersion = 3;
constexpr uint8_t kAdoptedCopyVersion = 2;
constexpr uint8_t kKeptObjectVersion = 2;
constexpr uint8_t kDamagedJobVersion = 2;  // likewise

constexpr auto kContentFields = [](auto& io, auto& content) {
  const bool may_be_adopted = io.version() >= kAdoptedContentVersion;
  io.enumeration(content.state, ContentState::kStaging,
                 may_be_adopted ? ContentState::kAdopted : ContentState::kSealed);
  io.enumeration(content.residence, Residence::kLocal, Residence::kPartial);
  io.number(content.size);
  io.hash(content.sha256);
  io.number(content.references);
  io.flag(content.pinned);
  io.byte(content.decoder_crashes);
  io.signed_number(content.last_access_s);
  io.signed_number(content.changed_s);
  if (io.version() >= 2) io.number(content.disk_bytes);
};

constexpr auto kCopyFields = [](auto& io, auto& copy) {
  io.string(copy.key);
  io.string(copy.etag);
  io.number(copy.size);
  io.signed_number(copy.confirmed_s);
  if (io.version() >= kAdoptedCopyVersion) io.string(copy.adopted_path);
};

constexpr auto kJobFields = [](auto& io, auto& job) {
  io.id(job.content);
  io.string(job.remote);
  io.number(job.attempts);
  io.signed_number(job.not_before_s);
  io.string(job.last_error);
  io.string(job.progress);
  if (io.version() >= kDamagedJobVersion) io.flag(job.damaged);
};

constexpr auto kTidyFields = [](auto& io, auto& tidy) {
  io.number(tidy.attempts);
  io.signed_number(tidy.not_before_s);
  io.flag(tidy.beside);
  io.string(tidy.last_error);
};

constexpr auto kLooseFields = [](auto& io, auto& object) {
  io.id(object.maker);
  io.string(object.etag);
  io.number(object.size);
  io.hash(object.sha256);
  io.number(object.attempts);
  io.signed_number(object.not_before_s);
  io.string(object.last_error);
  if (io.version() >= kKeptObjectVersion) io.flag(object.keep);
};

constexpr auto kSidecarFields = [](auto& io, auto& sidecar) {
  io.string(sidecar.key);
  io.string(sidecar.etag);
  io.number(sidecar.size);
  io.hash(sidecar.sha256);
};

}  // namespace

std::string encode(const ContentRecord& record) {
  const bool adopted = record.state == ContentState::kAdopted;
  return records::write(adopted ? kAdoptedContentVersion : kContentVersion, record, kContentFields);
}
Result<ContentRecord> decode_content(std::string_view bytes) {
  return records::read<ContentRecord>(bytes, "content", kAdoptedContentVersion, kContentFields);
}

std::string encode(const RemoteCopy& record) {
  const bool adopted = !record.adopted_path.empty();
  return records::write(adopted ? kAdoptedCopyVersion : kFirstVersion, record, kCopyFields);
}
Result<RemoteCopy> decode_remote_copy(std::string_view bytes) {
  return records::read<RemoteCopy>(bytes, "remote copy", kAdoptedCopyVersion, kCopyFields);
}

std::string encode(const UploadJob& record) {
  return records::write(record.damaged ? kDamagedJobVersion : kFirstVersion, record, kJobFields);
}
Result<UploadJob> decode_upload_job(std::string_view bytes) {
  return records::read<UploadJob>(bytes, "queued upload", kDamagedJobVersion, kJobFields);
}

std::string encode(const TidyRecord& record) { return records::write(kFirstVersion, record, kTidyFields); }
Result<TidyRecord> decode_tidy(std::string_view bytes) {
  return records::read<TidyRecord>(bytes, "key to be tidied", kFirstVersion, kTidyFields);
}

std::string encode(const LooseObject& record) {
  return records::write(record.keep ? kKeptObjectVersion : kFirstVersion, record, kLooseFields);
}
Result<LooseObject> decode_loose(std::string_view bytes) {
  return records::read<LooseObject>(bytes, "loose object", kKeptObjectVersion, kLooseFields);
}

std::string encode(const SidecarObject& record) {
  return records::write(kFirstVersion, record, kSidecarFields);
}
Result<SidecarObject> decode_sidecar(std::string_view bytes) {
  return records::read<SidecarObject>(bytes, "sidecar on a remote", kFirstVersion, kSidecarFields);
}

}  // namespace shoebox
