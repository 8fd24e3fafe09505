#include "store/content/content_source.h"

#include <algorithm>
#include <future>
#include <memory>

namespace shoebox {

Status fetch_and_wait(ContentSource& source, ContentNo content, ByteRange range, const CancelToken& cancel) {
  const auto fetched = std::make_shared<std::promise<Status>>();  // shared: set_value() may outlast get()
  std::future<Status> answer = fetched->get_future();
  source.fetch(content, range, cancel, [fetched](Status status) { fetched->set_value(std::move(status)); });
  return answer.get();
}

Status fetch_pieces_and_wait(ContentSource& source, ContentNo content, uint64_t size,
                             const CancelToken& cancel) {
  for (uint64_t at = 0; at < size; at += kFetchPieceBytes) {
    if (cancel.cancelled()) return {Code::kCancelled, "interrupted"};
    SHOEBOX_TRY(fetch_and_wait(source, content, {at, std::min(size, at + kFetchPieceBytes)}, cancel));
  }
  return Status::ok();
}

}  // namespace shoebox
