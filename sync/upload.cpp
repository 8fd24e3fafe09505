#include "sync/upload.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/file_hash.h"
#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/content/content_source.h"
#include "sync/move_aside.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

// A saved progress belongs to one key: a file that was renamed since starts anew.
std::string progress_for(const std::string& saved, const std::string& key) {
  const size_t end = saved.find('\n');
  return end != std::string::npos && saved.compare(0, end, key) == 0 ? saved.substr(end + 1) : std::string();
}

}  // namespace

Result<RemoteCopy> Upload::send(const ReadyUpload& upload, const CancelToken& cancel,
                                RequestHints& hints) const {
  const ContentNo content = upload.job.content;
  if (upload.content.residence == Residence::kPartial) SHOEBOX_TRY(bring_back(upload, cancel));
  SHOEBOX_ASSIGN(const UniqueFd fd, outbox.open(content));

  RequestContext context;
  context.cancel = cancel;
  context.hints = &hints;
  context.at_once = at_once;
  context.deadline = transfer_deadline(clock, upload.content.size);

  PutOptions options;
  options.size = upload.content.size;
  options.sha256 = upload.content.sha256;
  options.file_time = upload.file_time;
  options.if_absent = true;
  options.progress = progress_for(upload.job.progress, upload.key);
  options.save_progress = [&](const std::string& progress) {
    return outbox.save_progress(content, remote.name(), upload.key + '\n' + progress);
  };
  SHOEBOX_TRY(outbox.sending(content, remote.name(), upload.key));
  kill_point("upload-noted");
  SHOEBOX_TRY(clear_away(upload, context));
  Result<RemoteObject> put = remote.put(upload.key, fd.get(), options, context);
  if (!put && put.code() == Code::kConflict) {
    SHOEBOX_TRY(move_aside(remote, upload.key, clock, context));
    options.if_absent = false;
    put = remote.put(upload.key, fd.get(), options, context);
  }
  if (!put) return put.status();
  if (put->size != upload.content.size) {
    return Status(Code::kDataLoss,
                  fmt::format("{} on {}: {} bytes were sent and {} confirmed; it is sent again", upload.key,
                              remote.name(), upload.content.size, put->size));
  }
  kill_point("upload-stored");
  RemoteCopy copy;
  copy.key = upload.key;
  copy.etag = put->etag;
  copy.size = put->size;
  copy.confirmed_s = clock.now().seconds;
  return copy;
}

Status Upload::clear_away(const ReadyUpload& upload, const RequestContext& context) const {
  SHOEBOX_ASSIGN(const std::string bad, outbox.bad_object(upload.job.content, remote.name(), upload.key));
  if (bad.empty()) return Status::ok();
  const auto there = remote.stat(upload.key, context);
  if (there.code() == Code::kNotFound) return Status::ok();
  if (!there) return there.status();
  if (there->etag != bad) return Status::ok();  // somebody's since
  SHOEBOX_TRY(move_aside(remote, upload.key, clock, context));
  kill_point("verify-aside");
  SHOEBOX_TRY(remote.remove(upload.key, context));
  kill_point("verify-removed");
  return Status::ok();
}

bool Upload::is_damaged_here(const ReadyUpload& upload, const CancelToken& cancel) const {
  if (upload.content.state != ContentState::kSealed || upload.content.residence != Residence::kLocal)
    return false;
  const Result<UniqueFd> fd = outbox.open(upload.job.content);
  if (!fd) return false;
  const Result<ContentHash> hash = sha256_of_file(fd->get(), cancel);
  return hash && *hash != upload.content.sha256;
}

Status Upload::bring_back(const ReadyUpload& upload, const CancelToken& cancel) const {
  if (source == nullptr) return {Code::kUnavailable, "content is evicted and no remote serves reads"};
  SHOEBOX_TRY(fetch_pieces_and_wait(*source, upload.job.content, upload.content.size, cancel));
  return outbox.settle_fetched(upload.job.content);
}

}  // namespace shoebox
