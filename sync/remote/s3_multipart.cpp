#include "sync/remote/s3_multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/base/kill_point.h"
#include "sync/remote/checks.h"
#include "sync/remote/http_answer.h"
#include "sync/remote/part_size.h"
#include "sync/remote/uri.h"

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
  if (Status sent = send_parts(); !sent) {
    // NoSuchUpload: somebody ended it. The object is not gone, the next attempt begins anew.
    return sent.code() == Code::kNotFound ? Status(Code::kUnavailable, sent.message()) : sent;
  }
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
  const std::vector<S3Part> noted = std::exchange(progress_.parts, {});
  WholeDigests whole;
  std::string all_md5;
  bool etags_are_md5 = true;
  uint32_t number = 1;
  for (uint64_t offset = 0; offset < options_.size; offset += progress_.part_bytes, ++number) {
    S3Part part;
    part.number = number;
    part.size = std::min(progress_.part_bytes, options_.size - offset);
    SHOEBOX_ASSIGN(const BodyDigests digests,
                   digest_range(fd_, {offset, offset + part.size}, &whole, context_));
    all_md5 += digests.md5;

    const auto is_part = [&](const S3Part& other) { return other.number == number; };
    const auto listed = std::find_if(on_server_.begin(), on_server_.end(), is_part);
    const auto known = std::find_if(noted.begin(), noted.end(), is_part);
    if (listed != on_server_.end() && listed->size == part.size &&
        (listed->etag == hex(digests.md5) ||
         (known != noted.end() && known->etag == listed->etag && !looks_like_md5(listed->etag)))) {
      part.etag = listed->etag;
      if (options_.on_bytes) options_.on_bytes(offset + part.size);
    } else {
      SHOEBOX_TRY(send_part(part, offset, digests, &part.etag));
    }
    etags_are_md5 = etags_are_md5 && part.etag == hex(digests.md5);
    progress_.parts.push_back(part);
    kill_point("part-sent");
    SHOEBOX_TRY(save());
    kill_point("part-noted");
  }
  if (whole.sha256.finish() != options_.sha256) {
    abort();
    return {Code::kDataLoss, what("put") + ": the local bytes are not those whose hash was recorded"};
  }
  whole_md5_ = hex(whole.md5.finish());
  if (etags_are_md5) expected_etag_ = fmt::format("{}-{}", hex(md5(all_md5)), progress_.parts.size());
  return Status::ok();
}

Status S3MultipartUpload::send_part(const S3Part& part, uint64_t offset, const BodyDigests& digests,
                                    std::string* etag) {
  S3Request request;
  request.what = fmt::format("put part {} of {}", part.number, key_);
  request.method = "PUT";
  request.whole_key = key_;
  request.query = {{"partNumber", std::to_string(part.number)}, {"uploadId", progress_.upload_id}};
  request.headers = {{"Content-MD5", base64(digests.md5)}};
  request.payload_sha256 = digests.sha256.hex();
  request.body_fd = fd_;
  request.body_range = {offset, offset + part.size};
  if (options_.on_bytes)
    request.on_bytes_sent = [this, offset](uint64_t sent) { options_.on_bytes(offset + sent); };
  SHOEBOX_ASSIGN(const HttpResponse response, client_.send(request, context_));
  *etag = plain_etag(response.header("etag"));
  const bool hidden = !response.header("x-amz-server-side-encryption").empty();
  if (etag->empty() || (!hidden && looks_like_md5(*etag) && *etag != hex(digests.md5))) {
    return {Code::kUnavailable,
            fmt::format("{}: confirmed with another etag than that of the bytes", request.what)};
  }
  return Status::ok();
}

Status S3MultipartUpload::complete() {
  S3Request request;
  request.what = what("complete");
  request.method = "POST";
  request.whole_key = key_;
  request.query = {{"uploadId", progress_.upload_id}};
  request.headers = {{"Content-Type", "application/xml"}};
  if (options_.if_absent) request.headers.emplace_back("If-None-Match", "*");
  request.body = complete_multipart_xml(progress_.parts);
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
  // Most servers hash the hashes of the parts; some (s3rver) hash the whole, some (encrypting ones) hide it.
  const bool ours = expected_etag_.empty() ? head->sha256 == options_.sha256.hex()
                                           : head->etag == expected_etag_ || head->etag == whole_md5_;
  if (ours && head->size == options_.size) return head;
  return Status(Code::kConflict, fmt::format("{}: another object stands there (size {}, etag {})",
                                             what("put"), head->size, head->etag));
}

void S3MultipartUpload::abort() {
  S3Request request;
  request.what = what("abort multipart upload of");
  request.method = "DELETE";
  request.whole_key = key_;
  request.query = {{"uploadId", progress_.upload_id}};
  (void)client_.send(request, context_).status();  // leftovers cost storage, not safety
}

std::string s3_copy_source(const S3Place& place, const std::string& whole_key) {
  return uri_encode("/" + place.bucket + "/" + whole_key, true);
}

Status s3_copy_in_parts(S3Client& client, const std::string& from, const std::string& to,
                        const S3Head& source, uint64_t part_bytes, const RequestContext& context) {
  S3Request begin;
  begin.what = "begin copy to " + to;
  begin.method = "POST";
  begin.whole_key = to;
  begin.query = {{"uploads", ""}};
  if (!source.sha256.empty()) begin.headers = {{kS3HashHeader, source.sha256}};
  SHOEBOX_ASSIGN(const HttpResponse begun, client.send(begin, context));
  SHOEBOX_ASSIGN(const std::string id, parse_s3_upload_id(begun.body));

  const auto copy_all = [&]() -> Status {
    std::vector<S3Part> parts;
    for (uint64_t offset = 0; offset < source.size; offset += part_bytes) {
      S3Part part{static_cast<uint32_t>(parts.size() + 1), "", std::min(part_bytes, source.size - offset)};
      S3Request request;
      request.what = fmt::format("copy part {} to {}", part.number, to);
      request.method = "PUT";
      request.whole_key = to;
      request.query = {{"partNumber", std::to_string(part.number)}, {"uploadId", id}};
      request.headers = {
          {"x-amz-copy-source", s3_copy_source(client.place(), from)},
          {"x-amz-copy-source-if-match", "\"" + source.etag + "\""},
          {"x-amz-copy-source-range", fmt::format("bytes={}-{}", offset, offset + part.size - 1)}};
      SHOEBOX_ASSIGN(const HttpResponse response, client.send(request, context));
      S3Error error;
      auto etag = parse_s3_result_etag(response.body, "CopyPartResult", &error);
      if (!etag || etag->empty()) {
        return {Code::kUnavailable, fmt::format("{}: no etag of the part: {}", request.what, error.code)};
      }
      part.etag = *etag;
      parts.push_back(std::move(part));
    }
    S3Request request;
    request.what = "complete copy to " + to;
    request.method = "POST";
    request.whole_key = to;
    request.query = {{"uploadId", id}};
    request.headers = {{"Content-Type", "application/xml"}};
    request.body = complete_multipart_xml(parts);
    SHOEBOX_ASSIGN(const HttpResponse response, client.send(request, context));
    S3Error error;
    auto etag = parse_s3_result_etag(response.body, "CompleteMultipartUploadResult", &error);
    if (!etag)
      return {Code::kUnavailable,
              fmt::format("{}: {} {}", request.what, etag.status().message(), error.code)};
    return Status::ok();
  };
  Status copied = copy_all();
  if (!copied) {
    S3Request abort;
    abort.what = "abort copy to " + to;
    abort.method = "DELETE";
    abort.whole_key = to;
    abort.query = {{"uploadId", id}};
    (void)client.send(abort, context).status();
  }
  return copied;
}

}  // namespace shoebox
