#include "store/content/content_source.h"

#include <future>
#include <memory>

namespace shoebox {

Status fetch_and_wait(ContentSource& source, ContentNo content, ByteRange range, const CancelToken& cancel) {
  const auto fetched = std::make_shared<std::promise<Status>>();  // shared: set_value() may outlast get()
  std::future<Status> answer = fetched->get_future();
  source.fetch(content, range, cancel, [fetched](Status status) { fetched->set_value(std::move(status)); });
  return answer.get();
}

}  // namespace shoebox
