// Makes files of the objects that stand on a remote already: lists it, fetches the head and the tail of each,
// and puts what is new into the catalog, some at a time. Nothing on the remote is moved or written.
//
// One run at a time, on the calling thread and some of its own. A run that was broken off, by kill -9 too,
// is gone on with by the next one: what is in the catalog under its key and ETag costs no request again.
#pragma once

#include <functional>
#include <string>

#include "store/adopt.h"
#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"
#include "sync/backoff.h"
#include "sync/remote/remote.h"

namespace shoebox {

class Catalog;
class ContentStore;
class Tree;

class Adopter {
 public:
  struct Dependencies {
    Catalog& catalog;
    ContentStore& contents;
    Tree& tree;
    const Clock& clock;
  };
  struct Options {
    size_t threads = 8;  // requests at once
    size_t batch = 64;   // files of one commit
    Backoff backoff{.base_s = 0.5, .cap_s = 20};
  };
  Adopter(const Dependencies& dependencies, Options options)
      : deps_(dependencies), options_(std::move(options)) {}

  // The report says what was done until the end, good or bad, in `progress` too.
  Result<AdoptReport> run(Remote& remote, const AdoptRequest& request, const CancelToken& cancel,
                          const std::function<void(const AdoptReport&)>& progress) const;

 private:
  struct Run;
  const Dependencies deps_;
  const Options options_;
};

}  // namespace shoebox
