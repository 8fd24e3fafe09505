// Files of erased contents go after the erasure is durable: were they gone before, a power cut could
// bring back a record whose bytes are lost. One thread does it, for many at a time with one sync.
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/content/content_state.h"

namespace shoebox {

Status ContentStore::remove(ContentNo content) { return state_->remove_files(content); }

Status ContentStore::State::remove_files(ContentNo content) {
  const Claim claim(*this, content);
  int64_t freed = std::max<int64_t>(0, file_size(object(content)));
  Status first;
  const auto drop = [&first](const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT && first) {
      first = Status::from_errno(errno, "unlink " + path);
    }
  };
  {
    MutexLock loading(load_mutex);
    if (const std::shared_ptr<Partial> entry = find_partial(content)) {
      MutexLock lock(entry->mutex);
      freed += static_cast<int64_t>(entry->pages.bytes());
    } else if (const Result<std::string> file = read_file(blocks(content)); file && freed == 0) {
      const int64_t size = std::max<int64_t>(0, file_size(partial(content)));
      if (const auto set = BlockSet::decode(*file, static_cast<uint64_t>(size))) {
        freed += static_cast<int64_t>(set->bytes());
      }
    }
    retire(content);
    drop(staging(content));
    drop(object(content));
    drop(partial(content));
    drop(blocks(content));
  }
  total_bytes -= freed;
  note_partial(content, 0, 0);
  MutexLock lock(durable_mutex);
  durable_names.erase(content);
  return first;
}

Result<std::vector<ContentNo>> ContentStore::State::erased_before() const {
  std::vector<ContentNo> contents;
  const std::string prefix = keys::meta(keys::kMetaErased);
  SHOEBOX_TRY(catalog.scan(prefix, prefix, [&](std::string_view key, std::string_view) {
    uint64_t number = 0;
    const char* const end = key.data() + key.size();
    if (std::from_chars(key.data() + prefix.size(), end, number).ptr == end) contents.emplace_back(number);
    return true;
  }));
  return contents;
}

// Not synced: whoever finds the note again finds no files.
Status ContentStore::State::note_gone(const std::vector<ContentNo>& contents) {
  if (contents.empty()) return Status::ok();
  const std::unique_ptr<Transaction> transaction = catalog.begin();
  for (const ContentNo content : contents) transaction->put_raw(keys::erased_content(content), std::nullopt);
  return transaction->commit();
}

void ContentStore::State::run_remover() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "content-remover");
  ErasedQueue& queue = *erased;
  queue.mutex.lock();
  for (;;) {
    queue.changed.wait(
        queue.mutex, [&queue]() REQUIRES(queue.mutex) { return queue.stopping || !queue.contents.empty(); });
    if (queue.contents.empty()) break;
    std::vector<ContentNo> batch;
    batch.swap(queue.contents);
    queue.removing = true;
    queue.mutex.unlock();
    Status status = catalog.sync();
    kill_point("erase-synced");
    std::vector<ContentNo> gone;
    for (const ContentNo content : status ? batch : std::vector<ContentNo>()) {
      if (Status removed = remove_files(content); removed) {
        gone.push_back(content);
      } else {
        status = removed;
      }
      kill_point("erase-removed");
    }
    if (Status noted = note_gone(gone); !noted) status = noted;
    if (!status) log::error("files of deleted contents stay until the next mount: {}", status.message());
    queue.mutex.lock();
    queue.removing = false;
    queue.changed.notify_all();
  }
  queue.mutex.unlock();
}

void ContentStore::drain_removals() NO_THREAD_SAFETY_ANALYSIS {
  ErasedQueue& queue = *state_->erased;
  MutexLock lock(queue.mutex);
  queue.changed.wait(queue.mutex,
                     [&queue]() REQUIRES(queue.mutex) { return queue.contents.empty() && !queue.removing; });
}

}  // namespace shoebox
