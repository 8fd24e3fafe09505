// One upload from beginning to end: the bytes are on the remote, confirmed, when send() returns ok.
//
// Stateless; called by Uploader's threads. Blocks on the network.
#pragma once

#include <cstdint>
#include <functional>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/outbox.h"
#include "sync/remote/remote.h"

namespace shoebox {

class ContentSource;

struct Upload {
  Outbox& outbox;
  Remote& remote;
  ContentSource* source;  // brings an evicted content back first; null: that fails
  const Clock& clock;
  std::function<uint32_t()> at_once = nullptr;  // as in RequestContext

  // An object that stands under the key and is another one is moved to .shoebox/versions/ first.
  Result<RemoteCopy> send(const ReadyUpload& upload, const CancelToken& cancel, RequestHints& hints) const;
  // An object that was found bad goes out of the way first: some remotes would tell this upload, by what they
  // recorded of that one, that it is there already.
  Status clear_away(const ReadyUpload& upload, const RequestContext& context) const;
  // Whether what is on this disk has other bytes than were written: then no remote is to blame.
  bool is_damaged_here(const ReadyUpload& upload, const CancelToken& cancel) const;
  // Fetches what is not on this disk.
  Status bring_back(const ReadyUpload& upload, const CancelToken& cancel) const;
};

}  // namespace shoebox
