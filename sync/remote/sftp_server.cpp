#include "sync/remote/sftp_server.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "sync/remote/checks.h"
#include "sync/remote/sftp_bytes.h"

namespace shoebox {
namespace {

constexpr const char* kPosixRename = "posix-rename@openssh.com";
constexpr const char* kHardLink = "hardlink@openssh.com";
constexpr const char* kFsync = "fsync@openssh.com";
constexpr const char* kStatvfs = "statvfs@openssh.com";
constexpr size_t kMaxEntries = 1'000'000;

// Neither file nor folder: a symlink, a socket, a device.
bool is_other(const SftpAttributes& attributes) {
  return attributes.has_mode && !S_ISREG(attributes.mode) && !S_ISDIR(attributes.mode);
}

Result<FileFacts> facts_of(const SftpAttributes& attributes, std::string_view what) {
  FileFacts facts;
  facts.is_folder = attributes.has_mode && S_ISDIR(attributes.mode);
  if (!attributes.has_mode || !attributes.has_times || (!facts.is_folder && !attributes.has_size)) {
    return Status(Code::kUnavailable, fmt::format("{}: the server does not tell type, size and time", what));
  }
  facts.modified_s = attributes.modified_s;
  if (facts.is_folder) return facts;
  facts.size = attributes.size;
  facts.etag = fmt::format("{}-{}", attributes.size, attributes.modified_s);
  return facts;
}

Result<SftpAttributes> attributes_of(const SftpPacket& packet, std::string_view what) {
  SftpReader reader(packet.body);
  const SftpAttributes attributes = read_sftp_attributes(reader);
  if (reader.ok()) return attributes;
  return Status(Code::kUnavailable, fmt::format("{}: the server answered something else", what));
}

Status set_times(SftpChannel& channel, const std::string& path, int64_t second, std::string_view what) {
  constexpr uint32_t kTimes = 8;
  const auto time = static_cast<uint32_t>(second);
  SftpWriter body;
  body.text(path).u32(kTimes).u32(time).u32(time);
  const Status set = channel.order(SftpType::kSetstat, body, what);
  // A share that maps all users to one refuses this; its own time then has to do.
  const bool refused = set.code() == Code::kUnauthorized || set.code() == Code::kNotSupported;
  return refused ? Status::ok() : set;
}

// The server explains no failure of a write: a full disk is what it mostly is.
Status explain_failed_write(SftpChannel& channel, const std::string& folder, uint64_t bytes, Status failed) {
  if (failed.code() != Code::kUnavailable || channel.broken() || !channel.has(kStatvfs)) return failed;
  SftpWriter body;
  body.text(kStatvfs).text(folder);
  // f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, …
  constexpr auto kReply = static_cast<SftpType>(201);
  auto reply = channel.ask(SftpType::kExtended, body, kReply, "statvfs");
  if (!reply) return failed;
  SftpReader reader(reply->body);
  reader.skip(8);
  const uint64_t unit = reader.u64();
  reader.skip(16);
  const uint64_t free_units = reader.u64();
  if (!reader.ok() || unit == 0 || free_units >= bytes / unit + 1) return failed;
  return {Code::kNoSpace, failed.message() + "; the disk there is full: make room"};
}

}  // namespace

SftpServer::SftpServer(std::unique_ptr<SftpPool> pool) : pool_(std::move(pool)) {}

std::string SftpServer::what(std::string_view verb, const std::string& path) const {
  return fmt::format("{}: {} {}", text(), verb, path);
}

Result<FileFacts> SftpServer::facts(const std::string& path, const RequestContext& context) {
  const std::string doing = what("stat", path);
  SftpAttributes attributes;
  const Status done = pool_->with(context, [&](SftpChannel& channel, bool*) -> Status {
    SftpWriter body;
    body.text(whole(path));
    // The owner may have put a symlink in the path to the folder; below it none is an object.
    const SftpType type = path.empty() ? SftpType::kStat : SftpType::kLstat;
    SHOEBOX_ASSIGN(const SftpPacket packet, channel.ask(type, body, SftpType::kAttrs, doing));
    SHOEBOX_ASSIGN(attributes, attributes_of(packet, doing));
    return Status::ok();
  });
  SHOEBOX_TRY(done);
  if (is_other(attributes)) return Status(Code::kInvalid, doing + ": it is neither a file nor a folder");
  return facts_of(attributes, doing);
}

Result<std::vector<FolderEntry>> SftpServer::entries(const std::string& folder,
                                                     const RequestContext& context) {
  const std::string doing = what("list", folder);
  std::vector<FolderEntry> entries;
  const auto take = [&](const SftpPacket& packet) -> Status {
    SHOEBOX_ASSIGN(const std::vector<SftpName> names, parse_sftp_names(packet.body));
    for (const SftpName& one : names) {
      const bool plain = check_key(one.name) && one.name.find('/') == std::string::npos;
      if (!plain || is_other(one.attributes)) continue;
      SHOEBOX_ASSIGN(FileFacts facts, facts_of(one.attributes, doing));
      entries.push_back({one.name, std::move(facts)});
    }
    if (entries.size() <= kMaxEntries) return Status::ok();
    return {Code::kTooBig, doing + ": the folder has too many files"};
  };
  const Status done = pool_->with(context, [&](SftpChannel& channel, bool*) -> Status {
    entries.clear();
    SftpWriter path;
    path.text(whole(folder));
    SHOEBOX_ASSIGN(const SftpPacket opened, channel.ask(SftpType::kOpendir, path, SftpType::kHandle, doing));
    const std::string handle(SftpReader(opened.body).text());
    SftpWriter body;
    body.text(handle);
    Status listed;
    while (listed) {
      SHOEBOX_TRY(check_wanted(context));
      auto packet = channel.ask(SftpType::kReaddir, body, SftpType::kName, doing);
      listed = packet ? take(*packet) : packet.status();
    }
    SHOEBOX_TRY(channel.close(handle, doing));
    return listed.code() == Code::kDataLoss ? Status::ok() : listed;  // the end, in so many words
  });
  SHOEBOX_TRY(done);
  return entries;
}

Status SftpServer::read(const std::string& path, ByteRange range, const std::string& etag,
                        const std::function<Status(std::string_view)>& sink, const RequestContext& context) {
  const std::string doing = what("get", path);
  return pool_->with(context, [&](SftpChannel& channel, bool* repeatable) -> Status {
    SHOEBOX_ASSIGN(const std::string handle, channel.open(whole(path), kSftpRead, doing));
    // Not once more after it: rclone's server tells another time of a file that was read moments after it
    // came.
    const auto same = [&]() -> Status {
      if (etag.empty()) return Status::ok();
      SftpWriter body;
      body.text(handle);
      SHOEBOX_ASSIGN(const SftpPacket packet, channel.ask(SftpType::kFstat, body, SftpType::kAttrs, doing));
      SHOEBOX_ASSIGN(const SftpAttributes attributes, attributes_of(packet, doing));
      SHOEBOX_ASSIGN(const FileFacts facts, facts_of(attributes, doing));
      if (facts.etag == etag) return Status::ok();
      return {Code::kConflict, fmt::format("{}: etag is {}, not {}", doing, facts.etag, etag)};
    };
    const auto read_open = [&]() -> Status {
      SHOEBOX_TRY(same());
      const auto counting = [&](std::string_view bytes) {
        *repeatable = false;  // the sink has seen bytes
        return sink(bytes);
      };
      return sftp_read_range(channel, handle, range, counting, context, doing);
    };
    const Status status = read_open();
    if (channel.broken()) return status;
    const Status closed = channel.close(handle, doing);
    return status ? closed : status;
  });
}

Result<Written> SftpServer::write(const std::string& path, int fd, const PutOptions& options,
                                  const RequestContext& context) {
  const std::string doing = what("put", path);
  const Status done = pool_->with(context, [&](SftpChannel& channel, bool*) -> Status {
    constexpr uint32_t kFlags = kSftpWrite | kSftpCreate | kSftpTruncate;
    SHOEBOX_ASSIGN(const std::string handle, channel.open(whole(path), kFlags, doing));
    Status status = sftp_write_file(channel, handle, fd, options, context, doing);
    if (channel.broken()) return status;
    if (status && channel.has(kFsync)) {
      SftpWriter body;
      body.text(kFsync).text(handle);
      status = channel.order(SftpType::kExtended, body, doing);
    }
    const Status closed = channel.close(handle, doing);
    if (status) status = closed;
    if (!status) {
      const std::string file = whole(path);
      return explain_failed_write(channel, file.substr(0, file.rfind('/')), options.size, std::move(status));
    }
    const int64_t now_s = SystemClock().now().seconds;
    return set_times(channel, whole(path), now_s - now_s % 2, doing);
  });
  SHOEBOX_TRY(done);
  return Written{path, "", false};
}

Status SftpServer::make_folder(const std::string& path, const RequestContext& context) {
  const std::string doing = what("make folder", path);
  return pool_->with(context, [&](SftpChannel& channel, bool*) -> Status {
    SftpWriter body;
    body.text(whole(path)).u32(4).u32(0755);
    const Status made = channel.order(SftpType::kMkdir, body, doing);
    if (made || made.code() == Code::kNotFound || channel.broken()) return made;
    // "Failure" is all that is told of one that is there already.
    SftpWriter existing;
    existing.text(whole(path));
    return channel.ask(SftpType::kStat, existing, SftpType::kAttrs, doing) ? Status::ok() : made;
  });
}

Status SftpServer::move(const std::string& from, const std::string& to, bool replace,
                        const RequestContext& context) {
  const std::string doing = what("move", from + " to " + to);
  return pool_->with(context, [&](SftpChannel& channel, bool*) -> Status {
    if (replace) {
      if (!channel.has(kPosixRename)) {
        return {Code::kNotSupported,
                doing + ": the server cannot replace a file (no posix-rename@openssh.com)"};
      }
      SftpWriter body;
      body.text(kPosixRename).text(whole(from)).text(whole(to));
      return channel.order(SftpType::kExtended, body, doing);
    }
    const auto remove_source = [&] {
      SftpWriter body;
      body.text(whole(from));
      return channel.order(SftpType::kRemove, body, doing);
    };
    const auto stands = [&]() -> Result<bool> {
      SftpWriter body;
      body.text(whole(to));
      auto there = channel.ask(SftpType::kLstat, body, SftpType::kAttrs, doing);
      if (there) return true;
      if (there.code() == Code::kNotFound) return false;
      return there.status();
    };
    if (channel.has(kHardLink)) {
      SftpWriter body;
      body.text(kHardLink).text(whole(from)).text(whole(to));
      const Status linked = channel.order(SftpType::kExtended, body, doing);
      if (linked.code() == Code::kNotFound || channel.broken()) return linked;
      SHOEBOX_ASSIGN(const bool made, stands());
      if (linked && made) {
        links_work_ = true;
        return remove_source();
      }
      // OpenSSH's rename links as well, and takes the new name back when the old one has gone: as it has when
      // a connection broke, and what it left with the server goes on beside the next attempt.
      if (!linked && !made && links_work_) return linked;
      // Else there are no links, which rclone only finds out later; or something stands there.
    }
    if (context.hints != nullptr) context.hints->looked_first = true;
    SHOEBOX_ASSIGN(const bool taken, stands());
    if (taken) return {Code::kConflict, doing + ": something stands there already"};
    SftpWriter body;
    body.text(whole(from)).text(whole(to));
    return channel.order(SftpType::kRename, body, doing);  // OpenSSH's refuses to overwrite
  });
}

Status SftpServer::copy(const std::string& from, const std::string&, const RequestContext&) {
  return {Code::kNotSupported, what("copy", from) + ": SFTP has no copy"};
}

Status SftpServer::remove_file(const std::string& path, const RequestContext& context) {
  const std::string doing = what("remove", path);
  return pool_->with(context, [&](SftpChannel& channel, bool*) -> Status {
    SftpWriter body;
    body.text(whole(path));
    return channel.order(SftpType::kRemove, body, doing);
  });
}

Status SftpServer::set_time_after(const std::string& path, int64_t later_than_s,
                                  const RequestContext& context) {
  SHOEBOX_ASSIGN(const FileFacts now, facts(path, context));
  if (now.modified_s > later_than_s) return Status::ok();
  return pool_->with(context, [&](SftpChannel& channel, bool*) -> Status {
    return set_times(channel, whole(path), later_than_s - later_than_s % 2 + 2,
                     what("set the time of", path));
  });
}

}  // namespace shoebox
