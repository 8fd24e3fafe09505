// Opens the parts in the order in which they need one another, wires their callbacks, recovers
// from a crash before anything is served, and ends them in the opposite order.
#include "store/library.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <mutex>

#include "store/base/file_io.h"
#include "store/base/log.h"
#include "store/bring_back.h"
#include "store/catalog/catalog.h"
#include "store/check_contents.h"
#include "store/content/content_store.h"
#include "store/evictor.h"
#include "store/files.h"
#include "store/housekeeping.h"
#include "store/importer.h"
#include "store/library_lock.h"
#include "store/library_remotes.h"
#include "store/live_settings.h"
#include "store/outbox.h"
#include "store/settings_backup.h"
#include "store/thumbnails/thumbnails.h"
#include "store/tree/tree.h"

namespace shoebox {

// Declared in the order of construction; destroyed from the bottom up.
struct Library::State {
  std::string path;
  bool read_only = false;
  bool follow = false;
  SystemClock system_clock;
  const Clock* clock = nullptr;
  LiveSettings settings;
  std::vector<std::unique_ptr<View>> views;
  MediaDecoder* decoder = nullptr;
  ContentSource* source = nullptr;
  std::once_flag counted;
  uint64_t found_bytes = 0;  // on this disk, where recover() does not count them; when first asked
  bool started = false;
  bool stopped = false;
  std::unique_ptr<LibraryLock> lock;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<ContentStore> contents;
  std::unique_ptr<Thumbnails> thumbnails;
  std::unique_ptr<Tree> tree;
  std::unique_ptr<Files> files;
  std::unique_ptr<Outbox> outbox;
  std::unique_ptr<Evictor> evictor;
  std::unique_ptr<Importer> importer;
  std::unique_ptr<Housekeeping> housekeeping;
};

namespace {

enum class Folder { kLibrary, kFresh };

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

Result<std::vector<std::string>> names_in(const std::string& path) {
  const std::unique_ptr<DIR, DirCloser> dir(::opendir(path.c_str()));
  if (!dir) return Status::from_errno(errno, "open " + path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

// What a crash leaves of write_file_atomically().
bool is_half_written_settings(const std::string& name) { return name.starts_with("shoebox.toml.tmp."); }

void remove_half_written_settings(const std::string& library) {
  const Result<std::vector<std::string>> names = names_in(library);
  if (!names) return;  // clutter, no harm
  for (const std::string& name : *names) {
    if (is_half_written_settings(name)) ::unlink((library + "/" + name).c_str());
  }
}

// Whether this folder is a library, or may become one. A folder with somebody's files in it may
// not: they would be taken for parts of a library. Bytes without a catalog are never built over,
// because an empty catalog would call all of them leftovers.
Result<Folder> inspect(const std::string& path) {
  struct stat st {};
  if (::stat((path + "/catalog").c_str(), &st) == 0 && S_ISDIR(st.st_mode)) {
    SHOEBOX_ASSIGN(const std::vector<std::string> tables, names_in(path + "/catalog"));
    // One that was killed while it was made the first time holds nothing yet, and is made again.
    const bool begun = std::none_of(tables.begin(), tables.end(), [](const std::string& name) {
      return name == "CURRENT" || name.ends_with(".sst") || name.ends_with(".log");
    });
    if (!begun) return Folder::kLibrary;
  }
  SHOEBOX_ASSIGN(const std::vector<std::string> names, names_in(path));
  bool ours = false;
  std::string foreign;
  for (const std::string& name : names) {
    if (name == "shoebox.toml") ours = true;
    if (name == "objects" || name == "partial" || name == "staging") {
      SHOEBOX_ASSIGN(const std::vector<std::string> inside, names_in(path + "/" + name));
      if (!inside.empty()) {
        return Status(
            Code::kDataLoss,
            fmt::format("library {} has photos in {}/ but its catalog/ is gone; put the "
                        "catalog back from a backup of this disk, or make the library anew in another "
                        "folder with shoebox rebuild --from a remote; nothing was changed",
                        path, name));
      }
      continue;
    }
    static constexpr const char* kHarmless[] = {"shoebox.toml", "lost+found", "lock",
                                                "control.sock", "catalog",    "thumbnails",
                                                "recovered",    "writer",     "writer.new"};
    bool harmless = is_half_written_settings(name);
    for (const char* one : kHarmless) harmless = harmless || name == one;
    if (!harmless) foreign = name;
  }
  if (!foreign.empty() && !ours) {
    return Status(Code::kNotEmpty,
                  fmt::format("{} is no library and not empty (it holds \"{}\"); give a new or empty "
                              "folder, photos are copied in after mounting",
                              path, foreign));
  }
  return Folder::kFresh;
}

// Advice for who makes a library is none for who names one.
Result<Folder> inspect_for(const std::string& path, bool may_make) {
  const Result<Folder> folder = inspect(path);
  const bool is_none = folder ? *folder == Folder::kFresh : folder.code() == Code::kNotEmpty;
  if (is_none && !may_make) return no_library(path);
  return folder;
}

// Makes the folder if it may, and gives its path without symlinks, by which everybody names it.
Result<std::string> ensure_folder(const std::string& path, bool create) {
  SHOEBOX_TRY(check_library_folder(path));
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    if (errno != ENOENT) return Status::from_errno(errno, "open library " + path);
    if (!create) return no_library(path);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return Status::from_errno(errno, "make library folder " + path);
    }
  }
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), &::free);
  if (!real) return Status::from_errno(errno, "open library " + path);
  return std::string(real.get());
}

// A disk that is mounted read-only makes a read-only library; a folder of somebody else is refused.
Result<bool> must_be_read_only(const std::string& path, bool asked) {
  if (asked) return true;
  if (::access(path.c_str(), W_OK) == 0) return false;
  if (errno == EROFS) {
    log::warning("library {} is on a read-only disk: nothing can be changed", path);
    return true;
  }
  return Status::from_errno(errno, fmt::format("library {} cannot be written by this user", path));
}

}  // namespace

Status check_library_folder(const std::string& path) {
  struct stat st {};
  const bool there = ::stat(path.c_str(), &st) == 0;
  if (there ? S_ISDIR(st.st_mode) : errno != ENOTDIR) return Status::ok();
  return {Code::kNotDirectory, fmt::format("library {} is not a folder", path)};
}

bool holds_library(const std::string& path) {
  struct stat st {};
  return ::stat((path + "/catalog").c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

Status no_library(const std::string& path) {
  return {Code::kNotFound,
          fmt::format("{} holds no library; make one with: shoebox mount {} MOUNTPOINT", path, path)};
}

Library::Library(std::unique_ptr<State> state) : state_(std::move(state)) {}

Library::~Library() {
  if (state_) stop();
}

Result<std::unique_ptr<Library>> Library::open(Options options) {
  auto state = std::make_unique<State>();
  State& s = *state;
  SHOEBOX_ASSIGN(s.path, ensure_folder(options.path, options.create && !options.read_only));
  SHOEBOX_ASSIGN(s.read_only, must_be_read_only(s.path, options.read_only));
  s.follow = options.follow && !s.read_only;
  s.clock = options.clock != nullptr ? options.clock : &s.system_clock;
  s.views = std::move(options.views);
  s.decoder = options.decoder;

  const bool may_make = options.create && !s.read_only && !s.follow;
  SHOEBOX_ASSIGN(Folder folder, inspect_for(s.path, may_make));
  SHOEBOX_ASSIGN(LibraryLock lock, LibraryLock::take(s.path, s.read_only, options.worth_waiting));
  s.lock = std::make_unique<LibraryLock>(std::move(lock));
  // Whoever was waited for may have made it.
  if (folder == Folder::kFresh) {
    SHOEBOX_ASSIGN(folder, inspect_for(s.path, may_make));
  }
  if (!s.read_only) remove_half_written_settings(s.path);

  SHOEBOX_ASSIGN(Settings settings, Settings::load(s.path + "/shoebox.toml"));
  SHOEBOX_TRY(
      adopt_remotes(s.path, options.extra_remotes, s.read_only || !options.extra_remotes_stay, settings));
  s.settings.set(settings);

  Catalog::Options catalog_options;
  catalog_options.read_only = s.read_only;
  catalog_options.create = folder == Folder::kFresh;
  catalog_options.root_uid = ::getuid();
  catalog_options.root_gid = ::getgid();
  Result<std::unique_ptr<Catalog>> catalog = Catalog::open(s.path + "/catalog", catalog_options);
  if (!catalog && catalog.code() == Code::kDataLoss && options.salvage && !s.read_only) {
    log::warning("{}; building it anew from what can be read", catalog.status().message());
    SHOEBOX_TRY(Catalog::salvage(s.path + "/catalog"));
    catalog_options.salvaged = true;
    catalog = Catalog::open(s.path + "/catalog", catalog_options);
  }
  if (!catalog) return catalog.status();
  s.catalog = std::move(*catalog);
  SHOEBOX_TRY(refuse_unencrypted(*s.catalog, settings));
  SHOEBOX_ASSIGN(s.contents, ContentStore::open(s.path, *s.catalog));
  SHOEBOX_ASSIGN(s.thumbnails, Thumbnails::open(s.path + "/thumbnails", s.read_only));
  s.tree = std::make_unique<Tree>(Tree::Dependencies{*s.catalog, *s.clock, s.settings, s.views});
  s.files =
      std::make_unique<Files>(Files::Dependencies{*s.catalog, *s.contents, *s.tree, *s.clock, s.settings});
  s.outbox = std::make_unique<Outbox>(*s.catalog, *s.contents, *s.tree, *s.clock);
  for (const RemoteSettings& remote : settings.remotes)
    s.outbox->set_key_limits(remote.name, key_limits_of(remote));
  s.evictor = std::make_unique<Evictor>(
      Evictor::Dependencies{*s.catalog, *s.contents, *s.files, s.settings, *s.clock, s.path});
  s.importer = std::make_unique<Importer>(
      Importer::Dependencies{*s.catalog, *s.contents, *s.tree, *s.thumbnails, s.decoder});
  s.housekeeping = std::make_unique<Housekeeping>(*s.catalog, *s.contents, *s.tree, s.settings, *s.clock);

  s.contents->on_hashed([&s](ContentNo content, const ContentHashes& hashes, Residence residence) {
    return s.tree->content_hashed(content, hashes, residence);
  });
  s.tree->set_open_check([&s](InodeNo inode) { return s.files->is_open(inode); });
  s.tree->on_decode_wanted([&s](ContentNo content) { s.importer->enqueue(content); });
  s.tree->set_local_bytes([&s](ContentNo content) { return s.contents->local_bytes(content); });
  s.files->on_sealed([&s](ContentNo content) { s.importer->enqueue(content); });
  s.files->on_known([&s](ContentNo known, int fd, const Files::GoOn& go_on) {
    return bring_back(*s.catalog, *s.contents, *s.outbox, known, fd, go_on);
  });
  s.files->on_access([&s](ContentNo content) { s.evictor->touched(content); });
  s.files->on_disk_full([&s](uint64_t bytes) { return s.evictor->make_room(bytes).freed_bytes; });
  s.catalog->add_observer([&s](const Change& change) {
    const bool confirmed =
        std::any_of(change.uploads.begin(), change.uploads.end(),
                    [](const Change::Upload& upload) { return upload.is_copy && !upload.erased; });
    if (confirmed) s.evictor->wake();
    if (!change.uploads.empty() || !change.content_sizes.empty() || change.photos) s.evictor->changed();
  });

  std::unique_ptr<Library> library(new Library(std::move(state)));
  if (!s.read_only) SHOEBOX_TRY(library->recover());
  return library;
}

Status Library::recover() {
  State& s = *state_;
  SHOEBOX_ASSIGN(const uint64_t recovered, s.contents->recover());
  if (recovered > 0) {
    log::warning("{} files that were being written at a crash are in {}/recovered", recovered, s.path);
  }
  if (s.follow) return s.catalog->sync();
  SHOEBOX_TRY(s.tree->forget_orphans());
  SHOEBOX_TRY(s.tree->follow_layout());
  SHOEBOX_TRY(s.files->seal_leftovers());
  // What cannot be expired or queued now must not keep anybody from their photos.
  const Status tidied = s.housekeeping->run_once();
  if (!tidied) log::warning("expire trash and versions: {}", tidied.message());
  const Status reconciled = reconcile_remotes(*s.catalog, *s.outbox, *s.settings.now());
  if (!reconciled) log::error("queue originals for a new remote: {}", reconciled.message());
  const Status remembered = remember_settings(*s.catalog, *s.settings.now());
  if (!remembered) log::warning("settings for the backup: {}", remembered.message());
  return s.catalog->sync();
}

Result<Settings> Library::reread_settings() {
  return shoebox::reread_settings(state_->path, *state_->catalog, *state_->settings.now(), read_only());
}

Status Library::apply_settings(const Settings& next) {
  State& s = *state_;
  const std::shared_ptr<const Settings> before = s.settings.now();
  Settings after = next;
  after.dates_layout = before->dates_layout;  // its folders are made when the library is opened
  if (!read_only()) {
    // What is on a remote that is new or moved counts when it was looked at, and not before.
    Settings between = after;
    std::erase_if(between.remotes, [&](const RemoteSettings& remote) {
      return std::none_of(before->remotes.begin(), before->remotes.end(),
                          [&](const RemoteSettings& old) { return same_place(old, remote); });
    });
    s.settings.set(std::move(between));
    s.catalog->begin().reset();  // whoever decides by those of before has done so
    for (const RemoteSettings& old : before->remotes) {
      const bool stays = std::any_of(next.remotes.begin(), next.remotes.end(),
                                     [&](const RemoteSettings& remote) { return remote.name == old.name; });
      if (!stays) SHOEBOX_TRY(s.outbox->stop_serving(old.name));
    }
    for (const RemoteSettings& remote : next.remotes)
      s.outbox->set_key_limits(remote.name, key_limits_of(remote));
    SHOEBOX_TRY(reconcile_remotes(*s.catalog, *s.outbox, next));
    SHOEBOX_TRY(remember_settings(*s.catalog, next));
    SHOEBOX_TRY(s.catalog->sync());
  }
  s.settings.set(std::move(after));
  s.evictor->changed();
  s.evictor->wake();
  return Status::ok();
}

void Library::start(ContentSource* source) {
  State& s = *state_;
  if (s.started) return;
  s.started = true;
  set_source(source);
  if (s.read_only) return;
  s.evictor->start();
  if (s.follow) return;
  if (s.decoder != nullptr) s.importer->start();
  s.housekeeping->start();
}

void Library::stop() {
  State& s = *state_;
  if (s.stopped) return;
  s.stopped = true;
  if (s.read_only) return;
  s.lock->mark_ending();
  const Status committed = s.files->commit_all();
  if (!committed) log::error("commit open files: {}", committed.message());
  s.housekeeping->stop();
  s.importer->stop();
  s.evictor->stop();
  if (const Status synced = s.catalog->sync(); !synced) log::error("sync catalog: {}", synced.message());
  s.contents->drain_removals();  // erased for good by the sync
  // Thumbnails can be made again.
  if (const Status flushed = s.thumbnails->flush(); !flushed)
    log::warning("flush thumbnails: {}", flushed.message());
}

const std::string& Library::path() const { return state_->path; }
Settings Library::settings() const { return *state_->settings.now(); }
Catalog& Library::catalog() { return *state_->catalog; }
ContentStore& Library::contents() { return *state_->contents; }
Tree& Library::tree() { return *state_->tree; }
Files& Library::files() { return *state_->files; }
Outbox& Library::outbox() { return *state_->outbox; }
Evictor& Library::evictor() { return *state_->evictor; }
Importer& Library::importer() { return *state_->importer; }
Thumbnails& Library::thumbnails() { return *state_->thumbnails; }
uint64_t Library::local_bytes() const {
  State& s = *state_;
  if (!s.read_only) return s.contents->local_total_bytes();
  std::call_once(s.counted, [&s] {
    const Result<uint64_t> counted = count_local(*s.catalog, *s.contents);
    if (!counted) log::warning("count what is on this disk: {}", counted.status().message());
    if (counted) s.found_bytes = *counted;
  });
  return s.found_bytes + s.contents->local_total_bytes();
}
const Clock& Library::clock() const { return *state_->clock; }
bool Library::read_only() const { return state_->read_only || state_->follow; }
bool Library::follows() const { return state_->follow; }
void Library::set_source(ContentSource* source) {
  state_->source = source;
  state_->files->set_source(source);
}
ContentSource* Library::source() const { return state_->source; }

}  // namespace shoebox
