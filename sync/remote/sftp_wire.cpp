#include "sync/remote/sftp_wire.h"

#include <fmt/format.h>

#include <algorithm>

namespace shoebox {
namespace {

Status malformed() { return {Code::kUnavailable, "the server sent a malformed SFTP answer"}; }

// Shown to people: one line, of a bounded length.
std::string line(std::string_view text) {
  std::string out(text.substr(0, 200));
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return out;
}

}  // namespace

SftpWriter& SftpWriter::u32(uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes_ += static_cast<char>(value >> shift & 0xff);
  return *this;
}

SftpWriter& SftpWriter::u64(uint64_t value) {
  return u32(static_cast<uint32_t>(value >> 32)).u32(static_cast<uint32_t>(value));
}

SftpWriter& SftpWriter::text(std::string_view bytes) {
  u32(static_cast<uint32_t>(bytes.size()));
  bytes_ += bytes;
  return *this;
}

std::string_view SftpReader::take(size_t bytes) {
  if (!ok_ || bytes > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const std::string_view out = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return out;
}

uint32_t SftpReader::u32() {
  uint32_t value = 0;
  for (const char c : take(4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

uint64_t SftpReader::u64() {
  const uint64_t high = u32();
  return high << 32 | u32();
}

std::string_view SftpReader::text() { return take(u32()); }

void SftpReader::skip(size_t bytes) { (void)take(bytes); }

SftpAttributes read_sftp_attributes(SftpReader& reader) {
  constexpr uint32_t kSize = 1;
  constexpr uint32_t kOwner = 2;
  constexpr uint32_t kMode = 4;
  constexpr uint32_t kTimes = 8;
  constexpr uint32_t kExtended = 0x80000000;
  SftpAttributes out;
  const uint32_t flags = reader.u32();
  out.has_size = (flags & kSize) != 0;
  out.has_mode = (flags & kMode) != 0;
  out.has_times = (flags & kTimes) != 0;
  if (out.has_size) out.size = reader.u64();
  if ((flags & kOwner) != 0) reader.skip(8);
  if (out.has_mode) out.mode = reader.u32();
  if (out.has_times) {
    reader.skip(4);
    out.modified_s = reader.u32();
  }
  if ((flags & kExtended) != 0) {
    for (uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) {
      (void)reader.text();
      (void)reader.text();
    }
  }
  return out;
}

std::string sftp_packet(SftpType type, uint32_t id, std::string_view body) {
  SftpWriter head;
  head.u32(static_cast<uint32_t>(body.size() + 5));
  std::string out = head.bytes();
  out += static_cast<char>(type);
  SftpWriter number;
  out += number.u32(id).bytes();
  out += body;
  return out;
}

Result<SftpPacket> parse_sftp_packet(std::string&& bytes) {
  if (bytes.size() < 5) return malformed();
  SftpPacket packet;
  packet.type = static_cast<SftpType>(static_cast<unsigned char>(bytes[0]));
  packet.id = SftpReader(std::string_view(bytes).substr(1)).u32();
  bytes.erase(0, 5);
  packet.body = std::move(bytes);
  return packet;
}

Status parse_sftp_status(std::string_view body, std::string_view what) {
  SftpReader reader(body);
  const auto error = static_cast<SftpError>(reader.u32());
  if (!reader.ok()) return malformed();
  if (error == SftpError::kOk) return Status::ok();
  const std::string text = line(reader.text());  // some servers send none
  const auto status = [&](Code code, std::string_view why) {
    const bool adds = !text.empty() && text != why;
    return Status(code,
                  adds ? fmt::format("{}: {} ({})", what, why, text) : fmt::format("{}: {}", what, why));
  };
  switch (error) {
    case SftpError::kEof: return status(Code::kDataLoss, "the file ends there");
    case SftpError::kNoSuchFile: return status(Code::kNotFound, "no such file");
    case SftpError::kPermissionDenied:
      return status(Code::kUnauthorized, "permission denied; allow this user to read and write there");
    case SftpError::kBadMessage: return status(Code::kInvalid, "the server does not take that name");
    case SftpError::kUnsupported: return status(Code::kNotSupported, "the server cannot do that");
    default: return status(Code::kUnavailable, "the server failed");
  }
}

Result<std::vector<SftpName>> parse_sftp_names(std::string_view body) {
  SftpReader reader(body);
  std::vector<SftpName> names;
  for (uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) {
    SftpName one;
    one.name = reader.text();
    (void)reader.text();  // as ls -l shows it
    one.attributes = read_sftp_attributes(reader);
    if (reader.ok()) names.push_back(std::move(one));
  }
  if (!reader.ok()) return malformed();
  return names;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_sftp_version(std::string_view body) {
  SftpReader reader(body);
  std::vector<std::pair<std::string, std::string>> extensions;
  while (!reader.at_end() && reader.ok()) {
    std::string name(reader.text());
    std::string data(reader.text());
    if (reader.ok()) extensions.emplace_back(std::move(name), std::move(data));
  }
  if (!reader.ok()) return malformed();
  return extensions;
}

}  // namespace shoebox
