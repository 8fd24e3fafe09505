// A Remote whose objects and names are encrypted, over any other Remote: rclone's crypt format, which
// stock rclone opens (LAYOUT.md). Keys and sizes are the plain ones on this side.
//
// Before the first call goes through, the passphrase is proven on the check object: a wrong one would
// not find anything and call it gone. It is read when first needed, and again after it was refused.
//
// Threads: any. No lock is held over the disk, the network or the making of keys.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/base/mutex.h"
#include "sync/remote/crypt_blocks.h"
#include "sync/remote/crypt_names.h"
#include "sync/remote/crypt_reader.h"
#include "sync/remote/crypt_scratch.h"
#include "sync/remote/remote.h"

namespace shoebox {

class CryptRemote final : public Remote {
 public:
  using Keys = std::shared_ptr<const CryptKeys>;  // shared: read before the remote was made, or by it
  struct Options {
    Keys keys;  // may be null; dropped when they are refused
    std::function<Result<Keys>()> read_keys;
    CryptScratch scratch;
    // All who ask for so long after a passphrase was refused get the same answer, at the cost of one look.
    std::chrono::milliseconds refused_for{1000};
  };
  CryptRemote(std::unique_ptr<Remote> plain, Options options);

  [[nodiscard]] const std::string& name() const override { return plain_->name(); }
  Status check(const RequestContext& context) override;
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override;
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override;
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override;
  Result<ListPage> list(const std::string& prefix, const std::string& next,
                        const RequestContext& context) override;
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override;
  Status remove(const std::string& key, const RequestContext& context) override;
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override;

 private:
  // Keys that were proven on this remote.
  struct Opened {
    Keys keys;
    CryptNames names;
    bool may_write = false;  // the check object stands
  };
  using OpenedPtr = std::shared_ptr<const Opened>;  // shared by all calls under way

  // crypt_remote.cpp
  Result<OpenedPtr> open(bool to_write, const RequestContext& context) EXCLUDES(mutex_);
  Result<OpenedPtr> prove(bool to_write, const RequestContext& context) EXCLUDES(mutex_);
  Result<RemoteObject> plain_object(const std::string& key, const RemoteObject& object) const;
  // crypt_get.cpp
  Status read(const Opened& opened, const std::string& name, ByteRange range, const std::string& etag,
              const CryptReader::Sink& sink, const RequestContext& context);
  Status read_last_block(const Opened& opened, const std::string& name, const CryptNonce& nonce,
                         ByteRange range, const std::string& etag, const CryptReader::Sink& sink,
                         const RequestContext& context);
  Result<CryptNonce> read_nonce(const std::string& name, const std::string& etag,
                                const RequestContext& context);
  std::optional<CryptNonce> known_nonce(const std::string& name) EXCLUDES(mutex_);
  void remember_nonce(const std::string& name, const std::optional<CryptNonce>& nonce) EXCLUDES(mutex_);
  // crypt_put.cpp
  // What stands there when it holds these plain bytes, else kConflict.
  Result<RemoteObject> same_bytes(const Opened& opened, const std::string& name, const PutOptions& options,
                                  const RequestContext& context);

  const std::unique_ptr<Remote> plain_;
  const Options options_;
  std::atomic<bool> warned_of_foreign_{false};

  Mutex mutex_;  // leaf
  ConditionVariable changed_;
  bool proving_ GUARDED_BY(mutex_) = false;
  OpenedPtr opened_ GUARDED_BY(mutex_);
  Keys keys_ GUARDED_BY(mutex_);  // not proven yet
  Status refused_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point refused_until_ GUARDED_BY(mutex_);
  // By encrypted name, so that going on in a file costs one request.
  std::unordered_map<std::string, CryptNonce> nonces_ GUARDED_BY(mutex_);
};

}  // namespace shoebox
