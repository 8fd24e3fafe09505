// One parser of untrusted bytes as the fuzzers see it: a few inputs to begin with, and what must hold of any.
// Each is one fuzz_*.cpp; targets.cpp lists them.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"

namespace shoebox::fuzz {

struct Target {
  const char* name;
  // Small inputs that reach deep: well-formed ones, mostly.
  std::vector<std::string> (*seeds)();
  // Parses. Whatever does not hold of the outcome ends the process (holds(), sanitizers); so does an
  // exception.
  void (*run)(std::string_view bytes);
};

// Ends the process with a message when `truth` is false, so that fuzzers take the input for a finding.
void holds(bool truth, std::string_view what);

// A refusal is one line that a terminal shows as it is, and has one of these codes.
void refused_well(const Status& status, std::initializer_list<Code> codes);

std::span<const Target> targets();

extern const Target kBackupHead;
extern const Target kBackupSegment;
extern const Target kCatalogRecord;
extern const Target kDecoderReply;
extern const Target kHttpAnswer;
extern const Target kOwnerRecord;
extern const Target kMarkerOfRemote;
extern const Target kS3Xml;
extern const Target kSettings;
extern const Target kSftpPacket;
extern const Target kWebdavXml;
extern const Target kXmpSidecar;

}  // namespace shoebox::fuzz
