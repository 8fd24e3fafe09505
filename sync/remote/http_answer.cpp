#include "sync/remote/http_answer.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace shoebox {
namespace {

// "bytes 0-9/1000" of an answer to a request for `range`.
bool covers(std::string_view text, ByteRange range) {
  if (!text.starts_with("bytes ")) return false;
  text.remove_prefix(6);
  uint64_t first = 0;
  uint64_t last = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), first);
  if (read.ec != std::errc() || read.ptr == text.data() + text.size() || *read.ptr != '-') return false;
  read = std::from_chars(read.ptr + 1, text.data() + text.size(), last);
  return read.ec == std::errc() && first == range.begin && last < range.end;
}

}  // namespace

Code code_of_http_status(int status) {
  if (status == 401 || status == 403) return Code::kUnauthorized;
  if (status == 409 || status == 412) return Code::kConflict;
  if (status == 413) return Code::kTooBig;
  if (status == 416) return Code::kDataLoss;
  if (status == 429) return Code::kThrottled;
  if (status == 405 || status == 501) return Code::kNotSupported;
  if (status == 507) return Code::kNoSpace;
  // 404 without a code says nothing about the object, 408 and 5xx pass; the rest is our request's fault.
  if (status == 404 || status == 408 || status >= 500 || status < 400) return Code::kUnavailable;
  return Code::kInvalid;
}

double retry_after_s(const HttpResponse& response, int64_t now_s) {
  constexpr double kMost_s = 3600;
  const std::string_view text = response.header("retry-after");
  if (text.empty()) return 0;
  uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) return std::min<double>(seconds, kMost_s);
  const int64_t date = parse_http_time_s(std::string(text));
  return date > now_s ? std::min(static_cast<double>(date - now_s), kMost_s) : 0;
}

std::string plain_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

int64_t parse_http_time_s(const std::string& text) {
  const time_t time = curl_getdate(text.c_str(), nullptr);
  return time < 0 ? 0 : time;
}

NameValues RangeAnswer::headers() const {
  NameValues headers = {{"Range", fmt::format("bytes={}-{}", range_.begin, range_.end - 1)}};
  if (!etag_.empty() && !etag_.starts_with("W/")) headers.emplace_back("If-Match", "\"" + etag_ + "\"");
  return headers;
}

Status RangeAnswer::accept(const HttpResponse& response) const {
  const std::string wanted = plain_etag(etag_);
  const std::string found = plain_etag(response.header("etag"));
  if (!wanted.empty() && !found.empty() && found != wanted) {
    return {Code::kConflict, fmt::format("etag is {}, not {}", found, wanted)};
  }
  const bool whole_object = response.status == 200 && range_.begin == 0 &&
                            response.header("content-length") == std::to_string(range_.size());
  if (whole_object || (response.status == 206 && covers(response.header("content-range"), range_))) {
    return Status::ok();
  }
  return {Code::kDataLoss,
          fmt::format("asked for bytes {} to {}, answered with others", range_.begin, range_.end)};
}

Status RangeAnswer::take(std::string_view bytes) {
  if (bytes.size() > range_.size() - got_) return {Code::kDataLoss, "the answer is longer than the range"};
  got_ += bytes.size();
  return sink_(bytes);
}

Status RangeAnswer::complete() const {
  if (got_ >= range_.size()) return Status::ok();
  return {Code::kDataLoss, fmt::format("the answer ends {} bytes early", range_.size() - got_)};
}

}  // namespace shoebox
