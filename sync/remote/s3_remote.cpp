#include "sync/remote/s3_remote.h"

#include <fmt/format.h>

#include "sync/remote/checks.h"
#include "sync/remote/http_answer.h"
#include "sync/remote/s3_copy.h"
#include "sync/remote/s3_file_time.h"
#include "sync/remote/s3_multipart.h"
#include "sync/remote/s3_sending.h"
#include "sync/remote/temporary.h"

namespace shoebox {
namespace {

RemoteObject object_of(const std::string& key, const S3Head& head) {
  return {key, head.etag, head.size, head.modified_s};
}

}  // namespace

S3Remote::S3Remote(std::string name, std::unique_ptr<S3Client> client, S3Tuning tuning)
    : name_(std::move(name)), client_(std::move(client)), tuning_(tuning) {}

Result<std::string> S3Remote::whole_key(const std::string& key) const {
  std::string whole = client_->place().prefix + key;
  SHOEBOX_TRY(check_key(key));
  SHOEBOX_TRY(check_key(whole));
  if (!is_utf8(whole)) return Status(Code::kInvalid, "S3 keys are UTF-8; the object needs another key");
  return whole;
}

Status S3Remote::check(const RequestContext& context) {
  S3Request request;
  request.what = "check";
  request.query = {{"list-type", "2"}, {"max-keys", "0"}, {"prefix", client_->place().prefix}};
  HttpResponse refusal;
  auto response = client_->send(request, context, &refusal);
  if (!response) {
    const bool no_bucket = parse_s3_error(refusal.body).code == "NoSuchBucket";
    return no_bucket ? Status(Code::kNotFound, response.status().message()) : response.status();
  }
  return parse_s3_listing(response->body).status().with_context(client_->place().text());
}

Result<RemoteObject> S3Remote::stat(const std::string& key, const RequestContext& context) {
  SHOEBOX_ASSIGN(const std::string whole, whole_key(key));
  SHOEBOX_ASSIGN(const S3Head head, client_->head(whole, context));
  return object_of(key, head);
}

Result<S3Head> S3Remote::same_object(const std::string& whole, const PutOptions& options,
                                     const std::string& md5_hex, const RequestContext& context) {
  SHOEBOX_ASSIGN(const S3Head head, client_->head(whole, context));
  // A multipart ETag is not the MD5; our own metadata then tells.
  if (head.size == options.size && (head.etag == md5_hex || head.sha256 == options.sha256.hex())) return head;
  return Status(Code::kConflict, fmt::format("{}: put {}: another object stands there (size {}, etag {})",
                                             client_->place().text(), whole, head.size, head.etag));
}

Status S3Remote::remove_probe(const std::string& whole_key, const RequestContext& context) {
  S3Request request;
  request.what = "remove a probe";
  request.method = "DELETE";
  request.whole_key = whole_key;
  return client_->send(request, context).status();
}

// Of attempts whose end was not seen.
void S3Remote::remove_left_probes(const RequestContext& context) {
  std::vector<std::string> left;
  {
    const MutexLock lock(mutex_);
    left.swap(left_probes_);
  }
  for (const std::string& key : left) {
    if (remove_probe(key, context)) continue;
    const MutexLock lock(mutex_);
    left_probes_.push_back(key);
  }
}

Result<S3Remote::Conditional> S3Remote::probe_conditional(const RequestContext& context) {
  remove_left_probes(context);
  if (const Conditional known = conditional_; known != Conditional::kUnknown) return known;
  SHOEBOX_ASSIGN(const std::string unique, new_temporary_name());
  S3Request request;
  request.what = "try a conditional put";
  request.method = "PUT";
  request.whole_key = fmt::format("{}{}{}", client_->place().prefix, kS3Probes, unique);
  request.body = "Shoebox tries whether this server can refuse to overwrite.\n";
  // Also when no answer came: it may stand there.
  const auto leave = [&] {
    const MutexLock lock(mutex_);
    left_probes_.push_back(request.whole_key);
  };
  if (const Status first = client_->send(request, context).status(); !first) {
    leave();
    return first;
  }
  request.headers = {{"If-None-Match", "*"}};
  HttpResponse refusal;
  auto second = client_->send(request, context, &refusal);
  if (!remove_probe(request.whole_key, context)) leave();
  Conditional outcome = Conditional::kIgnored;
  if (refusal.status == 412) {
    outcome = Conditional::kHonoured;
  } else if (!second && refusal.status != 400 && refusal.status != 501) {
    return second.status();  // says nothing about the condition
  }
  conditional_ = outcome;
  return outcome;
}

Result<RemoteObject> S3Remote::put(const std::string& key, int fd, const PutOptions& options,
                                   const RequestContext& context) {
  SHOEBOX_ASSIGN(const std::string whole, whole_key(key));
  if (options.size <= tuning_.multipart_above) return put_whole(key, whole, fd, options, context);
  if (options.if_absent) {
    // Looked at before the bytes are sent; servers that honour the condition look again at the end.
    auto there = same_object(whole, options, "", context);
    if (there) return object_of(key, *there);
    if (there.code() != Code::kNotFound) return there.status();
  }
  const Sending sending(*this, whole);
  S3MultipartUpload upload(*client_, whole, fd, options, context, tuning_.part_bytes);
  auto head = upload.run();
  if (!head && head.code() == Code::kConflict && options.if_absent)
    head = same_object(whole, options, "", context);
  if (!head) return head.status();
  return object_of(key, *head);
}

Result<RemoteObject> S3Remote::put_whole(const std::string& key, const std::string& whole, int fd,
                                         const PutOptions& options, const RequestContext& context) {
  SHOEBOX_ASSIGN(const BodyDigests digests, digest_range(fd, {0, options.size}, nullptr, context));
  if (digests.sha256 != options.sha256) {
    return Status(Code::kDataLoss,
                  fmt::format("put {}: the local bytes are not those whose hash was recorded", key));
  }
  const std::string md5_hex = hex(digests.md5);
  S3Request request;
  request.what = "put " + whole;
  request.method = "PUT";
  request.whole_key = whole;
  request.headers = {{"Content-MD5", base64(digests.md5)}, {kS3HashHeader, digests.sha256.hex()}};
  if (options.file_time) request.headers.emplace_back(kS3FileTimeHeader, s3_file_time(*options.file_time));
  request.payload_sha256 = digests.sha256.hex();
  request.body_fd = fd;
  request.body_range = {0, options.size};
  request.on_bytes_sent = options.on_bytes;
  if (options.if_absent) {
    SHOEBOX_ASSIGN(const Conditional conditional, probe_conditional(context));
    if (conditional == Conditional::kIgnored) {
      if (context.hints != nullptr) context.hints->looked_first = true;
      auto there = same_object(whole, options, md5_hex, context);
      if (there) return object_of(key, *there);
      if (there.code() != Code::kNotFound) return there.status();
    } else {
      request.headers.emplace_back("If-None-Match", "*");
    }
  }
  auto response = client_->send(request, context);
  if (!response && response.code() == Code::kConflict && options.if_absent) {
    // Perhaps it is ours, and only the answer to an earlier attempt was lost.
    SHOEBOX_ASSIGN(const S3Head there, same_object(whole, options, md5_hex, context));
    return object_of(key, there);
  }
  if (!response) return response.status();
  const std::string etag = plain_etag(response->header("etag"));
  if (etag == md5_hex) {
    return RemoteObject{key, etag, options.size, parse_http_time_s(std::string(response->header("date")))};
  }
  // Encryption by the server gives other ETags; anything else is not what we sent. Look what stands there.
  SHOEBOX_ASSIGN(const S3Head head, client_->head(whole, context));
  const bool encrypted = !response->header("x-amz-server-side-encryption").empty();
  const bool ours =
      head.size == options.size &&
      (head.etag == md5_hex || (encrypted && head.etag == etag && head.sha256 == digests.sha256.hex()));
  if (ours) return object_of(key, head);
  return Status(Code::kUnavailable, fmt::format("{}: {}: confirmed with another etag than that of the bytes",
                                                client_->place().text(), request.what));
}

Status S3Remote::get(const std::string& key, ByteRange range, const std::string& etag,
                     const std::function<Status(std::string_view)>& sink, const RequestContext& context) {
  SHOEBOX_ASSIGN(const std::string whole, whole_key(key));
  const std::string what = "get " + whole;
  if (range.empty()) {  // no Range header can ask for nothing
    SHOEBOX_ASSIGN(const S3Head head, client_->head(whole, context));
    if (etag.empty() || etag == head.etag) return Status::ok();
    return {Code::kConflict,
            fmt::format("{}: {}: etag is {}, not {}", client_->place().text(), what, head.etag, etag)};
  }
  RangeAnswer answer(range, etag, sink);
  S3Request request;
  request.what = what;
  request.whole_key = whole;
  request.headers = answer.headers();
  request.accept = [&](const HttpResponse& response) {
    if (context.hints != nullptr)
      context.hints->file_time = parse_s3_file_time(response.header(kS3FileTimeHeader));
    return answer.accept(response);
  };
  request.sink = [&](std::string_view bytes) { return answer.take(bytes); };
  SHOEBOX_TRY(client_->send(request, context).status());
  const Status complete = answer.complete();
  return complete ? complete : complete.with_context(fmt::format("{}: {}", client_->place().text(), what));
}

Result<ListPage> S3Remote::list(const std::string& prefix, const std::string& next,
                                const RequestContext& context) {
  const std::string& base = client_->place().prefix;
  S3Request request;
  request.what = "list " + base + prefix;
  request.query = {
      {"list-type", "2"}, {"max-keys", "1000"}, {"encoding-type", "url"}, {"prefix", base + prefix}};
  if (!next.empty()) request.query.emplace_back("continuation-token", next);
  SHOEBOX_ASSIGN(const HttpResponse response, client_->send(request, context));
  SHOEBOX_ASSIGN(S3Listing listing, parse_s3_listing(response.body));
  if (!next.empty() && listing.next_token == next) {
    return Status(Code::kUnavailable,
                  fmt::format("{}: {}: pages do not advance", client_->place().text(), request.what));
  }
  ListPage page;
  page.next = std::move(listing.next_token);
  for (S3Listed& object : listing.objects) {
    if (!object.key.starts_with(base + prefix)) {
      return Status(Code::kUnavailable, fmt::format("{}: {}: the answer lists other keys",
                                                    client_->place().text(), request.what));
    }
    object.key.erase(0, base.size());
    if (!check_key(object.key)) {
      // The folder markers of other programs ("a/") hold nothing that anybody could miss.
      if (object.size > 0 || !object.key.ends_with('/')) page.skip(object.key);
      continue;
    }
    page.objects.push_back({std::move(object.key), std::move(object.etag), object.size, object.modified_s});
  }
  return page;
}

Status S3Remote::copy(const std::string& from, const std::string& to, const RequestContext& context) {
  SHOEBOX_ASSIGN(const std::string source, whole_key(from));
  SHOEBOX_ASSIGN(const std::string target, whole_key(to));
  SHOEBOX_ASSIGN(const S3Head head, client_->head(source, context));
  if (head.size > tuning_.copy_whole_up_to) {
    const Sending sending(*this, target);
    SHOEBOX_TRY(s3_copy_in_parts(*client_, source, target, head, tuning_.copy_part_bytes, context));
  } else {
    S3Request request;
    request.what = fmt::format("copy {} to {}", source, target);
    request.method = "PUT";
    request.whole_key = target;
    request.headers = {{"x-amz-copy-source", s3_copy_source(client_->place(), source)},
                       {"x-amz-copy-source-if-match", "\"" + head.etag + "\""}};
    SHOEBOX_ASSIGN(const HttpResponse response, client_->send(request, context));
    S3Error error;
    auto etag = parse_s3_result_etag(response.body, "CopyObjectResult", &error);
    if (!etag && !error.code.empty()) {
      HttpResponse refusal = response;
      refusal.status = 500;  // a 200 with an error inside counts as 5xx
      return s3_status(refusal, error, request.what, client_->place());
    }
    if (!etag) return etag.status();
  }
  SHOEBOX_ASSIGN(const S3Head copied, client_->head(target, context));
  if (copied.size == head.size) return Status::ok();
  return {Code::kUnavailable, fmt::format("{}: copy of {} to {} has {} bytes, not {}",
                                          client_->place().text(), source, target, copied.size, head.size)};
}

Status S3Remote::remove(const std::string& key, const RequestContext& context) {
  SHOEBOX_ASSIGN(const std::string whole, whole_key(key));
  S3Request request;
  request.what = "remove " + whole;
  request.method = "DELETE";
  request.whole_key = whole;
  const Status removed = client_->send(request, context).status();
  return removed.code() == Code::kNotFound ? Status::ok() : removed;
}

}  // namespace shoebox
