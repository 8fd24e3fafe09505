// S3Remote::remove_leftovers: uploads in parts that nobody goes on with, which no listing of objects shows
// and which cost as much as objects do; and probes.
#include <fmt/format.h>

#include "sync/remote/checks.h"
#include "sync/remote/s3_sending.h"
#include "sync/remote/temporary.h"

namespace shoebox {

bool S3Remote::is_sending(const std::string& whole_key) const {
  const MutexLock lock(mutex_);
  return sending_.contains(whole_key);
}

Result<uint64_t> S3Remote::remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                            const RequestContext& context) {
  SHOEBOX_TRY(check_wanted(context));
  const std::string& base = client_->place().prefix;
  if (key.empty()) {
    const auto none = [](const std::string&) -> Result<bool> { return false; };
    SHOEBOX_ASSIGN(const uint64_t probes, remove_temporaries(*this, kS3Probes, none, context));
    SHOEBOX_ASSIGN(const uint64_t uploads, end_uploads(base, "", given_up, context));
    return probes + uploads;
  }
  SHOEBOX_ASSIGN(const std::string whole, whole_key(key));
  return end_uploads(whole, whole, given_up, context);
}

Result<uint64_t> S3Remote::end_uploads(const std::string& whole_prefix, const std::string& only_key,
                                       const IsGivenUp& given_up, const RequestContext& context) {
  uint64_t ended = 0;
  S3Uploads page;
  do {
    S3Request request;
    request.what = "list uploads below " + whole_prefix;
    request.query = {
        {"uploads", ""}, {"encoding-type", "url"}, {"max-uploads", "1000"}, {"prefix", whole_prefix}};
    if (!page.next_key.empty()) request.query.emplace_back("key-marker", page.next_key);
    if (!page.next_id.empty()) request.query.emplace_back("upload-id-marker", page.next_id);
    const std::pair before(page.next_key, page.next_id);
    const Result<HttpResponse> response = client_->send(request, context);
    // Servers that cannot list them leave them to the bucket's lifecycle rule.
    if (response.code() == Code::kNotSupported || response.code() == Code::kInvalid) return ended;
    if (!response) return response.status();
    if (parse_s3_listing(response->body)) return ended;  // it did not see what was asked, and lists objects
    SHOEBOX_ASSIGN(page, parse_s3_uploads(response->body));
    if (!page.next_key.empty() && std::pair(page.next_key, page.next_id) == before) {
      return Status(Code::kUnavailable,
                    fmt::format("{}: {}: pages do not advance", client_->place().text(), request.what));
    }
    for (const S3Upload& upload : page.uploads) {
      const bool wanted = only_key.empty() ? upload.key.starts_with(whole_prefix) : upload.key == only_key;
      // In this order: one that ended since is noted by now, or over.
      if (!wanted || is_sending(upload.key)) continue;
      SHOEBOX_ASSIGN(const bool left,
                     given_up({upload.key.substr(client_->place().prefix.size()), upload.id}));
      if (!left) continue;
      S3Request end;
      end.what = "end multipart upload of " + upload.key;
      end.method = "DELETE";
      end.whole_key = upload.key;
      end.query = {{"uploadId", upload.id}};
      const Status gone = client_->send(end, context).status();
      if (!gone && gone.code() != Code::kNotFound) return gone;
      ++ended;
    }
  } while (!page.next_key.empty());
  return ended;
}

}  // namespace shoebox
