// Heads of backups of the catalog. The input is the text before the checksum line, which is made here: no
// fuzzer guesses a SHA-256.
#include "store/base/hash.h"
#include "store/catalog/backup_head.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

std::string without_checksum(const backup::Head& head) {
  const std::string text = encode(head);
  return text.substr(0, text.rfind("sha256 "));
}

std::vector<std::string> seeds() {
  backup::Head head;
  head.schema = 5;
  head.library = std::string(32, 'a');
  head.remote = "nas";
  head.counter = 7;
  head.time_s = 1'700'000'000;
  const std::string bare = without_checksum(head);
  head.segments = {{backup::SegmentKind::kSnapshot, sha256("a"), 1000, 10, 0, 5, 0},
                   {backup::SegmentKind::kJournal, sha256("b"), 10, 1, 5, 6, 1},
                   {backup::SegmentKind::kThumbnails, sha256("c"), 10, 1, 0, 6, 0}};
  return {bare, without_checksum(head), "shoebox-backup 2\n"};
}

void run(std::string_view bytes) {
  holds(!backup::parse_head(bytes), "what has no checksum is no head");
  const std::string text = std::string(bytes) + "sha256 " + sha256(bytes).hex() + "\n";
  const auto head = backup::parse_head(text);
  if (!head) {
    refused_well(head.status(), {Code::kDataLoss, Code::kIncompatible});
    return;
  }
  holds(backup::is_library_id(head->library), "its id is part of keys");
  const std::string again = encode(*head);
  const auto back = backup::parse_head(again);
  holds(back.is_ok() && encode(*back) == again, "what was read is written and read alike");
}

}  // namespace

const Target kBackupHead{"backup_head", seeds, run};

}  // namespace shoebox::fuzz
