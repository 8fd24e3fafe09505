// SFTP (sftp://user@host:port/path), as OpenSSH and others speak it.
//
// A write is synced where the server can (fsync@openssh.com) and read back. Files are moved into place
// with hardlink@openssh.com when nothing may be overwritten, and with posix-rename@openssh.com else.
// Times are whole, even seconds (FAT keeps no finer ones); the etag is SIZE-SECONDS. Symlinks are no
// objects and are not listed.
//
// Threads: any; each call uses a connection of its own while it lasts.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "sync/remote/folder_server.h"
#include "sync/remote/sftp_pool.h"

namespace shoebox {

class SftpServer final : public FolderServer {
 public:
  explicit SftpServer(std::unique_ptr<SftpPool> pool);

  [[nodiscard]] const std::string& text() const override { return pool_->place().text; }
  Result<FileFacts> facts(const std::string& path, const RequestContext& context) override;
  Result<std::vector<FolderEntry>> entries(const std::string& folder, const RequestContext& context) override;
  Status read(const std::string& path, ByteRange range, const std::string& etag,
              const std::function<Status(std::string_view)>& sink, const RequestContext& context) override;
  Result<Written> write(const std::string& path, int fd, const PutOptions& options,
                        const RequestContext& context) override;
  Status make_folder(const std::string& path, const RequestContext& context) override;
  Status move(const std::string& from, const std::string& to, bool replace,
              const RequestContext& context) override;
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override;
  Status remove_file(const std::string& path, const RequestContext& context) override;
  Status set_time_after(const std::string& path, int64_t later_than_s,
                        const RequestContext& context) override;

 private:
  [[nodiscard]] std::string whole(const std::string& path) const { return pool_->place().whole_path(path); }
  [[nodiscard]] std::string what(std::string_view verb, const std::string& path) const;

  const std::unique_ptr<SftpPool> pool_;
  std::atomic<bool> links_work_{false};  // one was made: where it fails, that is of the moment
};

}  // namespace shoebox
