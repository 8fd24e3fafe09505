#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "target.h"

namespace shoebox::fuzz {

std::span<const Target> targets() {
  static const Target kAll[] = {kBackupHead, kBackupSegment, kCatalogRecord,  kDecoderReply,
                                kHttpAnswer, kOwnerRecord,   kMarkerOfRemote, kS3Xml,
                                kSettings,   kSftpPacket,    kWebdavXml,      kXmpSidecar};
  return kAll;
}

void holds(bool truth, std::string_view what) {
  if (truth) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

void refused_well(const Status& status, std::initializer_list<Code> codes) {
  holds(std::find(codes.begin(), codes.end(), status.code()) != codes.end(), "a refusal has the code for it");
  holds(!status.message().empty(), "a refusal says why");
  for (const char c : status.message()) {
    holds(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f,
          "a refusal is one line of plain text: " + status.message());
  }
}

}  // namespace shoebox::fuzz
