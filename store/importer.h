// Takes sealed contents through the decoder: thumbnails first, then one transaction with dates,
// people, home and view rows (Tree::photo_decoded). After a crash it starts again with every
// sealed content that is not decoded. XMP sidecars go the same way (Tree::sidecar_read).
//
// Owned by Library; one thread hands out, as many decode as the pool has processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class Catalog;
class ContentStore;
class MediaDecoder;
class Thumbnails;
class Tree;

class Importer {
 public:
  struct Dependencies {
    Catalog& catalog;
    ContentStore& contents;
    Tree& tree;
    Thumbnails& thumbnails;
    MediaDecoder* decoder;
  };
  explicit Importer(const Dependencies& dependencies);
  ~Importer();

  void start();  // queues what is not decoded yet
  void stop();   // at once: what is being decoded is broken off. For good, as that ends the decoder
  void enqueue(ContentNo content);
  // Nothing is queued or being decoded.
  void drain();
  // The same for at most so long; whether it came to that.
  bool drain_for(std::chrono::milliseconds at_most);
  [[nodiscard]] uint64_t pending() const;
  // Decodes again for a thumbnail that is missing; blocks (CLI and fetch threads only, never a FUSE worker).
  Status make_thumbnails(ContentNo content);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
