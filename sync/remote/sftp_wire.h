// SFTP version 3 on the wire: https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02 and
// OpenSSH's PROTOCOL. Answers are untrusted: every read is bounded. Pure.
//
// Ours, because libssh 0.10 can neither rename over a file (posix-rename@openssh.com) nor refuse to
// (hardlink@openssh.com), and sends one write at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/result.h"

namespace shoebox {

enum class SftpType : uint8_t {
  kInit = 1,
  kVersion = 2,
  kOpen = 3,
  kClose = 4,
  kRead = 5,
  kWrite = 6,
  kLstat = 7,
  kFstat = 8,
  kSetstat = 9,
  kOpendir = 11,
  kReaddir = 12,
  kRemove = 13,
  kMkdir = 14,
  kStat = 17,
  kRename = 18,
  kStatus = 101,
  kHandle = 102,
  kData = 103,
  kName = 104,
  kAttrs = 105,
  kExtended = 200,
};

// SSH_FXF_*, how a file is opened.
inline constexpr uint32_t kSftpRead = 0x01;
inline constexpr uint32_t kSftpWrite = 0x02;
inline constexpr uint32_t kSftpCreate = 0x08;
inline constexpr uint32_t kSftpTruncate = 0x10;

// SSH_FX_*, what a status says.
enum class SftpError : uint32_t {
  kOk = 0,
  kEof = 1,
  kNoSuchFile = 2,
  kPermissionDenied = 3,
  kFailure = 4,
  kBadMessage = 5,
  kNoConnection = 6,
  kConnectionLost = 7,
  kUnsupported = 8,
};

// Body of a packet, field by field.
class SftpWriter {
 public:
  SftpWriter& u32(uint32_t value);
  SftpWriter& u64(uint64_t value);
  SftpWriter& text(std::string_view bytes);  // length and bytes
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Once a read goes past the end, ok() stays false and reads give nothing.
class SftpReader {
 public:
  explicit SftpReader(std::string_view bytes) : rest_(bytes) {}
  uint32_t u32();
  uint64_t u64();
  std::string_view text();
  void skip(size_t bytes);
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take(size_t bytes);
  std::string_view rest_;
  bool ok_ = true;
};

struct SftpAttributes {
  bool has_size = false;
  bool has_mode = false;
  bool has_times = false;
  uint64_t size = 0;
  uint32_t mode = 0;  // as st_mode
  uint32_t modified_s = 0;
};
SftpAttributes read_sftp_attributes(SftpReader& reader);

struct SftpPacket {
  SftpType type{};
  uint32_t id = 0;
  std::string body;  // after the id
};

// Length, type, id and body.
std::string sftp_packet(SftpType type, uint32_t id, std::string_view body);
// What follows the length field of a packet.
Result<SftpPacket> parse_sftp_packet(std::string&& bytes);

// The Status of a status packet's body: ok, or `what` and why. kNotFound for "no such file" and kDataLoss
// for the end of a file; a failure that the server does not explain is kUnavailable.
Status parse_sftp_status(std::string_view body, std::string_view what);

struct SftpName {
  std::string name;
  SftpAttributes attributes;
};
Result<std::vector<SftpName>> parse_sftp_names(std::string_view body);

// Extensions of a version packet's body, with their data.
Result<std::vector<std::pair<std::string, std::string>>> parse_sftp_version(std::string_view body);

}  // namespace shoebox
