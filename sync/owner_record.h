// The record that says who writes to a remote. OWNER.md is the page for readers of the format. Untrusted
// when read. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

inline constexpr std::string_view kOwnerFolder = ".shoebox/owner/";
inline constexpr std::string_view kOwnerRequest = ".shoebox/owner/request";
inline constexpr uint64_t kOwnerRecordBytes = 1024;

enum class OwnerState : uint8_t {
  kHolds,
  kReleased,
  kTakes,  // a takeover that is not over
  kAsks,   // of a request, as is the next
  kTook,
};

struct OwnerRecord {
  std::string library;  // the library's id
  std::string writer;   // of the library directory
  uint64_t term = 0;
  OwnerState state = OwnerState::kHolds;
  uint64_t counter = 0;
  std::string nonce;
  int64_t since_s = 0;  // wall clock of the machine that wrote it: for people
  int64_t lease_s = 0;
  std::string answers;  // nonce of a request; empty: none
  std::string host;
  std::string user;
  bool operator==(const OwnerRecord&) const = default;

  // "anna@desk", for messages.
  [[nodiscard]] std::string who() const;
};

// kOwnerRecordBytes bytes.
std::string encode(const OwnerRecord& record);
// kDataLoss: damaged. kIncompatible: of a newer format.
Result<OwnerRecord> parse_owner_record(std::string_view text);

std::string owner_key(uint64_t term);
// The term of a key below kOwnerFolder; 0: it is none.
uint64_t term_of_key(std::string_view key);

// 32 hex digits that nobody else has.
Result<std::string> new_owner_id();
// Whether a text has the shape of one.
bool is_owner_id(std::string_view text);

}  // namespace shoebox
