#include "sync/counted_remote.h"

#include <fmt/format.h>

#include <algorithm>

namespace shoebox {
namespace {

// Hands the call hints to fill in even when the caller wants none, and counts them at the end.
class Counting {
 public:
  Counting(const RequestContext& context, RemoteCounters& counters) : context_(context), counters_(counters) {
    if (context_.hints == nullptr) context_.hints = &own_;
    before_ = *context_.hints;
  }
  ~Counting() {
    counters_.requests += std::max<uint64_t>(1, context_.hints->requests - before_.requests);
    counters_.bytes_received += context_.hints->extra_bytes - before_.extra_bytes;
  }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;
  [[nodiscard]] const RequestContext& context() const { return context_; }

 private:
  RequestContext context_;
  RemoteCounters& counters_;
  RequestHints own_;
  RequestHints before_;
};

}  // namespace

Status CountedRemote::open() const {
  if (!closed_) return Status::ok();
  return {Code::kUnavailable, fmt::format("remote {} is no longer in use here", remote_->name())};
}

Status CountedRemote::check(const RequestContext& context) {
  SHOEBOX_TRY(open());
  const Counting counting(context, counters_);
  return remote_->check(counting.context());
}

Result<RemoteObject> CountedRemote::put(const std::string& key, int fd, const PutOptions& options,
                                        const RequestContext& context) {
  SHOEBOX_TRY(open());
  const Counting counting(context, counters_);
  PutOptions counted = options;
  uint64_t seen = 0;  // on_bytes tells the sum so far
  counted.on_bytes = [&](uint64_t bytes_sent) {
    if (bytes_sent > seen) counters_.bytes_sent += bytes_sent - seen;
    seen = bytes_sent;
    if (options.on_bytes) options.on_bytes(bytes_sent);
  };
  return remote_->put(key, fd, counted, counting.context());
}

Result<RemoteObject> CountedRemote::stat(const std::string& key, const RequestContext& context) {
  SHOEBOX_TRY(open());
  const Counting counting(context, counters_);
  return remote_->stat(key, counting.context());
}

Status CountedRemote::get(const std::string& key, ByteRange range, const std::string& etag,
                          const std::function<Status(std::string_view)>& sink,
                          const RequestContext& context) {
  SHOEBOX_TRY(open());
  const Counting counting(context, counters_);
  const auto counted = [&](std::string_view piece) {
    counters_.bytes_received += piece.size();
    return sink(piece);
  };
  return remote_->get(key, range, etag, counted, counting.context());
}

Result<ListPage> CountedRemote::list(const std::string& prefix, const std::string& next,
                                     const RequestContext& context) {
  SHOEBOX_TRY(open());
  const Counting counting(context, counters_);
  return remote_->list(prefix, next, counting.context());
}

Status CountedRemote::copy(const std::string& from, const std::string& to, const RequestContext& context) {
  SHOEBOX_TRY(open());
  const Counting counting(context, counters_);
  return remote_->copy(from, to, counting.context());
}

Status CountedRemote::remove(const std::string& key, const RequestContext& context) {
  SHOEBOX_TRY(open());
  const Counting counting(context, counters_);
  return remote_->remove(key, counting.context());
}

Result<uint64_t> CountedRemote::remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                                 const RequestContext& context) {
  SHOEBOX_TRY(open());
  const Counting counting(context, counters_);
  return remote_->remove_leftovers(key, given_up, counting.context());
}

}  // namespace shoebox
