// The library: the façade that owns every part of the store, opened on one folder by one process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/catalog/records.h"
#include "store/settings.h"
#include "store/view.h"

namespace shoebox {

class Catalog;
class ContentSource;
class ContentStore;
class Evictor;
class Files;
class Importer;
class MediaDecoder;
class Outbox;
class Thumbnails;
class Tree;

// kNotDirectory: something else than a folder stands at this path, or in its way. Ok where nothing does.
Status check_library_folder(const std::string& path);
// Whether a library was made in this folder; not whether it can be opened.
bool holds_library(const std::string& path);
// What to tell who named a folder in which none was.
Status no_library(const std::string& path);

class Library {
 public:
  struct Options {
    std::string path;  // LIBRARY/
    bool create = true;
    bool read_only = false;
    // Another machine writes this library: nothing of it changes here but by what comes from there, and
    // what is on this disk. read_only() says so too.
    bool follow = false;
    bool salvage = false;  // a damaged catalog is built anew from what of it can be read (fsck --repair)
    std::vector<std::unique_ptr<View>> views;
    MediaDecoder* decoder = nullptr;            // null: nothing is decoded (commands that only look)
    const Clock* clock = nullptr;               // null: the system's
    std::vector<RemoteSettings> extra_remotes;  // from the command line (--remote)
    bool extra_remotes_stay = true;             // they are written into shoebox.toml
    // Whether to wait, for half a minute at most, for whoever has it open; empty: only while that one is
    // ending.
    std::function<bool(const std::string& library)> worth_waiting;
  };

  // Takes LIBRARY/lock; kBusy names the pid that holds it, after the wait for one that ends. Recovers from a
  // crash. Call it in the process that goes on: a fork afterwards would share the lock and miss the threads.
  static Result<std::unique_ptr<Library>> open(Options options);
  ~Library();  // stop()

  // Starts the background work: importer, evictor. `source` serves reads of evicted files.
  void start(ContentSource* source);
  // Commits open files, ends background work. Queued uploads stay in the catalog.
  void stop();

  [[nodiscard]] const std::string& path() const;
  // Of the originals, on this disk. Of a read-only library the first call looks at each.
  [[nodiscard]] uint64_t local_bytes() const;
  [[nodiscard]] Settings settings() const;  // as they stand now
  // While the library is open: what shoebox.toml says by now. Remotes that left it count for no eviction any
  // more; kBusy: one of them holds the only copy of something, and all stay. apply_settings() follows.
  Result<Settings> reread_settings();
  // Makes them those of the library, when nothing works on remotes that left or moved any more. The folders
  // of Dates keep their layout until the next mount. One thread at a time.
  Status apply_settings(const Settings& next);
  Catalog& catalog();
  ContentStore& contents();
  Tree& tree();
  Files& files();
  Outbox& outbox();
  Evictor& evictor();
  Importer& importer();
  Thumbnails& thumbnails();
  [[nodiscard]] const Clock& clock() const;
  [[nodiscard]] bool read_only() const;  // asked for, or the disk is, or another machine writes it
  [[nodiscard]] bool follows() const;    // another machine writes it, and what comes from there shows here
  // Serves reads of evicted files without any background work; start() sets it too.
  void set_source(ContentSource* source);
  // Null when there is nothing to fetch from.
  [[nodiscard]] ContentSource* source() const;

 private:
  Status recover();
  struct State;
  explicit Library(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
