#include "sync/remote/sftp_channel.h"

#include <fmt/format.h>

namespace shoebox {
namespace {

constexpr uint32_t kVersion = 3;
// OpenSSH's own limit (SFTP_MAX_MSG_LENGTH); we ask for far less in one answer.
constexpr uint32_t kMaxPacketBytes = 256 << 10;

}  // namespace

Status SftpChannel::begin() {
  SftpWriter length;
  std::string packet = length.u32(5).bytes();
  packet += static_cast<char>(SftpType::kInit);
  SftpWriter version;
  packet += version.u32(kVersion).bytes();
  SHOEBOX_TRY(session_->write(packet));
  SHOEBOX_ASSIGN(std::string bytes, receive());
  SHOEBOX_ASSIGN(const SftpPacket answer, parse_sftp_packet(std::move(bytes)));  // its "id" is the version
  if (answer.type != SftpType::kVersion || answer.id < kVersion) {
    return {Code::kNotSupported, "the server speaks no SFTP of version 3"};
  }
  SHOEBOX_ASSIGN(auto extensions, parse_sftp_version(answer.body));
  for (auto& [name, data] : extensions) extensions_.emplace(std::move(name), std::move(data));
  return Status::ok();
}

Result<std::string> SftpChannel::receive() {
  char head[4];
  if (Status read = session_->read(head, sizeof head); !read) {
    broken_ = true;
    return read;
  }
  const uint32_t length = SftpReader({head, sizeof head}).u32();
  if (length > kMaxPacketBytes) {
    broken_ = true;
    return Status(Code::kUnavailable, fmt::format("the server sent an SFTP packet of {} bytes", length));
  }
  std::string bytes(length, '\0');
  if (Status read = session_->read(bytes.data(), bytes.size()); !read) {
    broken_ = true;
    return read;
  }
  progressed();
  return bytes;
}

Result<uint32_t> SftpChannel::send(SftpType type, const SftpWriter& body) {
  const uint32_t id = next_id_++;
  if (Status written = session_->write(sftp_packet(type, id, body.bytes())); !written) {
    broken_ = true;
    return written;
  }
  progressed();
  ++open_requests_;
  return id;
}

Result<SftpPacket> SftpChannel::answer(uint32_t id) {
  for (;;) {
    if (const auto early = early_.find(id); early != early_.end()) {
      SftpPacket packet = std::move(early->second);
      early_.erase(early);
      return packet;
    }
    if (open_requests_ == 0) {
      broken_ = true;
      return Status(Code::kUnavailable, "the server answered a request twice");
    }
    SHOEBOX_ASSIGN(std::string bytes, receive());
    auto packet = parse_sftp_packet(std::move(bytes));
    if (!packet || packet->id == 0 || packet->id >= next_id_) {
      broken_ = true;
      return packet ? Status(Code::kUnavailable, "the server answered what nobody asked") : packet.status();
    }
    --open_requests_;
    const uint32_t got = packet->id;
    early_.insert_or_assign(got, std::move(packet).value());
  }
}

Result<SftpPacket> SftpChannel::ask(SftpType type, const SftpWriter& body, SftpType expected,
                                    std::string_view what) {
  SHOEBOX_ASSIGN(const uint32_t id, send(type, body));
  SHOEBOX_ASSIGN(SftpPacket packet, answer(id));
  if (packet.type == expected) return packet;
  if (packet.type == SftpType::kStatus) {
    const Status status = parse_sftp_status(packet.body, what);
    if (!status) return status;
  }
  broken_ = true;
  return Status(Code::kUnavailable, fmt::format("{}: the server answered something else", what));
}

Status SftpChannel::order(SftpType type, const SftpWriter& body, std::string_view what) {
  SHOEBOX_ASSIGN(const SftpPacket packet, ask(type, body, SftpType::kStatus, what));
  return parse_sftp_status(packet.body, what);
}

Result<std::string> SftpChannel::open(const std::string& path, uint32_t flags, std::string_view what) {
  SftpWriter body;
  body.text(path).u32(flags);
  if ((flags & kSftpCreate) != 0) {
    body.u32(4).u32(0644);  // permissions only
  } else {
    body.u32(0);
  }
  SHOEBOX_ASSIGN(const SftpPacket packet, ask(SftpType::kOpen, body, SftpType::kHandle, what));
  return std::string(SftpReader(packet.body).text());
}

Status SftpChannel::close(const std::string& handle, std::string_view what) {
  SftpWriter body;
  body.text(handle);
  return order(SftpType::kClose, body, what);
}

}  // namespace shoebox
