// One tidying step from beginning to end: a copy moved by the remote itself, or an object removed that
// is nobody's.
//
// Stateless; called by Tidier's threads. Blocks on the network. Broken off anywhere, the catalog still
// names a copy that stands, and knows of every other object that this made.
#pragma once

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/outbox.h"
#include "sync/remote/remote.h"

namespace shoebox {

struct Tidy {
  Outbox& outbox;
  Remote& remote;
  const Clock& clock;

  // Does it and tells the outbox what came of it, unless it fails.
  Status run(const TidyStep& step, const CancelToken& cancel, RequestHints& hints) const;

 private:
  Status move(const TidyStep& step, const RequestContext& context) const;
  Status remove(const TidyStep& step, const RequestContext& context) const;
  // Whether a sidecar that this program wrote, and nobody changed since, stands there: reads it. Of several
  // attempts to send one, the catalog remembers the last only.
  Result<bool> is_our_sidecar(const std::string& key, const RemoteObject& there,
                              const RequestContext& context) const;
  // Whether the object at `key` holds exactly these bytes: reads it.
  Result<bool> holds(const std::string& key, const TidyStep& step, const RequestContext& context) const;
};

}  // namespace shoebox
