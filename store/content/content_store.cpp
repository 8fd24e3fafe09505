#include "store/content/content_store.h"

#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {

Result<std::unique_ptr<ContentStore>> ContentStore::open(const std::string& library, Catalog& catalog) {
  for (const char* folder : {"/staging", "/objects", "/partial", "/recovered"}) {
    SHOEBOX_TRY(make_dir(library + folder));
  }
  SHOEBOX_TRY(fsync_dir(library));
  auto state = std::make_unique<State>(library, catalog);
  (void)state->keep_reserve();  // on a full or read-only disk there is none
  State* raw = state.get();
  catalog.on_content_erased([queue = state->erased](ContentNo content) {
    {
      MutexLock lock(queue->mutex);
      queue->contents.push_back(content);
    }
    queue->changed.notify_all();
  });
  raw->remover = std::thread([raw] { raw->run_remover(); });
  return std::unique_ptr<ContentStore>(new ContentStore(std::move(state)));
}

ContentStore::ContentStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

ContentStore::~ContentStore() {
  {
    MutexLock lock(state_->erased->mutex);
    state_->erased->stopping = true;
  }
  state_->erased->changed.notify_all();
  state_->remover.join();
  state_->remove_names_ahead();
  if (const Status saved = flush_partials(); !saved) {
    log::warning("lists of fetched blocks not saved, they will be fetched again: {}", saved.message());
  }
}

uint64_t ContentStore::local_total_bytes() const {
  return static_cast<uint64_t>(std::max<int64_t>(0, state_->total_bytes.load()));
}

uint64_t ContentStore::generation() const { return state_->generation.load(std::memory_order_acquire); }

const std::string& ContentStore::root() const { return state_->root; }

}  // namespace shoebox
