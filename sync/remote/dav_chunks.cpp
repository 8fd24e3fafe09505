#include "sync/remote/dav_chunks.h"

#include <fmt/format.h>

#include <sstream>

#include "sync/remote/dav_xml.h"
#include "sync/remote/part_size.h"
#include "sync/remote/remote_marker.h"
#include "sync/remote/temporary.h"

namespace shoebox {
namespace {

constexpr const char* kMagic = "shoebox-chunks";
constexpr std::chrono::minutes kAssemblePatience{10};  // the server copies all chunks in one request

// Sorted as text by the server: five digits hold its limit of 10,000 chunks.
std::string chunk_name(uint32_t number) { return fmt::format("{:05}", number); }

}  // namespace

std::string DavChunkProgress::text() const {
  return fmt::format("{} 1 {} {} {} {}\n", kMagic, size, sha256, chunk_bytes, id);
}

Result<DavChunkProgress> DavChunkProgress::parse(const std::string& text) {
  std::istringstream words(text);
  std::string magic;
  int version = 0;
  DavChunkProgress progress;
  words >> magic >> version >> progress.size >> progress.sha256 >> progress.chunk_bytes >> progress.id;
  const bool plain_id =
      progress.id.size() == 32 && progress.id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!words || magic != kMagic || version != 1 || progress.chunk_bytes == 0 || !plain_id) {
    return Status(Code::kInvalid, "progress of a chunked upload is malformed");
  }
  return progress;
}

DavChunkedUpload::DavChunkedUpload(DavClient& client, int fd, const PutOptions& options,
                                   const RequestContext& context, uint64_t chunk_bytes)
    : client_(client), fd_(fd), options_(options), context_(context) {
  progress_.size = options.size;
  progress_.sha256 = options.sha256.hex();
  progress_.chunk_bytes = part_size_for(options.size, chunk_bytes);
}

Written DavChunkedUpload::written() const {
  return {fmt::format("{}/{}", kRemoteTemporaries, progress_.id), "", true};
}

// "" is the upload's folder.
std::string DavChunkedUpload::url_of(const std::string& name) const {
  const DavPlace& place = client_.place();
  return place.url_of_whole(fmt::format("{}/{}/{}", place.chunk_folder(), progress_.id, name));
}

// Nextcloud wants to know from the first request on where the whole will stand.
NameValues DavChunkedUpload::headers() const {
  return {{"Destination", client_.place().url(written().path, false)},
          {"OC-Total-Length", std::to_string(progress_.size)}};
}

Result<Written> DavChunkedUpload::run() {
  SHOEBOX_ASSIGN(const bool resumed, resume());
  if (!resumed) {
    if (!progress_.id.empty()) {
      SHOEBOX_ASSIGN(const bool whole, assembled());
      if (whole) {
        if (options_.on_bytes) options_.on_bytes(options_.size);
        return written();
      }
    }
    SHOEBOX_TRY(begin());
  }
  uint32_t number = 1;
  for (uint64_t at = 0; at < progress_.size; at += progress_.chunk_bytes, ++number) {
    const ByteRange range{at, std::min(progress_.size, at + progress_.chunk_bytes)};
    const auto there = on_server_.find(chunk_name(number));
    if (there != on_server_.end() && there->second == range.size()) {
      if (options_.on_bytes) options_.on_bytes(range.end);
      continue;
    }
    SHOEBOX_TRY(send_chunk(number, range));
    if (options_.save_progress) SHOEBOX_TRY(options_.save_progress(progress_.text()));
  }
  SHOEBOX_TRY(assemble());
  return written();
}

Result<bool> DavChunkedUpload::resume() {
  auto earlier = DavChunkProgress::parse(options_.progress);
  if (!earlier || earlier->size != progress_.size || earlier->sha256 != progress_.sha256) return false;
  progress_ = std::move(earlier).value();
  auto listed = client_.propfind("list chunks", url_of(""), "1", context_);
  if (listed.code() == Code::kNotFound) return false;
  if (!listed) return listed.status();
  SHOEBOX_ASSIGN(const std::vector<DavMember> members, parse_multistatus(listed->body));
  for (const DavMember& member : members) {
    if (!member.facts.is_folder)
      on_server_[member.path.substr(member.path.rfind('/') + 1)] = member.facts.size;
  }
  return true;
}

Result<bool> DavChunkedUpload::assembled() {
  auto found = client_.propfind("find upload", client_.place().url(written().path, false), "0", context_);
  if (found.code() == Code::kNotFound) return false;
  if (!found) return found.status();
  SHOEBOX_ASSIGN(const std::vector<DavMember> members, parse_multistatus(found->body));
  return members.size() == 1 && !members[0].facts.is_folder && members[0].facts.size == progress_.size;
}

Status DavChunkedUpload::begin() {
  SHOEBOX_ASSIGN(progress_.id, new_temporary_name());
  progress_.chunk_bytes = part_size_for(options_.size, progress_.chunk_bytes);
  on_server_.clear();
  DavRequest request{"begin chunked upload", "MKCOL", url_of("")};
  request.headers = headers();
  SHOEBOX_TRY(client_.send(request, context_).status());
  return options_.save_progress ? options_.save_progress(progress_.text()) : Status::ok();
}

Status DavChunkedUpload::send_chunk(uint32_t number, ByteRange range) {
  DavRequest request{fmt::format("put chunk {}", number), "PUT", url_of(chunk_name(number))};
  request.headers = headers();
  request.body_fd = fd_;
  request.body_range = range;
  if (options_.on_bytes) {
    request.on_bytes_sent = [this, range](uint64_t sent) { options_.on_bytes(range.begin + sent); };
  }
  const Status sent = client_.send(request, context_).status();
  // The server gave the upload up. The next attempt begins anew.
  return sent.code() == Code::kNotFound ? Status(Code::kUnavailable, sent.message()) : sent;
}

Status DavChunkedUpload::assemble() {
  DavRequest request{"put chunks together", "MOVE", url_of(".file")};
  request.headers = headers();
  request.headers.emplace_back("Overwrite", "T");
  request.patience = kAssemblePatience;
  const Status moved = client_.send(request, context_).status();
  if (moved.code() != Code::kNotFound) return moved;
  // Done already, and this is the answer to a repetition; or .shoebox/tmp is missing.
  SHOEBOX_ASSIGN(const bool whole, assembled());
  return whole ? Status::ok() : moved;
}

}  // namespace shoebox
