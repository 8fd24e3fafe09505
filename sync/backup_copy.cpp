#include "sync/backup_copy.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/hash.h"
#include "store/catalog/backup_segment.h"
#include "sync/remote/small_object.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

constexpr uint64_t kMostHeadBytes = 32 << 20;  // a hundred thousand segments

}  // namespace

RequestContext BackupCopy::context(uint64_t bytes, const std::function<Status()>& allowed) const {
  RequestContext context;
  context.allowed = allowed;
  context.deadline = transfer_deadline(clock_, bytes);
  context.cancel = cancel_;
  return context;
}

// kDataLoss, after a second try: it is damaged.
Result<backup::Head> BackupCopy::head(const std::string& library, const std::string& key) const {
  Status last;
  for (int attempt = 0; attempt < 2; ++attempt) {
    SHOEBOX_ASSIGN(const RemoteObject there, remote_.stat(key, context(0)));
    if (there.size > kMostHeadBytes) {
      return Status(Code::kDataLoss, fmt::format("{} bytes are too many for a head", there.size));
    }
    const Result<std::string> text = read_small_object(remote_, key, there.size, context(there.size));
    // Of two answers that contradict each other neither counts.
    if (text.code() == Code::kNotFound) return Status(Code::kUnavailable, text.status().message());
    if (!text && text.code() != Code::kDataLoss) return text.status();
    Result<backup::Head> head = text ? backup::parse_head(*text) : Result<backup::Head>(text.status());
    if (head && head->library == library) return head;
    last = head ? Status(Code::kDataLoss, "backup head: of another library") : head.status();
    if (last.code() != Code::kIncompatible) last = Status(Code::kDataLoss, last.message());
  }
  return last;
}

Result<BackupCopy::Heads> BackupCopy::heads(const std::string& library) const {
  Heads heads;
  for (const uint64_t turn : {0, 1}) {
    const std::string key = backup::head_key(library, turn);
    Result<backup::Head> found = head(library, key);
    if (found) {
      heads.whole.push_back(std::move(*found));
    } else if (found.code() == Code::kDataLoss) {
      heads.damaged.push_back(fmt::format("{} on {}: {}", key, remote_.name(), found.status().message()));
      heads.damaged_turns.insert(turn);
    } else if (found.code() != Code::kNotFound) {
      return found.status();
    }
  }
  std::sort(heads.whole.begin(), heads.whole.end(),
            [](const backup::Head& a, const backup::Head& b) { return a.counter > b.counter; });
  return heads;
}

Result<std::vector<std::string>> BackupCopy::libraries() const {
  std::vector<std::string> ids;
  std::string next;
  do {
    SHOEBOX_ASSIGN(ListPage page, remote_.list(std::string(backup::kCatalogFolder), next, context(0)));
    for (const RemoteObject& object : page.objects) {
      const std::string_view rest = std::string_view(object.key).substr(backup::kCatalogFolder.size());
      const std::string id(rest.substr(0, rest.find('/')));
      if (backup::is_library_id(id) && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
    next = page.next;
  } while (!next.empty());
  return ids;
}

Result<std::map<std::string, uint64_t>> BackupCopy::objects(const std::string& library) const {
  std::map<std::string, uint64_t> found;
  for (const std::string_view folder : {backup::kCatalogFolder, backup::kThumbnailFolder}) {
    std::string next;
    do {
      SHOEBOX_ASSIGN(ListPage page, remote_.list(fmt::format("{}{}/", folder, library), next, context(0)));
      for (const RemoteObject& object : page.objects) found[object.key] = object.size;
      next = page.next;
    } while (!next.empty());
  }
  return found;
}

Result<std::string> BackupCopy::segment(const std::string& library, const backup::Segment& segment,
                                        const std::function<Status()>& allowed) const {
  const std::string key = backup::segment_key(library, segment);
  if (segment.bytes > backup::kMostSegmentBytes) return Status(Code::kDataLoss, key + ": too large");
  Status last;
  for (int attempt = 0; attempt < 2; ++attempt) {
    Result<std::string> file =
        read_small_object(remote_, key, segment.bytes, context(segment.bytes, allowed));
    if (file && sha256(*file) == segment.sha256) return file;
    last = file ? Status(Code::kDataLoss, fmt::format("{} on {}: its bytes do not match the hash of the head",
                                                      key, remote_.name()))
                : file.status();
    if (last.code() != Code::kDataLoss) break;
  }
  return last;
}

}  // namespace shoebox
