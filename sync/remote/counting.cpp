#include "sync/remote/counting.h"

namespace shoebox {

// Runs `call` with hints of its own, since the caller may want none, and hands them on.
template <typename Call>
auto CountingRemote::counted(const RequestContext& context, Call call) {
  RequestHints hints;
  RequestContext inner = context;
  inner.hints = &hints;
  auto result = call(inner);
  counts_.requests += hints.requests;
  if (context.hints != nullptr) {
    context.hints->requests += hints.requests;
    context.hints->retry_after_s = hints.retry_after_s;
  }
  return result;
}

Status CountingRemote::check(const RequestContext& context) {
  return counted(context, [&](const RequestContext& inner) { return inner_->check(inner); });
}

Result<RemoteObject> CountingRemote::put(const std::string& key, int fd, const PutOptions& options,
                                         const RequestContext& context) {
  PutOptions counting = options;
  uint64_t told = 0;
  counting.on_bytes = [&](uint64_t sent) {
    // A rewound body is told from its begin again: what went over the line twice counts twice.
    counts_.bytes_sent += sent >= told ? sent - told : sent;
    told = sent;
    if (options.on_bytes) options.on_bytes(sent);
  };
  return counted(context, [&](const RequestContext& inner) { return inner_->put(key, fd, counting, inner); });
}

Result<RemoteObject> CountingRemote::stat(const std::string& key, const RequestContext& context) {
  return counted(context, [&](const RequestContext& inner) { return inner_->stat(key, inner); });
}

Status CountingRemote::get(const std::string& key, ByteRange range, const std::string& etag,
                           const std::function<Status(std::string_view)>& sink,
                           const RequestContext& context) {
  const auto counting = [&](std::string_view bytes) {
    counts_.bytes_received += bytes.size();
    return sink(bytes);
  };
  return counted(context,
                 [&](const RequestContext& inner) { return inner_->get(key, range, etag, counting, inner); });
}

Result<ListPage> CountingRemote::list(const std::string& prefix, const std::string& next,
                                      const RequestContext& context) {
  return counted(context, [&](const RequestContext& inner) { return inner_->list(prefix, next, inner); });
}

Status CountingRemote::copy(const std::string& from, const std::string& to, const RequestContext& context) {
  return counted(context, [&](const RequestContext& inner) { return inner_->copy(from, to, inner); });
}

Status CountingRemote::remove(const std::string& key, const RequestContext& context) {
  return counted(context, [&](const RequestContext& inner) { return inner_->remove(key, inner); });
}

}  // namespace shoebox
