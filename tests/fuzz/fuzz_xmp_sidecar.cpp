// Sidecars on a remote that are, or claim to be, of our making.
#include "store/base/hash.h"
#include "store/xmp_sidecar.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

std::vector<std::string> seeds() {
  OwnerStatements said;
  said.tags = {"beach", "a & b"};
  said.caption = "at the <sea>";
  said.rating = 4;
  said.date = LocalDate{2023, 7, 14, 10, 11, 12};
  said.people = {"Anna"};
  said.denied_people = {"Ben"};
  said.albums = {"Trip/Day 1"};
  said.denied_albums = {"Other"};
  said.favorite = true;
  return {xmp_sidecar(said), xmp_sidecar(said, sha256("a"), PhotoId(7)),
          xmp_sidecar({}, sha256("a"), PhotoId(7))};
}

void run(std::string_view bytes) {
  const auto said = parse_xmp_sidecar(bytes);
  const bool unchanged = is_unchanged_sidecar(bytes);
  holds(said || !unchanged, "what is not ours is not unchanged either");
  if (!said) return;
  holds(said->rating >= -1 && said->rating <= 5, "a rating is one");
  const std::string written = xmp_sidecar(*said);
  if (written.empty()) return;
  const auto back = parse_xmp_sidecar(written);
  holds(back.has_value(), "what was read is written and read again");
  holds(xmp_sidecar(*back) == written, "and says the same");
}

}  // namespace

const Target kXmpSidecar{"xmp_sidecar", seeds, run};

}  // namespace shoebox::fuzz
