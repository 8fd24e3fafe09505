// What commands ask of sync. The store declares it so that fs/ need not know sync/.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "store/adopt.h"
#include "store/base/cancel.h"
#include "store/base/result.h"

namespace shoebox {

// Who writes to a remote: one library directory at a time.
struct RemoteOwner {
  bool known = false;         // the remote told
  bool this_library = false;  // this library directory may write
  std::string host, user;     // of the owner; empty: nobody, or not known
  int64_t since_s = 0;        // by the clock of that machine
  std::string library;        // its id
  std::string problem;        // why nothing is written from here, and what to do; empty: it may be
};

struct TakeoverRequest {
  std::string remote;           // its name
  bool force = false;           // although the owner is alive
  bool replace_backup = false;  // although the backup of the catalog there knows what this library does not
};

// An original that was never sent there, since the disk spoiled it before.
struct DamagedOriginal {
  std::string path;  // below the mount point
  std::string what;  // is wrong with it, and what its owner can do
};

struct RemoteStatus {
  std::string name;
  std::string url;
  bool online = true;
  bool paused = false;
  uint64_t pending_files = 0;
  uint64_t pending_bytes = 0;
  uint64_t damaged_files = 0;            // of the pending ones: their bytes on this disk are spoiled
  std::vector<DamagedOriginal> damaged;  // the first of them
  uint64_t confirmed_files = 0;
  uint64_t confirmed_bytes = 0;
  uint64_t lost_files = 0;        // of those, what verify found bad though nothing else has the bytes
  uint64_t tidying = 0;           // copies to be moved to the key of their name, and objects to be removed
  uint64_t tidying_untried = 0;   // of those, how many have not failed yet
  uint64_t sidecars = 0;          // XMP sidecars of what the owner said that are to be sent there
  uint64_t sidecars_untried = 0;  // of those, how many have not failed yet
  std::string sidecars_waiting_for;
  std::string tidying_waiting_for;  // why these wait; empty: they do not
  uint64_t bytes_sent = 0;          // since the mount
  uint64_t bytes_received = 0;      // since the mount
  uint64_t requests = 0;            // since the mount
  uint64_t limited_bytes_s = 0;     // the bandwidth limit, while it holds something back; else 0
  std::string waiting_for;          // why something waits: "paused", "retry in 12 s", …
  std::string last_error;
  int64_t last_error_s = 0;

  // The backup of the catalog there.
  int64_t catalog_backed_up_s = 0;  // when the one that stands there was made; 0: there is none
  uint64_t catalog_pending = 0;     // changes that are not in it
  std::string catalog_waiting_for;
  std::string catalog_error;  // empty: the last one went well

  RemoteOwner owner;
};

// Which copies to read back.
struct VerifyRequest {
  std::string remote;                      // empty: all
  double share = 1;                        // of the copies, chosen at random
  int64_t confirmed_before_s = INT64_MAX;  // only those not seen since
  uint64_t at_most = UINT64_MAX;           // this many, longest unseen first
  bool repair = false;       // fetch evicted originals that are missing or damaged there, to send them again
  bool wake_remotes = true;  // look for what broken-off uploads left also where nothing is read
  enum class Unread { kAlso, kLeaveOut, kOnly };
  Unread unread = Unread::kAlso;  // adopted originals that nobody read whole yet
};

struct VerifyReport {
  uint64_t to_check = 0, bytes_to_check = 0;
  uint64_t checked = 0, checked_bytes = 0;
  uint64_t missing = 0;    // the remote plainly has no such object; of all three kinds, as the next three
  uint64_t damaged = 0;    // other bytes than were sent
  uint64_t unchecked = 0;  // the remote did not answer
  uint64_t queued_again = 0;
  uint64_t sidecars = 0;  // XMP sidecars of the owner's statements, read back as well; not among `checked`
  uint64_t catalog_objects = 0;  // of the backup of the catalog, read back as well; not among `checked`
  uint64_t leftovers = 0;        // of uploads that were broken off, removed
  struct Finding {
    std::string remote, key, what, why;
  };
  static constexpr size_t kMostFindings = 10'000;
  std::vector<Finding> findings;  // the first of them
  void list(const std::string& remote, const std::string& key, std::string what, std::string why) {
    if (findings.size() < kMostFindings) findings.push_back({remote, key, std::move(what), std::move(why)});
  }
};

struct RemoteSettings;
struct Settings;

// How a library that is open takes over changed settings; called one after the other on one thread, and by
// nobody else meanwhile.
struct SettingsChange {
  // The new ones. Failing, nothing changes.
  std::function<Result<Settings>()> read;
  // Nothing works any more on remotes that left or changed.
  std::function<Status(const Settings&)> apply;
  // Whether what the settings name is looked at as well, changed or not: passphrases of encrypted remotes.
  // One that cannot be read, or is wrong, is a failure as one of `read`.
  bool look_at_secrets = false;
};

class SyncControl {
 public:
  virtual ~SyncControl() = default;
  virtual Result<std::vector<RemoteStatus>> status() = 0;
  virtual Status pause() = 0;  // durable: stands after a remount
  virtual Status resume() = 0;
  // Goes on with changed settings: what works on remotes that left or changed is broken off and ends, new
  // ones are begun with. Blocks until that is done. A remote that cannot be used is told by status().
  virtual Status change_settings(const SettingsChange& change) = 0;
  // Writes, reads and removes a small object; blocks. The remote need not be one of status(). Gives who
  // owns it.
  virtual Result<RemoteOwner> test(const RemoteSettings& remote, CancelToken cancel) = 0;
  // Makes this library directory the one that writes there; blocks for some minutes. kBusy: the owner is
  // alive; kReadOnly: this library must not write there, whoever does.
  virtual Status take_over(
      const TakeoverRequest& request, CancelToken cancel,
      const std::function<void(const std::string& text, uint64_t done, uint64_t total)>& progress) = 0;
  // Waits, but no longer than this, until each remote has told who owns it or failed to.
  static constexpr std::chrono::milliseconds kOwnerPatience{3000};
  virtual void wait_for_owners(std::chrono::milliseconds most) = 0;
  virtual Status run_now() = 0;  // no back-off, no 5 s of quiet
  // Until nothing is pending, the catalog included, nor to be tidied that did not fail before, or `cancel`;
  // `progress` about once a second. Fails when a remote refuses for good (credentials, no space) with its
  // message, and when all that is left cannot be sent since its bytes are spoiled.
  virtual Status wait(CancelToken cancel,
                      const std::function<void(const std::vector<RemoteStatus>&)>& progress) = 0;
  // Reads copies back and compares them. Blocks; kNotFound: no remote of that name.
  virtual Result<VerifyReport> verify(const VerifyRequest& request, CancelToken cancel,
                                      const std::function<void(const VerifyReport&)>& progress) = 0;
  // Makes files of the objects that stand on a remote; nothing there is moved or written. Blocks. Broken off,
  // the next run goes on. kNotFound: no remote of that name.
  virtual Result<AdoptReport> adopt(const AdoptRequest& request, CancelToken cancel,
                                    const std::function<void(const AdoptReport&)>& progress) = 0;
};

}  // namespace shoebox
