#include "store/importer.h"

#include <pthread.h>

#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/decode/media_decoder.h"
#include "store/thumbnail_id.h"
#include "store/thumbnails/thumbnails.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

using Steady = std::chrono::steady_clock;
constexpr size_t kThreads = 2;  // as many as the pool has processes
constexpr uint8_t kCrashesUntilUndecodable = 2;
constexpr std::chrono::seconds kFirstRetry{1};
constexpr std::chrono::seconds kLongestRetry{300};

}  // namespace

struct Importer::State {
  explicit State(const Dependencies& given) : dependencies(given) {}

  void run();
  // Takes a content that is due; none: stopping.
  std::optional<ContentNo> next();
  void process(ContentNo content);
  // What the bytes on this disk say. kNotFound: there are none.
  Result<DecodedMedia> look(ContentNo content, const ContentRecord& record, const std::string& name);
  void put_thumbnails(ContentNo content, const ContentRecord& record, const DecodedMedia& media);
  // Counts a crash in the catalog; how many there were.
  Result<uint8_t> count_crash(ContentNo content);
  void retry_later(ContentNo content, const Status& why);
  void wake_deferred() REQUIRES(mutex);

  Dependencies dependencies;
  mutable Mutex mutex;
  ConditionVariable changed;
  std::deque<ContentNo> queue GUARDED_BY(mutex);
  std::set<ContentNo> known GUARDED_BY(mutex);  // queued, or deferred
  // Waits for a decoder or for room on the disk, in order of when to try again.
  std::multimap<Steady::time_point, ContentNo> deferred GUARDED_BY(mutex);
  Steady::time_point retry_at GUARDED_BY(mutex);
  std::chrono::seconds delay GUARDED_BY(mutex) = kFirstRetry;
  bool trouble_logged GUARDED_BY(mutex) = false;
  bool thumbnail_trouble_logged GUARDED_BY(mutex) = false;
  size_t running GUARDED_BY(mutex) = 0;
  bool stopping GUARDED_BY(mutex) = false;
  std::vector<std::thread> threads;
};

Importer::Importer(const Dependencies& dependencies) : state_(std::make_unique<State>(dependencies)) {}
Importer::~Importer() { stop(); }

void Importer::start() {
  if (state_->dependencies.decoder == nullptr || !state_->threads.empty()) return;
  std::vector<ContentNo> left;
  const Status looked =
      state_->dependencies.catalog.for_each_photo([&left](PhotoId, const PhotoRecord& photo) {
        if (photo.info.kind == MediaKind::kUnknown && photo.content) left.push_back(photo.content);
        for (const auto& [sidecar, facts] : photo.sidecars)
          if (facts.kind == MediaKind::kUnknown) left.push_back(sidecar);
        return true;
      });
  if (!looked.is_ok()) log::error("look for photos that are not decoded: {}", looked.message());
  {
    MutexLock lock(state_->mutex);
    state_->stopping = false;
  }
  for (const ContentNo content : left) enqueue(content);
  for (size_t i = 0; i < kThreads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->run(); });
  }
}

void Importer::stop() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  // A photo that takes long is decoded by the next mount.
  if (state_->dependencies.decoder != nullptr) state_->dependencies.decoder->cancel();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

void Importer::enqueue(ContentNo content) {
  if (state_->dependencies.decoder == nullptr || !content) return;
  {
    MutexLock lock(state_->mutex);
    if (state_->stopping || !state_->known.insert(content).second) return;
    state_->queue.push_back(content);
  }
  state_->changed.notify_all();
}

// What waits for a decoder that cannot be started does not count: it may never come.
void Importer::drain() NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(state_->mutex);
  state_->changed.wait(state_->mutex, [this]() NO_THREAD_SAFETY_ANALYSIS {
    return state_->stopping || (state_->queue.empty() && state_->running == 0);
  });
}

bool Importer::drain_for(std::chrono::milliseconds at_most) NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(state_->mutex);
  return state_->changed.wait_for(state_->mutex, at_most, [this]() NO_THREAD_SAFETY_ANALYSIS {
    return state_->stopping || (state_->queue.empty() && state_->running == 0);
  });
}

uint64_t Importer::pending() const {
  MutexLock lock(state_->mutex);
  return state_->queue.size() + state_->deferred.size() + state_->running;
}

Status Importer::make_thumbnails(ContentNo content) {
  const Dependencies& with = state_->dependencies;
  if (with.decoder == nullptr)
    return {Code::kUnavailable, "no decoder: thumbnails are made by a mounted library"};
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, with.catalog.content(content));
  if (!record) return {Code::kNotFound, "make a thumbnail: the photo is gone"};
  if (record->state != ContentState::kSealed)
    return {Code::kBusy, "make a thumbnail: the file is still being written"};
  SHOEBOX_ASSIGN(const UniqueFd fd, with.contents.open_local(content));
  // Some formats are told by the name only.
  SHOEBOX_ASSIGN(const std::optional<PhotoId> id, with.catalog.photo_of_content(content));
  std::optional<PhotoRecord> photo;
  if (id) {
    SHOEBOX_ASSIGN(photo, with.catalog.photo(*id));
  }
  SHOEBOX_ASSIGN(const DecodedMedia media,
                 with.decoder->decode(fd.get(), photo ? photo->original_name : std::string()));
  if (media.thumbnails.empty())
    return {Code::kNotSupported, "make a thumbnail: the file holds no picture that can be decoded"};
  for (const Thumbnail& thumbnail : media.thumbnails) {
    SHOEBOX_TRY(with.thumbnails.put(record->sha256, thumbnail.size_px, thumbnail.jpeg));
  }
  return Status::ok();
}

void Importer::State::run() {
  pthread_setname_np(pthread_self(), "importer");
  while (const std::optional<ContentNo> content = next()) {
    try {
      process(*content);
    } catch (const std::exception& error) {
      retry_later(*content, {Code::kUnavailable, error.what()});
    }
    {
      MutexLock lock(mutex);
      --running;
    }
    changed.notify_all();
  }
}

std::optional<ContentNo> Importer::State::next() NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(mutex);
  for (;;) {
    if (stopping) return {};
    wake_deferred();
    if (!queue.empty()) break;
    if (deferred.empty()) {
      changed.wait(mutex);
    } else {
      const Steady::time_point due = deferred.begin()->first;  // the entry may be gone when the wait ends
      changed.wait_until(mutex, due);
    }
  }
  const ContentNo content = queue.front();
  queue.pop_front();
  // Taken out now, so that a change that comes while it is decoded queues it again.
  known.erase(content);
  ++running;
  return content;
}

void Importer::State::wake_deferred() {
  const auto due = deferred.upper_bound(Steady::now());
  for (auto entry = deferred.begin(); entry != due; entry = deferred.erase(entry))
    queue.push_back(entry->second);
}

void Importer::State::process(ContentNo content) {
  const auto later_if_failed = [&](const Status& status) {
    if (!status.is_ok()) retry_later(content, status);
    return !status.is_ok();
  };
  const auto record = dependencies.catalog.content(content);
  const auto photo_id = dependencies.catalog.photo_of_content(content);
  if (later_if_failed(record.status()) || later_if_failed(photo_id.status())) return;
  // Replaced or deleted since.
  if (!record.value() || !is_immutable(record.value()->state)) return;
  // Evicted before it was decoded (a library of another machine): it is decoded when it is fetched.
  const bool adopted = record.value()->state == ContentState::kAdopted;
  if (record.value()->residence != Residence::kLocal && !adopted) return;
  if (adopted) {
    // Their head may be gone with the disk that had it, as above.
    const auto gaps = dependencies.contents.missing(content, kept_ranges(record.value()->size).front());
    if (later_if_failed(gaps.status()) || !gaps.value().empty()) return;
  }
  const bool is_sidecar = !photo_id.value();
  Result<std::string> name = std::string();
  if (is_sidecar) {
    name = dependencies.tree.sidecar_wanted(content);
    if (later_if_failed(name.status())) return;
    if (name.value().empty()) return;  // neither a photo nor a sidecar that one waits for
  } else {
    const auto photo = dependencies.catalog.photo(*photo_id.value());
    if (later_if_failed(photo.status())) return;
    // A twin of something known.
    if (!photo.value() || photo.value()->info.kind != MediaKind::kUnknown) return;
    name = photo.value()->original_name;
  }

  Result<DecodedMedia> media = DecodedMedia{};
  if (record.value()->decoder_crashes >= kCrashesUntilUndecodable) {
    media.value().info.kind = MediaKind::kUndecodable;
  } else {
    media = look(content, *record.value(), name.value());
  }
  if (media.code() == Code::kCancelled) return;  // found again by start()
  if (media.code() == Code::kDataLoss) {
    const Result<uint8_t> crashes = count_crash(content);
    if (later_if_failed(crashes.status())) return;
    log::warning("{} (content {}, crash {} of {})", media.status().message(), content.value, crashes.value(),
                 kCrashesUntilUndecodable);
    MutexLock lock(mutex);
    // Once more, after what waits: a crash may have been the machine's fault.
    if (!stopping && known.insert(content).second) queue.push_back(content);
    return;
  }
  if (later_if_failed(media.status())) return;
  const MediaInfo& info = media.value().info;
  // Read whole while its head was looked at: that look tells less, and all of it is queued.
  const auto now = dependencies.catalog.content(content);
  if (adopted && (!now || !*now || (*now)->state != ContentState::kAdopted)) return;
  if (!is_sidecar) put_thumbnails(content, *record.value(), media.value());
  kill_point("decode-thumbnails");
  if (later_if_failed(is_sidecar ? dependencies.tree.sidecar_read(content, info)
                                 : dependencies.tree.photo_decoded(content, info)))
    return;
  kill_point("decode-recorded");
  MutexLock lock(mutex);
  delay = kFirstRetry;
  trouble_logged = false;
}

// Of adopted bytes that nobody read whole, the head and the tail are here.
Result<DecodedMedia> Importer::State::look(ContentNo content, const ContentRecord& record,
                                           const std::string& name) {
  if (record.state == ContentState::kSealed) {
    SHOEBOX_ASSIGN(const UniqueFd fd, dependencies.contents.open_local(content));
    return dependencies.decoder->decode(fd.get(), name);
  }
  SHOEBOX_ASSIGN(const UniqueFd fd, dependencies.contents.open_partial(content));
  const std::vector<ByteRange> kept = kept_ranges(record.size);
  return dependencies.decoder->decode_part(fd.get(), name, {kept.front().end, kept.back().begin});
}

void Importer::State::put_thumbnails(ContentNo content, const ContentRecord& record,
                                     const DecodedMedia& media) {
  const ContentHash id = thumbnail_id(content, record);
  for (const Thumbnail& thumbnail : media.thumbnails) {
    const Status put = dependencies.thumbnails.put(id, thumbnail.size_px, thumbnail.jpeg);
    if (put.is_ok()) continue;
    // No reason to hold back the photo: a missing thumbnail is made when asked for.
    MutexLock lock(mutex);
    if (!thumbnail_trouble_logged) log::warning("{}; thumbnails are made again when needed", put.message());
    thumbnail_trouble_logged = true;
    return;
  }
}

Result<uint8_t> Importer::State::count_crash(ContentNo content) {
  const std::unique_ptr<Transaction> transaction = dependencies.catalog.begin();
  SHOEBOX_ASSIGN(std::optional<ContentRecord> record, transaction->content(content));
  if (!record) return kCrashesUntilUndecodable;
  if (record->decoder_crashes < UINT8_MAX) ++record->decoder_crashes;
  transaction->put_content(content, *record);
  SHOEBOX_TRY(transaction->commit());
  return record->decoder_crashes;
}

void Importer::State::retry_later(ContentNo content, const Status& why) {
  bool first = false;
  {
    MutexLock lock(mutex);
    // All that fails meanwhile waits for the same moment; only the next round waits longer.
    if (deferred.empty()) {
      retry_at = Steady::now() + delay;
      delay = std::min(delay * 2, kLongestRetry);
    }
    if (!stopping && known.insert(content).second) deferred.emplace(retry_at, content);
    first = !std::exchange(trouble_logged, true);
  }
  if (first) log::warning("photos wait to be decoded: {}; trying again", why.message());
}

}  // namespace shoebox
