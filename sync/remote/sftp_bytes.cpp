#include "sync/remote/sftp_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "store/base/file_io.h"
#include "sync/remote/checks.h"

namespace shoebox {
namespace {

constexpr uint32_t kPieceBytes = 32 << 10;  // what every server takes and gives in one packet
constexpr size_t kUnderWay = 64;            // 2 MiB: 100 MB/s at 20 ms
constexpr size_t kUnderWayPaced = 4;

struct Asked {
  uint32_t id = 0;
  uint64_t at = 0;
  uint32_t bytes = 0;
};

// What a limit makes of the flow: smaller pieces, and few at a time, so that their answers are not kept
// waiting.
class Paced {
 public:
  explicit Paced(Pace* pace) : pace_(pace) {}
  [[nodiscard]] size_t piece() const {
    return pace_ == nullptr ? kPieceBytes : std::min<size_t>(kPieceBytes, pace_->piece());
  }
  [[nodiscard]] size_t under_way() const { return pace_ == nullptr ? kUnderWay : kUnderWayPaced; }
  Status wait(uint64_t bytes, SftpChannel& channel, const RequestContext& context) const {
    if (pace_ == nullptr) return Status::ok();
    const auto no_stall = [&channel] { channel.progressed(); };
    SHOEBOX_TRY(pace_->wait(bytes, context, no_stall));
    no_stall();
    return Status::ok();
  }

 private:
  Pace* pace_;
};

Result<uint32_t> ask_piece(SftpChannel& channel, const std::string& handle, uint64_t at, uint32_t bytes) {
  SftpWriter body;
  body.text(handle).u64(at).u32(bytes);
  return channel.send(SftpType::kRead, body);
}

// The bytes of one answer; fewer than asked for is allowed.
Result<std::string> take_piece(SftpChannel& channel, const Asked& asked, std::string_view what) {
  SHOEBOX_ASSIGN(const SftpPacket packet, channel.answer(asked.id));
  if (packet.type == SftpType::kStatus) {
    const Status status = parse_sftp_status(packet.body, what);
    if (!status) return status;
  }
  SftpReader reader(packet.body);
  std::string bytes(reader.text());
  if (packet.type != SftpType::kData || !reader.ok() || bytes.empty() || bytes.size() > asked.bytes) {
    return Status(Code::kUnavailable, fmt::format("{}: the server answered something else", what));
  }
  return bytes;
}

}  // namespace

Status sftp_read_range(SftpChannel& channel, const std::string& handle, ByteRange range,
                       const std::function<Status(std::string_view)>& sink, const RequestContext& context,
                       std::string_view what) {
  std::deque<Asked> under_way;
  uint64_t next = range.begin;
  const Paced paced(context.bandwidth.down);
  while (next < range.end || !under_way.empty()) {
    SHOEBOX_TRY(check_wanted(context));
    while (next < range.end && under_way.size() < paced.under_way()) {
      const auto bytes = static_cast<uint32_t>(std::min<uint64_t>(paced.piece(), range.end - next));
      SHOEBOX_TRY(paced.wait(bytes, channel, context));
      SHOEBOX_ASSIGN(const uint32_t id, ask_piece(channel, handle, next, bytes));
      under_way.push_back({id, next, bytes});
      next += bytes;
    }
    Asked asked = under_way.front();
    under_way.pop_front();
    while (asked.bytes > 0) {
      SHOEBOX_ASSIGN(const std::string bytes, take_piece(channel, asked, what));
      SHOEBOX_TRY(sink(bytes));
      channel.progressed();  // the sink may have been slow
      asked.at += bytes.size();
      asked.bytes -= static_cast<uint32_t>(bytes.size());
      if (asked.bytes == 0) break;
      SHOEBOX_ASSIGN(asked.id, ask_piece(channel, handle, asked.at, asked.bytes));
    }
  }
  return Status::ok();
}

Status sftp_write_file(SftpChannel& channel, const std::string& handle, int fd, const PutOptions& options,
                       const RequestContext& context, std::string_view what) {
  std::deque<Asked> under_way;
  std::string buffer(kPieceBytes, '\0');
  uint64_t next = 0;
  const Paced paced(context.bandwidth.up);
  while (next < options.size || !under_way.empty()) {
    SHOEBOX_TRY(check_wanted(context));
    while (next < options.size && under_way.size() < paced.under_way()) {
      const size_t want = std::min<uint64_t>(paced.piece(), options.size - next);
      SHOEBOX_TRY(paced.wait(want, channel, context));
      SHOEBOX_ASSIGN(const size_t got, pread_full(fd, buffer.data(), want, next));
      if (got < want) return {Code::kDataLoss, "the local file became shorter while it was sent"};
      SftpWriter body;
      body.text(handle).u64(next).text({buffer.data(), got});
      SHOEBOX_ASSIGN(const uint32_t id, channel.send(SftpType::kWrite, body));
      under_way.push_back({id, next, static_cast<uint32_t>(got)});
      next += got;
    }
    const Asked asked = under_way.front();
    under_way.pop_front();
    SHOEBOX_ASSIGN(const SftpPacket packet, channel.answer(asked.id));
    if (packet.type != SftpType::kStatus) {
      return {Code::kUnavailable, fmt::format("{}: the server answered something else", what)};
    }
    SHOEBOX_TRY(parse_sftp_status(packet.body, what));
    if (options.on_bytes) options.on_bytes(asked.at + asked.bytes);
  }
  return Status::ok();
}

}  // namespace shoebox
