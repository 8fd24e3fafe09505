// Packets of an SFTP server.
#include "sync/remote/sftp_wire.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

std::vector<std::string> seeds() {
  const std::string names = SftpWriter()
                                .u32(1)
                                .text("a.jpg")
                                .text("-rw-r--r-- a.jpg")
                                .u32(0x8000000f)
                                .u64(5'000'000'000)
                                .u32(1000)
                                .u32(1000)
                                .u32(0100644)
                                .u32(1)
                                .u32(1'700'000'000)
                                .u32(1)
                                .text("k")
                                .text("v")
                                .bytes();
  const std::string status = SftpWriter().u32(4).text("disk full").text("en").bytes();
  const std::string version = SftpWriter().text("posix-rename@openssh.com").text("1").bytes();
  // From the type on, as the length goes before.
  return {sftp_packet(SftpType::kName, 7, names).substr(4),
          sftp_packet(SftpType::kStatus, 7, status).substr(4),
          sftp_packet(SftpType::kVersion, 3, version).substr(4)};
}

void run(std::string_view bytes) {
  const auto packet = parse_sftp_packet(std::string(bytes));
  if (!packet) return refused_well(packet.status(), {Code::kUnavailable});
  (void)parse_sftp_status(packet->body, "open a.jpg").is_ok();
  if (const auto names = parse_sftp_names(packet->body)) {
    holds(names->size() <= packet->body.size(), "no name comes from nowhere");
  } else {
    refused_well(names.status(), {Code::kUnavailable});
  }
  if (const auto extensions = parse_sftp_version(packet->body)) {
    holds(extensions->size() <= packet->body.size(), "no extension comes from nowhere");
  } else {
    refused_well(extensions.status(), {Code::kUnavailable});
  }
}

}  // namespace

const Target kSftpPacket{"sftp_packet", seeds, run};

}  // namespace shoebox::fuzz
