// Headers of an answer: the status is the first byte, each line of the rest a header.
#include "sync/remote/http_answer.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

constexpr ByteRange kAsked{10, 20};

HttpResponse response_of(std::string_view bytes) {
  HttpResponse response;
  if (bytes.empty()) return response;
  response.status = bytes[0] == 'w' ? 200 : 206;
  bytes.remove_prefix(1);
  while (!bytes.empty()) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
    const size_t colon = std::min(line.find(':'), line.size());
    response.headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }
  return response;
}

std::vector<std::string> seeds() {
  return {"pcontent-range:bytes 10-19/1000\netag:\"abc\"\nretry-after:12",
          "wcontent-length:10\netag:W/\"abc\"\nretry-after:Wed, 12 Oct 2033 17:50:00 GMT"};
}

void run(std::string_view bytes) {
  const HttpResponse response = response_of(bytes);
  const double wait_s = retry_after_s(response, 1'700'000'000);
  holds(wait_s >= 0 && wait_s <= 3600, "nobody waits longer than an hour because a server says so");
  (void)parse_http_time_s(std::string(bytes));
  (void)plain_etag(bytes);
  std::string got;
  const RangeAnswer::Sink sink = [&got](std::string_view piece) {
    got += piece;
    return Status::ok();
  };
  RangeAnswer answer(kAsked, "abc", sink);
  if (answer.accept(response)) {
    const auto length = response.header("content-range");
    holds(response.status == 206 && length.starts_with("bytes 10-"), "only what was asked for is taken");
  }
  const Status taken = answer.take(bytes);
  holds(taken.is_ok() == (bytes.size() <= kAsked.size()), "no more is taken than was asked for");
  holds(answer.complete().is_ok() == (got.size() == kAsked.size()), "what is short is not whole");
}

}  // namespace

const Target kHttpAnswer{"http_answer", seeds, run};

}  // namespace shoebox::fuzz
