// Sends one XMP sidecar: it stands on the remote, and the catalog knows it, when run() returns ok.
//
// Stateless; called by SidecarSender's threads. Blocks on the network.
#pragma once

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/outbox.h"
#include "sync/remote/remote.h"

namespace shoebox {

struct SidecarUpload {
  Outbox& outbox;
  Remote& remote;
  const Clock& clock;

  // kConflict: something that is not ours stands beside the original.
  Status run(const SidecarStep& step, const CancelToken& cancel, RequestHints& hints) const;

 private:
  Result<RemoteObject> store(const SidecarStep& step, const RequestContext& context) const;
  // kOurs: by its ETag; where that is another, or none was confirmed, by its bytes. kOfOriginal: Shoebox
  // wrote it about this very original, and the catalog does not know: it was made anew, or somebody edited
  // it.
  enum class Standing : uint8_t { kOurs, kOfOriginal, kStranger };
  Result<Standing> standing(const SidecarStep& step, const RequestContext& context) const;
};

}  // namespace shoebox
