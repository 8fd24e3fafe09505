#include "sync/remote/folder_remote.h"

#include <fmt/format.h>

#include "store/base/hash.h"
#include "sync/remote/checks.h"
#include "sync/remote/remote_marker.h"
#include "sync/remote/small_object.h"
#include "sync/remote/temporary.h"

namespace shoebox {

FolderRemote::FolderRemote(std::string name, std::unique_ptr<FolderServer> server, bool used_before,
                           bool only_look)
    : name_(std::move(name)), server_(std::move(server)), only_look_(only_look), seen_(used_before) {}

std::string FolderRemote::what(std::string_view verb, std::string_view key) const {
  return fmt::format("{}: {} {}", server_->text(), verb, key);
}

Status FolderRemote::begin(const std::string& key, const RequestContext& context) {
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_TRY(check_key(key));
  if (is_reserved_key(key)) {
    return {Code::kInvalid, fmt::format("remote key {} is kept for the remote itself", key)};
  }
  return ready(context);
}

Status FolderRemote::ready(const RequestContext& context) {
  if (ready_) return Status::ok();
  const Status marker = read_marker(context);
  if (marker.code() == Code::kNotFound) {
    if (seen_) {
      return {
          Code::kUnavailable,
          fmt::format("{} has no {}, so it is not the folder used before: mount its storage, or make that "
                      "file if the backup there was removed on purpose",
                      server_->text(), kRemoteMarker)};
    }
    if (only_look_) return no_remote_yet(server_->text());
    SHOEBOX_TRY(first_use(context));
  } else if (!marker) {
    return marker;
  } else {
    remove_stale_temporaries(context);
  }
  seen_ = true;
  ready_ = true;
  return Status::ok();
}

Status FolderRemote::read_marker(const RequestContext& context) {
  SHOEBOX_ASSIGN(const FileFacts facts, server_->facts(kRemoteMarker, context));
  std::string text;
  const uint64_t size = std::min(facts.size, kMaxMarkerBytes);
  if (size > 0) {
    SHOEBOX_TRY(server_->read(
        kRemoteMarker, {0, size}, "",
        [&](std::string_view bytes) {
          text += bytes;
          return Status::ok();
        },
        context));
  }
  return check_remote_marker(text, server_->text() + "/" + kRemoteMarker);
}

Status FolderRemote::first_use(const RequestContext& context) {
  // The folder itself is the owner's to make: one that is merely not mounted must not be made up.
  auto root = server_->facts("", context);
  if (root.code() == Code::kNotFound || (root && !root->is_folder)) {
    return {Code::kUnavailable,
            fmt::format("{} is not there; make that folder on the server, or correct url", server_->text())};
  }
  if (!root) return root.status();
  SHOEBOX_TRY(server_->make_folder(kRemoteMetaFolder, context));
  const std::string_view text = remote_marker_text();
  SHOEBOX_ASSIGN(const UniqueFd fd, file_in_memory(text, kRemoteMarker));
  PutOptions options;
  options.size = text.size();
  options.sha256 = sha256(text);
  SHOEBOX_TRY(server_->write(kRemoteMarker, fd.get(), options, context).status());
  const Status written = read_marker(context);
  if (written.code() != Code::kNotFound) return written;
  return {Code::kUnavailable, what("make", kRemoteMarker) + ": it was written, but is not there"};
}

// What a crash left there. Young files may be uploads of another machine.
void FolderRemote::remove_stale_temporaries(const RequestContext& context) {
  auto entries = server_->entries(kRemoteTemporaries, context);
  if (!entries) return;
  const int64_t now_s = SystemClock().now().seconds;
  for (const FolderEntry& entry : *entries) {
    const int64_t made_s = entry.facts.modified_s;
    if (entry.facts.is_folder || made_s == 0 || now_s - made_s < kStaleTemporary_s) continue;
    // Leftovers cost storage, not safety.
    (void)server_->remove_file(fmt::format("{}/{}", kRemoteTemporaries, entry.name), context);
  }
}

Status FolderRemote::not_found(const std::string& path, const RequestContext& context) {
  auto marker = server_->facts(kRemoteMarker, context);
  if (marker) return {Code::kNotFound, what("find", path) + ": no such object"};
  if (marker.code() != Code::kNotFound) return marker.status();
  ready_ = false;
  return {Code::kUnavailable,
          fmt::format("{}: nothing is found there any more, not even {}: is its storage mounted?",
                      server_->text(), kRemoteMarker)};
}

Result<FileFacts> FolderRemote::facts(const std::string& path, const RequestContext& context) {
  auto facts = server_->facts(path, context);
  if (facts.code() == Code::kNotFound) return not_found(path, context);
  return facts;
}

Result<FileFacts> FolderRemote::object(const std::string& key, const RequestContext& context) {
  SHOEBOX_ASSIGN(FileFacts found, facts(key, context));
  if (found.is_folder) return Status(Code::kNotFound, what("find", key) + ": it is a folder");
  return found;
}

Status FolderRemote::check(const RequestContext& context) {
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_TRY(ready(context));
  auto marker = server_->facts(kRemoteMarker, context);
  if (marker.code() == Code::kNotFound) return not_found(kRemoteMarker, context);
  return marker.status();
}

Result<RemoteObject> FolderRemote::stat(const std::string& key, const RequestContext& context) {
  SHOEBOX_TRY(begin(key, context));
  SHOEBOX_ASSIGN(const FileFacts found, object(key, context));
  return RemoteObject{key, found.etag, found.size, found.modified_s};
}

Status FolderRemote::get(const std::string& key, ByteRange range, const std::string& etag,
                         const std::function<Status(std::string_view)>& sink, const RequestContext& context) {
  SHOEBOX_TRY(begin(key, context));
  if (range.empty()) {
    SHOEBOX_ASSIGN(const FileFacts found, object(key, context));
    if (etag.empty() || found.etag == etag) return Status::ok();
    return {Code::kConflict, fmt::format("{}: etag is {}, not {}", what("get", key), found.etag, etag)};
  }
  const Status read = server_->read(key, range, etag, sink, context);
  return read.code() == Code::kNotFound ? not_found(key, context) : read;
}

Status FolderRemote::remove(const std::string& key, const RequestContext& context) {
  SHOEBOX_TRY(begin(key, context));
  auto found = facts(key, context);
  if (found.code() == Code::kNotFound) return Status::ok();
  if (!found) return found.status();
  // WebDAV removes a folder with everything in it.
  if (found->is_folder) return {Code::kInvalid, what("remove", key) + ": it is a folder, not an object"};
  const Status removed = server_->remove_file(key, context);
  if (removed.code() != Code::kNotFound) return removed;
  const Status confirmed = not_found(key, context);
  return confirmed.code() == Code::kNotFound ? Status::ok() : confirmed;
}

Result<uint64_t> FolderRemote::remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                                const RequestContext& context) {
  if (!key.empty()) return 0;  // a temporary does not tell what it was to be
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_TRY(ready(context));
  auto entries = server_->entries(kRemoteTemporaries, context);
  if (entries.code() == Code::kNotFound) return 0;
  if (!entries) return entries.status();
  uint64_t removed = 0;
  for (const FolderEntry& entry : *entries) {
    if (entry.facts.is_folder || is_temporary_of_this_process(entry.name)) continue;
    SHOEBOX_ASSIGN(const bool wanted, given_up({"", entry.name}));
    if (!wanted) continue;
    SHOEBOX_TRY(check_wanted(context));
    const Status gone = server_->remove_file(fmt::format("{}/{}", kRemoteTemporaries, entry.name), context);
    if (!gone && gone.code() != Code::kNotFound) return gone;
    ++removed;
  }
  return removed;
}

}  // namespace shoebox
