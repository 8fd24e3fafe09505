#include "sync/remote/s3_multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/base/kill_point.h"
#include "sync/remote/checks.h"
#include "sync/remote/http_answer.h"
#include "sync/remote/part_size.h"
#include "sync/remote/parts_in_flight.h"
#include "sync/remote/s3_file_time.h"

namespace shoebox {
namespace {

constexpr std::string_view kMagic = "shoebox-multipart";

bool looks_like_md5(std::string_view etag) {
  return etag.size() == 32 && etag.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string_view next_word(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view word = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return word;
}

template <typename Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string MultipartProgress::text() const {
  std::string out = fmt::format("{} 1 {} {} {} {}\n", kMagic, size, sha256, part_bytes, upload_id);
  for (const S3Part& part : parts) out += fmt::format("{} {}\n", part.number, part.etag);
  return out;
}

Result<MultipartProgress> MultipartProgress::parse(const std::string& text) {
  const Status bad(Code::kInvalid, "progress of a multipart upload is malformed");
  std::string_view rest = text;
  std::string_view head = next_word(rest, '\n');
  MultipartProgress progress;
  if (next_word(head, ' ') != kMagic || next_word(head, ' ') != "1") return bad;
  if (!read_number(next_word(head, ' '), progress.size)) return bad;
  progress.sha256 = next_word(head, ' ');
  if (!read_number(next_word(head, ' '), progress.part_bytes) || progress.part_bytes == 0) return bad;
  progress.upload_id = head;
  if (progress.upload_id.empty()) return bad;
  while (!rest.empty()) {
    std::string_view line = next_word(rest, '\n');
    S3Part part;
    if (!read_number(next_word(line, ' '), part.number) || line.empty()) return bad;
    part.etag = line;
    progress.parts.push_back(std::move(part));
  }
  return progress;
}

S3MultipartUpload::S3MultipartUpload(S3Client& client, std::string whole_key, int fd,
                                     const PutOptions& options, const RequestContext& context,
                                     uint64_t part_bytes)
    : client_(client),
      key_(std::move(whole_key)),
      fd_(fd),
      options_(options),
      context_(context),
      part_bytes_(part_size_for(options.size, part_bytes)) {}

Result<S3Head> S3MultipartUpload::run() {
  SHOEBOX_ASSIGN(const bool resumed, resume());
  if (!resumed) {
    // The earlier attempt may have been completed, with its answer lost.
    if (!options_.progress.empty()) {
      auto there = finished_object();
      if (there || there.code() != Code::kConflict) return there;
    }
    SHOEBOX_TRY(begin());
  }
  Status sent = send_parts();
  if (sent.code() == Code::kNotFound) {  // NoSuchUpload: somebody ended it; the remote is well
    SHOEBOX_TRY(begin());
    sent = send_parts();
  }
  // The object is not gone, the next attempt begins anew.
  if (!sent) return sent.code() == Code::kNotFound ? Status(Code::kUnavailable, sent.message()) : sent;
  kill_point("multipart-sent");
  const Status completed = complete();
  if (completed) kill_point("multipart-completed");
  const bool perhaps = completed || completed.code() == Code::kUnavailable ||
                       completed.code() == Code::kTimeout || completed.code() == Code::kNotFound;
  if (!perhaps) return completed;
  auto there = finished_object();
  if (there || there.code() != Code::kConflict) return there;
  return Status(Code::kUnavailable, completed ? there.status().message() : completed.message());
}

Result<bool> S3MultipartUpload::resume() {
  if (options_.progress.empty()) return false;
  auto parsed = MultipartProgress::parse(options_.progress);
  if (!parsed) return false;
  progress_ = std::move(parsed).value();
  if (progress_.size != options_.size || progress_.sha256 != options_.sha256.hex()) {
    abort();  // of other bytes: they were replaced before they were sent
    return false;
  }
  auto listed = listed_parts();
  if (!listed) {
    if (listed.code() == Code::kNotSupported) abort();  // s3rver cannot list parts: all is sent again
    if (listed.code() == Code::kNotSupported || listed.code() == Code::kNotFound) return false;
    return listed.status();
  }
  on_server_ = std::move(listed).value();
  return true;
}

Result<std::vector<S3Part>> S3MultipartUpload::listed_parts() {
  std::vector<S3Part> all;
  uint32_t marker = 0;
  for (;;) {
    S3Request request;
    request.what = what("list parts of");
    request.whole_key = key_;
    request.query = {{"uploadId", progress_.upload_id}, {"max-parts", "1000"}};
    if (marker != 0) request.query.emplace_back("part-number-marker", std::to_string(marker));
    SHOEBOX_ASSIGN(const HttpResponse response, client_.send(request, context_));
    SHOEBOX_ASSIGN(S3Parts page, parse_s3_parts(response.body));
    all.insert(all.end(), page.parts.begin(), page.parts.end());
    if (page.next_marker == 0) return all;
    if (page.next_marker <= marker)
      return Status(Code::kUnavailable, what("list parts of") + ": pages do not advance");
    marker = page.next_marker;
  }
}

Status S3MultipartUpload::begin() {
  S3Request request;
  request.what = what("begin multipart upload of");
  request.method = "POST";
  request.whole_key = key_;
  request.query = {{"uploads", ""}};
  request.headers = {{kS3HashHeader, options_.sha256.hex()}};
  if (options_.file_time) request.headers.emplace_back(kS3FileTimeHeader, s3_file_time(*options_.file_time));
  SHOEBOX_ASSIGN(const HttpResponse response, client_.send(request, context_));
  progress_ = {options_.size, options_.sha256.hex(), part_bytes_, "", {}};
  on_server_.clear();
  SHOEBOX_ASSIGN(progress_.upload_id, parse_s3_upload_id(response.body));
  kill_point("multipart-begun");
  SHOEBOX_TRY(save());
  kill_point("multipart-noted");
  return Status::ok();
}

Status S3MultipartUpload::save() {
  return options_.save_progress ? options_.save_progress(progress_.text()) : Status::ok();
}

Status S3MultipartUpload::send_parts() {
  parts_.clear();
  done_bytes_ = 0;
  for (uint64_t offset = 0; offset < options_.size; offset += progress_.part_bytes) {
    const uint64_t size = std::min(progress_.part_bytes, options_.size - offset);
    parts_.push_back({{static_cast<uint32_t>(parts_.size() + 1), "", size}, offset, {}});
  }
  Sha256 whole;
  PartsInFlight flying(context_);
  Status status;  // of the first that failed
  for (size_t index = 0; index < parts_.size() && status; ++index) {
    // While this one is hashed, others are on their way.
    status = hash_part(index, whole);
    while (status && flying.count() >= at_once()) status = land_part(flying);
    if (!status) break;
    if (is_there(index)) {
      status = note_part(index);
      tell_bytes(flying);
      continue;
    }
    flying.start(index, [this, index](const RequestContext& context, const auto& on_bytes) {
      return send_part(parts_[index], context, on_bytes);
    });
    while (status && flying.any_ended()) status = land_part(flying);
  }
  // What is under way ends, and is noted, also when another one failed: it need not be sent again.
  while (flying.count() > 0) {
    Status landed = land_part(flying);
    if (status) status = std::move(landed);
  }
  if (!status) return status;
  if (whole.finish() != options_.sha256) {
    abort();
    return {Code::kDataLoss, what("put") + ": the local bytes are not those whose hash was recorded"};
  }
  expect_etag();
  return Status::ok();
}

size_t S3MultipartUpload::at_once() const {
  return context_.at_once ? std::max<size_t>(1, context_.at_once()) : 1;
}

Status S3MultipartUpload::hash_part(size_t index, Sha256& whole) {
  Part& part = parts_[index];
  SHOEBOX_ASSIGN(part.digests,
                 digest_range(fd_, {part.offset, part.offset + part.sent.size}, &whole, context_));
  return Status::ok();
}

bool S3MultipartUpload::is_there(size_t index) {
  Part& part = parts_[index];
  const auto is_part = [&](const S3Part& other) { return other.number == part.sent.number; };
  const auto listed = std::find_if(on_server_.begin(), on_server_.end(), is_part);
  if (listed == on_server_.end() || listed->size != part.sent.size) return false;
  if (listed->etag != hex(part.digests.md5)) {
    const auto noted = std::find_if(progress_.parts.begin(), progress_.parts.end(), is_part);
    if (noted == progress_.parts.end() || noted->etag != listed->etag || looks_like_md5(listed->etag))
      return false;
  }
  part.sent.etag = listed->etag;
  return true;
}

Status S3MultipartUpload::send_part(Part& part, const RequestContext& context,
                                    const std::function<void(uint64_t)>& on_bytes) {
  S3Request request;
  request.what = fmt::format("put part {} of {}", part.sent.number, key_);
  request.method = "PUT";
  request.whole_key = key_;
  request.query = {{"partNumber", std::to_string(part.sent.number)}, {"uploadId", progress_.upload_id}};
  request.headers = {{"Content-MD5", base64(part.digests.md5)}};
  request.payload_sha256 = part.digests.sha256.hex();
  request.body_fd = fd_;
  request.body_range = {part.offset, part.offset + part.sent.size};
  request.on_bytes_sent = on_bytes;
  SHOEBOX_ASSIGN(const HttpResponse response, client_.send(request, context));
  part.sent.etag = plain_etag(response.header("etag"));
  const bool hidden = !response.header("x-amz-server-side-encryption").empty();
  if (part.sent.etag.empty() ||
      (!hidden && looks_like_md5(part.sent.etag) && part.sent.etag != hex(part.digests.md5))) {
    return {Code::kUnavailable,
            fmt::format("{}: confirmed with another etag than that of the bytes", request.what)};
  }
  return Status::ok();
}

Status S3MultipartUpload::land_part(PartsInFlight& flying) {
  const PartsInFlight::Ended ended = flying.take([&] { tell_bytes(flying); });
  SHOEBOX_TRY(ended.status);
  kill_point("part-sent");
  const Status noted = note_part(ended.index);
  kill_point("part-noted");
  tell_bytes(flying);
  return noted;
}

// By number, whatever the order in which they ended.
Status S3MultipartUpload::note_part(size_t index) {
  const S3Part& part = parts_[index].sent;
  done_bytes_ += part.size;
  const auto at = std::lower_bound(progress_.parts.begin(), progress_.parts.end(), part.number,
                                   [](const S3Part& one, uint32_t number) { return one.number < number; });
  if (at == progress_.parts.end() || at->number != part.number) {
    progress_.parts.insert(at, part);
  } else if (at->etag != part.etag) {
    at->etag = part.etag;
  } else {
    return Status::ok();  // as it was noted before
  }
  return save();
}

void S3MultipartUpload::tell_bytes(const PartsInFlight& flying) const {
  if (options_.on_bytes) options_.on_bytes(done_bytes_ + flying.bytes_sent());
}

void S3MultipartUpload::expect_etag() {
  std::string all_md5;
  for (const Part& part : parts_) {
    if (part.sent.etag != hex(part.digests.md5)) return;
    all_md5 += part.digests.md5;
  }
  expected_etag_ = fmt::format("{}-{}", hex(md5(all_md5)), parts_.size());
}

Status S3MultipartUpload::complete() {
  S3Request request;
  request.what = what("complete");
  request.method = "POST";
  request.whole_key = key_;
  request.query = {{"uploadId", progress_.upload_id}};
  request.headers = {{"Content-Type", "application/xml"}};
  if (options_.if_absent) request.headers.emplace_back("If-None-Match", "*");
  std::vector<S3Part> parts;
  for (const Part& part : parts_) parts.push_back(part.sent);
  request.body = complete_multipart_xml(parts);
  SHOEBOX_ASSIGN(const HttpResponse response, client_.send(request, context_));
  S3Error error;
  auto etag = parse_s3_result_etag(response.body, "CompleteMultipartUploadResult", &error);
  if (etag) return Status::ok();
  if (error.code.empty()) return etag.status();
  HttpResponse refusal = response;
  refusal.status = 500;  // S3's rule: a 200 with an error inside is to be treated as a 5xx with that code
  return s3_status(refusal, error, request.what, client_.place());
}

Result<S3Head> S3MultipartUpload::finished_object() {
  auto head = client_.head(key_, context_);
  if (!head) {
    if (head.code() != Code::kNotFound) return head.status();
    return Status(Code::kConflict, what("put") + ": not there after completion");
  }
  bool ours = head->size == options_.size;
  if (ours && expected_etag_.empty()) {  // some servers hide it (encrypting ones)
    ours = head->sha256 == options_.sha256.hex();
  } else if (ours && head->etag != expected_etag_) {
    // Most servers hash the hashes of the parts; some (s3rver) hash the whole.
    SHOEBOX_ASSIGN(ours, is_md5_of_whole(head->etag));
  }
  if (ours) return head;
  return Status(Code::kConflict, fmt::format("{}: another object stands there (size {}, etag {})",
                                             what("put"), head->size, head->etag));
}

Result<bool> S3MultipartUpload::is_md5_of_whole(const std::string& etag) const {
  if (!looks_like_md5(etag)) return false;
  SHOEBOX_ASSIGN(const BodyDigests whole, digest_range(fd_, {0, options_.size}, nullptr, context_));
  return hex(whole.md5) == etag && whole.sha256 == options_.sha256;
}

void S3MultipartUpload::abort() {
  S3Request request;
  request.what = what("abort multipart upload of");
  request.method = "DELETE";
  request.whole_key = key_;
  request.query = {{"uploadId", progress_.upload_id}};
  (void)client_.send(request, context_).status();  // leftovers cost storage, not safety
}

}  // namespace shoebox
