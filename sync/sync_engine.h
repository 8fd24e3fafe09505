// Everything that talks to remotes: owns them, their uploaders and the fetcher, and answers what
// commands ask (SyncControl).
//
// Owned by main. start() returns at once: contents that lack a job are looked for in the background.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/base/clock.h"
#include "store/settings.h"
#include "store/sync_control.h"
#include "sync/catalog_backup.h"
#include "sync/fetcher.h"
#include "sync/remote/remote.h"

namespace shoebox {

class Catalog;
class ContentSource;
class ContentStore;
class Outbox;
class Thumbnails;
class Tree;

class SyncEngine final : public SyncControl {
 public:
  // Makes the Remote of a [[remote]]; `used_before`: the catalog knows copies on it.
  using MakeRemote = std::function<Result<std::unique_ptr<Remote>>(const RemoteSettings&, bool used_before)>;

  // Who this library directory is to other machines.
  struct Writer {
    std::string id;  // writer_id(); empty: one of its own
    std::string host, user;
    std::function<Clock::Steady()> now;  // goes on while the machine sleeps; empty: the clock's steady()
  };

  using Admit = std::function<Result<std::function<void()>>(const RemoteSettings&)>;
  struct Dependencies {
    Catalog& catalog;
    ContentStore& contents;
    Outbox& outbox;
    const Clock& clock;
    std::vector<RemoteSettings> remotes;
    MakeRemote make_remote;
    // Evicts until so many bytes are free; returns the bytes freed. May be empty.
    std::function<uint64_t(uint64_t bytes_wanted)> on_disk_full;
    int64_t quiet_s = 5;
    Fetcher::Options fetcher;
    CatalogBackup::Options catalog_backup{};  // but for its callbacks
    int64_t verify_period_s = 0;              // every copy is read back once in this time; 0: never by itself
    // When it is looked what is due: so long after the start, then each `verify_every`. A machine may never
    // be on for an hour.
    std::chrono::milliseconds verify_first = std::chrono::minutes(5);
    std::chrono::milliseconds verify_every = std::chrono::hours(1);
    Writer writer{};
    Tree* tree = nullptr;              // for adopt()
    Thumbnails* thumbnails = nullptr;  // for those that come from there
    bool read_only = false;            // nothing can be written into the catalog, so nothing is sent
    bool follow = false;               // another machine writes this library: start() keeps up with it
    // Looks, before a drive goes on with changed settings, whether what they name of an encrypted remote
    // works. Failing, nothing changes. Else gives what takes new keys over, once all were admitted; empty
    // where nothing is new. May be empty.
    Admit admit{};
  };
  // A remote whose settings cannot work is reported by status(); the others go on.
  explicit SyncEngine(Dependencies dependencies);
  ~SyncEngine() override;  // stop()

  // `uploads` false: only reads are served (commands that look).
  void start(bool uploads = true);
  void stop();
  // After stop(), when nothing more comes into the catalog: what changed last joins the backup of the catalog
  // on each remote that can be reached and may be written to now, and those that then have everything may be
  // written to by the next machine without a takeover. Blocks for `most`; at once where remotes are known not
  // to answer. Originals that wait stay queued.
  void finish(std::chrono::milliseconds most);
  // Serves reads of evicted contents. Valid from construction to destruction.
  ContentSource& source();

  // Why nothing can be read from this remote now, as far as is known, or copies there may be gone; empty:
  // nothing is known against it.
  // Asks nobody.
  [[nodiscard]] std::string trouble_of(const std::string& remote) const;

  Result<std::vector<RemoteStatus>> status() override;
  Status pause() override;
  Status resume() override;
  Status change_settings(const SettingsChange& change) override;
  Result<RemoteOwner> test(const RemoteSettings& remote, CancelToken cancel) override;
  Status take_over(
      const TakeoverRequest& request, CancelToken cancel,
      const std::function<void(const std::string& text, uint64_t done, uint64_t total)>& progress) override;
  void wait_for_owners(std::chrono::milliseconds most) override;
  Status run_now() override;
  Status wait(CancelToken cancel,
              const std::function<void(const std::vector<RemoteStatus>&)>& progress) override;
  Result<VerifyReport> verify(const VerifyRequest& request, CancelToken cancel,
                              const std::function<void(const VerifyReport&)>& progress) override;
  Result<AdoptReport> adopt(const AdoptRequest& request, CancelToken cancel,
                            const std::function<void(const AdoptReport&)>& progress) override;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the outbox's wake, which commits may call to the last
};

}  // namespace shoebox
