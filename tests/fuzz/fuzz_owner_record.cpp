// Who writes to a remote, as that remote tells it. The input is the text before the checksum line, which is
// made here, with the padding.
#include "store/base/hash.h"
#include "sync/owner_record.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

std::vector<std::string> seeds() {
  OwnerRecord record;
  record.library = std::string(32, 'a');
  record.writer = std::string(32, 'b');
  record.term = 7;
  record.counter = 42;
  record.nonce = std::string(32, 'c');
  record.since_s = 1'700'000'000;
  record.lease_s = 60;
  record.host = "desk";
  record.user = "anna";
  const std::string holds_it = encode(record);
  record.state = OwnerState::kTook;
  record.answers = std::string(32, 'd');
  const std::string took_it = encode(record);
  return {holds_it.substr(0, holds_it.rfind("sha256 ")), took_it.substr(0, took_it.rfind("sha256 "))};
}

void run(std::string_view bytes) {
  (void)term_of_key(bytes);
  std::string text = std::string(bytes) + "sha256 " + sha256(bytes).hex();
  text.resize(kOwnerRecordBytes, '\n');
  for (const std::string_view input : {bytes, std::string_view(text)}) {
    const auto record = parse_owner_record(input);
    if (!record) {
      refused_well(record.status(), {Code::kDataLoss, Code::kIncompatible});
      continue;
    }
    holds(is_owner_id(record->library) && is_owner_id(record->writer), "ids are ids");
    holds(record->lease_s > 0 && record->term > 0, "numbers make sense");
    for (const char c : record->who())
      holds(static_cast<unsigned char>(c) >= 0x20, "terminals show it as it is");
    const auto back = parse_owner_record(encode(*record));
    holds(back.is_ok() && *back == *record, "what was read is written and read alike");
  }
}

}  // namespace

const Target kOwnerRecord{"owner_record", seeds, run};

}  // namespace shoebox::fuzz
