#include "sync/owner_objects.h"

#include <fmt/format.h>

#include <algorithm>

#include "sync/remote/small_object.h"

namespace shoebox {
namespace {

// Of one request. A lease that is shorter is lost when a request takes that long.
constexpr std::chrono::seconds kRequestPatience{10};

}  // namespace

RequestContext OwnerObjects::context(const CancelToken& cancel) const {
  RequestContext context;
  context.cancel = cancel;
  context.deadline = clock_.steady() + kRequestPatience;
  return context;
}

Result<OwnerObjects::Found> OwnerObjects::find(const CancelToken& cancel, uint64_t* damaged_term) const {
  Found found;
  std::string next;
  do {
    SHOEBOX_ASSIGN(const ListPage page, remote_.list(std::string(kOwnerFolder), next, context(cancel)));
    for (const RemoteObject& object : page.objects) {
      if (const uint64_t term = term_of_key(object.key); term > 0) found.terms.push_back(term);
    }
    next = page.next;
  } while (!next.empty());
  std::sort(found.terms.begin(), found.terms.end());
  // Some servers take an object away for a moment while they replace it, and some list not all.
  const uint64_t term = found.terms.empty() ? 1 : found.terms.back();
  Result<OwnerRecord> last = read(owner_key(term), cancel);
  if (!last && last.code() == Code::kNotFound && found.terms.empty()) return found;
  if (!last && last.code() == Code::kNotFound) {
    return Status(Code::kUnavailable,
                  fmt::format("{} on {} is listed but not found", owner_key(term), remote_.name()));
  }
  if (found.terms.empty()) found.terms.push_back(term);
  const bool damaged = last.code() == Code::kDataLoss || last.code() == Code::kIncompatible;
  if (damaged && damaged_term != nullptr) *damaged_term = term;
  if (!last) return last.status();
  found.last = std::move(*last);
  return found;
}

Result<OwnerRecord> OwnerObjects::read(const std::string& key, const CancelToken& cancel) const {
  const Result<std::string> text = read_small_object(remote_, key, kOwnerRecordBytes, context(cancel));
  // An answer that was cut off says nothing of the record: asked again, it may be whole.
  if (text.code() == Code::kDataLoss) return Status(Code::kUnavailable, text.status().message());
  if (!text) return text.status();
  Result<OwnerRecord> record = parse_owner_record(*text);
  if (!record) return record.status().with_context(fmt::format("{} on {}", key, remote_.name()));
  const bool is_request = record->state == OwnerState::kAsks || record->state == OwnerState::kTook;
  if (is_request != (key == kOwnerRequest) || (!is_request && key != owner_key(record->term))) {
    return Status(Code::kDataLoss, fmt::format("{} on {}: it belongs to another key", key, remote_.name()));
  }
  return record;
}

Status OwnerObjects::put(const std::string& key, const OwnerRecord& record, bool if_absent,
                         const RequestContext& context) const {
  return put_small_object(remote_, key, encode(record), if_absent, context).status();
}

OwnerObjects::Put OwnerObjects::create(const OwnerRecord& record, const CancelToken& cancel) const {
  RequestHints hints;
  RequestContext context = this->context(cancel);
  context.hints = &hints;
  Put result;
  result.status = put(owner_key(record.term), record, /*if_absent=*/true, context);
  result.looked_first = hints.looked_first;
  return result;
}

Status OwnerObjects::replace(const std::string& key, const OwnerRecord& record,
                             const CancelToken& cancel) const {
  return put(key, record, /*if_absent=*/false, context(cancel));
}

Status OwnerObjects::remove(uint64_t term, const CancelToken& cancel) const {
  return remote_.remove(owner_key(term), context(cancel));
}

}  // namespace shoebox
