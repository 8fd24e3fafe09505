// The composition root: the one place that knows fs, store and sync at once. Everything that needs
// something of another module gets it handed from here.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <map>
#include <utility>

#include "fs/command/composition.h"
#include "fs/command/find_library.h"
#include "fs/command/serve.h"
#include "fs/control/server.h"
#include "fs/mount_daemon.h"
#include "fs/views/all_views.h"
#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/decode/decoder_pool.h"
#include "store/evictor.h"
#include "store/importer.h"
#include "store/library.h"
#include "store/writer_id.h"
#include "sync/rebuild.h"
#include "sync/remote/crypt_passphrase.h"
#include "sync/remote/crypt_unlock.h"
#include "sync/remote/factory.h"
#include "sync/remote/settings_check.h"
#include "sync/remote/transfer_loop.h"
#include "sync/sync_engine.h"

namespace shoebox {
namespace {

// Keys of encrypted remotes that are known already, by name of the remote.
using CryptKeyRing = std::map<std::string, std::shared_ptr<const CryptKeys>>;

// The same while the library is served: settings that are taken over bring others.
class CryptKeyTable {
 public:
  explicit CryptKeyTable(CryptKeyRing keys) : keys_(std::move(keys)) {}
  [[nodiscard]] std::shared_ptr<const CryptKeys> of(const std::string& remote) const {
    const MutexLock lock(mutex_);
    const auto known = keys_.find(remote);
    return known != keys_.end() ? known->second : nullptr;
  }
  void put(const std::string& remote, std::shared_ptr<const CryptKeys> keys) {
    const MutexLock lock(mutex_);
    keys_[remote] = std::move(keys);
  }

 private:
  mutable Mutex mutex_;
  CryptKeyRing keys_ GUARDED_BY(mutex_);
};

// How long the end of a mount takes for what changed last: most remotes need less than a second.
constexpr std::chrono::seconds kFinishTime{10};

// How long a mount waits for a remote that shall say whether its passphrase is the right one.
constexpr std::chrono::seconds kPassphrasePatience{5};

// For people who read who writes to a remote.
std::pair<std::string, std::string> names_of_this_machine() {
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  const passwd* const entry = ::getpwuid(::getuid());
  return {host, entry != nullptr ? entry->pw_name : std::to_string(::getuid())};
}

// Unlike steady_clock it goes on while the machine sleeps.
Clock::Steady boot_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return Clock::Steady(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

// A library with its decoder and its remotes, for a mount or for one command.
class Assembly final : public OpenedLibrary, public MountedLibrary {
 public:
  static Result<std::unique_ptr<Assembly>> open(Library::Options options, const CryptKeyRing& keys = {}) {
    SHOEBOX_TRY(check_library_folder(options.path));
    // The layout of Dates is a setting, and views are made before the library opens.
    SHOEBOX_ASSIGN(const Settings settings, Settings::load(options.path + "/shoebox.toml"));
    std::unique_ptr<Assembly> assembly(new Assembly);
    assembly->decoder_ = std::make_unique<DecoderPool>(DecoderPool::Options{});
    options.views = make_views(settings);
    options.decoder = assembly->decoder_.get();
    const bool follow = options.follow;
    SHOEBOX_ASSIGN(assembly->library_, Library::open(std::move(options)));
    SyncEngine::Writer writer;
    if (!assembly->library_->read_only()) {
      SHOEBOX_ASSIGN(writer.id, writer_id(assembly->library_->path()));
    }
    const auto [host, user] = names_of_this_machine();
    writer.host = host;
    writer.user = user;
    writer.now = [] { return boot_clock(); };
    assembly->make_engine(keys, std::move(writer), follow);
    return assembly;
  }
  ~Assembly() override { finish(); }

  Library& library() override { return *library_; }
  SyncControl& sync() override { return *engine_; }

  // `background` false: nothing moves by itself, but evicted files can be read.
  void begin(bool background) {
    engine_->start(background && !library_->read_only());
    if (background) {
      library_->start(&engine_->source());
    } else {
      library_->set_source(&engine_->source());
    }
  }

  Status start(const std::string& mountpoint) override {
    begin(/*background=*/true);
    SHOEBOX_ASSIGN(control_, serve_commands(*library_, *engine_, mountpoint));
    return Status::ok();
  }

  void stop() override {
    if (library_) library_->importer().stop();  // first: a command may wait for a decoder
    control_.reset();
    if (engine_) engine_->stop();
    if (library_) library_->stop();
  }

  void finish() override {
    stop();
    if (engine_ && !std::exchange(finished_, true)) engine_->finish(kFinishTime);
  }

 private:
  Assembly() = default;

  void make_engine(const CryptKeyRing& keys, SyncEngine::Writer writer, bool follow) {
    Library& library = *library_;
    const auto make_room = [&library](uint64_t bytes) {
      return library.evictor().make_room(bytes).freed_bytes;
    };
    const auto table = std::make_shared<CryptKeyTable>(keys);
    SyncEngine::Dependencies dependencies{
        .catalog = library.catalog(),
        .contents = library.contents(),
        .outbox = library.outbox(),
        .clock = library.clock(),
        .remotes = library.settings().remotes,
        .make_remote =
            [loop = std::make_shared<TransferLoop>(), table, &library, make_room](
                const RemoteSettings& settings, bool used_before) {
              return make_remote(settings, {.used_before = used_before,
                                            .loop = loop,
                                            .crypt_keys = table->of(settings.name),
                                            .scratch = {library.path(), make_room}});
            },
        .on_disk_full = make_room,
        .fetcher = {},
        .catalog_backup = {.sender = {.thumbnails = &library.thumbnails()}},
        .verify_period_s = library.settings().verify_period_s,
        .writer = std::move(writer),
        .tree = &library.tree(),
        .thumbnails = &library.thumbnails(),
        .read_only = library.read_only() && !follow,
        .follow = follow,
        .admit = [table](const RemoteSettings& settings) -> Result<std::function<void()>> {
          if (!settings.crypt) return std::function<void()>();
          const auto in_use = table->of(settings.name);
          SHOEBOX_ASSIGN(const auto renewed, renewed_keys(settings, in_use, kPassphrasePatience));
          if (renewed == in_use) return std::function<void()>();
          return std::function<void()>([table, name = settings.name, renewed] { table->put(name, renewed); });
        },
    };
    engine_ = std::make_unique<SyncEngine>(std::move(dependencies));
    library.evictor().ask_remotes([this](const std::string& remote) { return engine_->trouble_of(remote); });
  }

  bool finished_ = false;
  // Destroyed from the bottom up: each uses those above it.
  std::unique_ptr<DecoderPool> decoder_;
  std::unique_ptr<Library> library_;
  std::unique_ptr<SyncEngine> engine_;
  std::unique_ptr<ControlServer> control_;
};

Result<std::unique_ptr<OpenedLibrary>> open_library(const OpenRequest& request) {
  Library::Options options;
  options.path = request.library;
  options.create = request.create;
  options.read_only = request.read_only;
  options.salvage = request.salvage;
  options.extra_remotes = request.remotes;
  options.extra_remotes_stay = request.remotes_stay;
  SHOEBOX_ASSIGN(std::unique_ptr<Assembly> assembly, Assembly::open(std::move(options)));
  assembly->begin(request.background);
  return std::unique_ptr<OpenedLibrary>(std::move(assembly));
}

// Before the fork, as the child has no terminal to be asked on. The drive goes on without a remote whose
// passphrase is wrong; `trouble` then says so.
CryptKeyRing unlock_remotes(const std::string& library, std::string& trouble) {
  CryptKeyRing keys;
  const auto settings = Settings::load(library + "/shoebox.toml");
  if (!settings) return keys;  // the library says why
  for (const RemoteSettings& remote : settings->remotes) {
    if (!remote.crypt) continue;
    const UnlockedRemote unlocked = unlock_remote(remote, kPassphrasePatience);
    if (unlocked.keys) keys[remote.name] = unlocked.keys;
    if (unlocked.trouble || !trouble.empty()) continue;
    trouble = fmt::format("remote {}: {}", remote.name, unlocked.trouble.message());
  }
  return keys;
}

// A mount that was taken away goes on for a moment: it commits what was open and tells remotes. Who mounts
// again meanwhile waits for it; one that stands is the owner's to end.
bool is_not_mounted(const std::string& library) {
  const std::vector<LibraryMount> mounts = mounted_libraries();
  return std::none_of(mounts.begin(), mounts.end(),
                      [&](const LibraryMount& one) { return one.library == library; });
}

Status mount(const MountRequest& request, const CryptKeyRing& keys) {
  MountPlan plan;
  plan.library = request.library;
  plan.mountpoint = request.mountpoint;
  plan.foreground = request.foreground;
  SHOEBOX_ASSIGN(plan.options, parse_mount_options(request.options));
  if (request.follow) plan.options.read_only = true;
  return run_mount(plan, [&]() -> Result<std::unique_ptr<MountedLibrary>> {
    Library::Options wanted;
    wanted.path = request.library;
    wanted.create = !plan.options.read_only && !request.follow;
    wanted.read_only = plan.options.read_only && !request.follow;
    wanted.follow = request.follow;
    wanted.extra_remotes = request.remotes;
    wanted.worth_waiting = is_not_mounted;
    SHOEBOX_ASSIGN(std::unique_ptr<Assembly> assembly, Assembly::open(std::move(wanted), keys));
    return std::unique_ptr<MountedLibrary>(std::move(assembly));
  });
}

Result<RebuildResult> rebuild(const RebuildPlan& plan) {
  return rebuild_library(plan, SystemClock(), [](const RemoteSettings& settings) {
    return make_remote(settings, {.used_before = true, .loop = nullptr});
  });
}

int mount_for_command_line(const MountRequest& request) {
  std::string trouble;
  const CryptKeyRing keys = unlock_remotes(request.library, trouble);
  if (!trouble.empty()) fmt::print(stderr, "shoebox: {}; the drive goes on without it\n", trouble);
  const pid_t self = ::getpid();
  const Status status = mount(request, keys);
  if (!status) {
    fmt::print(stderr, "shoebox: {}\n", status.message());
    return 1;
  }
  // Mounted, and yet not all that was asked for. In the foreground the drive was served to its end.
  return !trouble.empty() && !request.foreground && ::getpid() == self ? 1 : 0;
}

Status check_passphrase(const RemoteSettings& remote, bool try_it) {
  SHOEBOX_ASSIGN(const auto keys, read_crypt_keys(remote));
  if (!try_it) return Status::ok();
  return try_crypt_keys(remote, keys, std::chrono::steady_clock::now() + kPassphrasePatience);
}

}  // namespace
}  // namespace shoebox

int main(int argc, char** argv) {
  try {
    shoebox::log::to_stderr();
    if (const shoebox::Status armed = shoebox::arm_kill_point(std::getenv("SHOEBOX_KILL_POINT")); !armed) {
      fmt::print(stderr, "shoebox: {}\n", armed.message());
      return 2;
    }
    return shoebox::run_command_line(argc, argv,
                                     {.open_library = shoebox::open_library,
                                      .mount = shoebox::mount_for_command_line,
                                      .check_remote = shoebox::check_remote_settings,
                                      .check_passphrase = shoebox::check_passphrase,
                                      .rebuild = shoebox::rebuild,
                                      .finish_rebuild = shoebox::finish_rebuild});
  } catch (const std::exception& error) {
    fmt::print(stderr, "shoebox: {}\n", error.what());
    return 1;
  }
}
