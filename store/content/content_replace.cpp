// Numbers that mean other bytes from now on: a library that follows another machine takes a catalog whose
// history is not the one it showed (a takeover, a remote that was put back to an older state).
#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {

Result<std::shared_ptr<void>> ContentStore::replace_bytes(const std::vector<ContentNo>& contents) {
  State& state = *state_;
  {
    MutexLock loading(state.load_mutex);
    state.replacing.insert(contents.begin(), contents.end());
  }
  std::shared_ptr<void> until(nullptr, [&state, contents](void*) {
    {
      MutexLock loading(state.load_mutex);
      for (const ContentNo content : contents) state.replacing.erase(content);
    }
    state.replaced.notify_all();
  });
  for (const ContentNo content : contents) {
    // First: a crash leaves a content of which nothing is here, which is no error.
    const Status noted = state.set_residence(content, Residence::kPartial);
    if (!noted && noted.code() != Code::kNotFound) return noted;
  }
  SHOEBOX_TRY(state.catalog.sync());
  for (const ContentNo content : contents) SHOEBOX_TRY(state.remove_files(content));
  state.generation.fetch_add(1, std::memory_order_release);
  if (!contents.empty()) log::info("{} contents have other bytes where they are written", contents.size());
  return until;
}

// A number that is being replaced has no bytes to open, neither the former ones nor those to come.
void ContentStore::State::wait_replaced(ContentNo content) {
  while (replacing.contains(content)) replaced.wait(load_mutex);
}

}  // namespace shoebox
