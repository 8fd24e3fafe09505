// Brings a whole evicted content back, for somebody who wants to change it.
#include <fmt/format.h>

#include <future>

#include "store/catalog/catalog.h"
#include "store/content/content_source.h"
#include "store/files_state.h"

namespace shoebox {
namespace {

constexpr std::chrono::seconds kDeadline(30);  // no request waits longer (design, promise 7)

}  // namespace

void Files::State::fetch_all(ContentNo content, CancelToken cancel, std::function<void(Status)> done) {
  struct Job {
    State* state;
    ContentNo content;
    uint64_t size;
    CancelToken cancel;
    std::function<void(Status)> done;
    Clock::Steady deadline;
    ByteRange last;

    static void step(const std::shared_ptr<Job>& job) {
      const auto gaps = job->state->deps.contents.missing(job->content, {0, job->size});
      // Adopted bytes that turned out to be known ones gave way to those: the caller looks again.
      if (gaps.code() == Code::kNotFound && !job->last.empty()) return job->done(Status::ok());
      if (!gaps) return job->done(gaps.status());
      if (gaps->empty()) return job->done(job->state->deps.contents.settle_fetched(job->content));
      if (job->state->source == nullptr) {
        return job->done(
            Status(Code::kUnavailable, fmt::format("content {}: not on this disk and no remote is "
                                                   "set up to fetch it from",
                                                   job->content.value)));
      }
      if (job->state->deps.clock.steady() > job->deadline) {
        return job->done(
            Status(Code::kTimeout, fmt::format("content {}: not fetched within {} s, what arrived "
                                               "is kept; try again",
                                               job->content.value, kDeadline.count())));
      }
      ByteRange piece = gaps->front();
      piece.end = std::min(piece.end, piece.begin + kFetchPieceBytes);
      if (piece == job->last) {
        return job->done(Status(Code::kIo, fmt::format("content {}: bytes {} to {} were fetched but did not "
                                                       "stay on this disk",
                                                       job->content.value, piece.begin, piece.end)));
      }
      job->last = piece;
      ++job->state->fetches;
      job->state->source->fetch(job->content, piece, job->cancel, [job](const Status& fetched) {
        if (!fetched) return job->done(fetched);
        step(job);
      });
    }
  };
  const auto record = deps.catalog.content(content);
  if (!record) return done(record.status());
  if (!*record) {
    return done(Status(Code::kNotFound, fmt::format("content {}: not in the catalog", content.value)));
  }
  Job::step(std::make_shared<Job>(Job{this,
                                      content,
                                      (*record)->size,
                                      std::move(cancel),
                                      std::move(done),
                                      deps.clock.steady() + kDeadline,
                                      {}}));
}

Status Files::State::fetch_all_and_wait(ContentNo content) {
  const auto answer = std::make_shared<std::promise<Status>>();  // shared: it may come after we gave up
  std::future<Status> waiting = answer->get_future();
  const CancelToken cancel;
  fetch_all(content, cancel, [answer](Status fetched) { answer->set_value(std::move(fetched)); });
  if (waiting.wait_for(kDeadline) == std::future_status::ready) return waiting.get();
  cancel.cancel();
  return Status(Code::kTimeout,
                fmt::format("content {}: not fetched within {} s, what arrived is kept; try again",
                            content.value, kDeadline.count()));
}

}  // namespace shoebox
