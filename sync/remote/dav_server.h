// WebDAV (davs://user@host/path): Nextcloud, ownCloud, Apache, nginx with its dav-ext module, rclone serve.
//
// An upload is confirmed by X-Hash-SHA256 (Nextcloud) or the checksums property (ownCloud, rclone): both
// are of the bytes that the server got, since we never tell it a checksum ourselves.
//
// Threads: any; each call blocks in the transfer loop, which cancel and deadline end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sync/remote/dav_client.h"
#include "sync/remote/folder_server.h"

namespace shoebox {

struct DavTuning {
  uint64_t chunked_above = 16ULL << 20;  // one chunk is what a broken connection costs at most
  uint64_t chunk_bytes = 16ULL << 20;    // Nextcloud wants 5 MiB at least
};

class DavServer final : public FolderServer {
 public:
  explicit DavServer(std::unique_ptr<DavClient> client, DavTuning tuning = {});

  [[nodiscard]] const std::string& text() const override { return client_->place().text; }
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
  Status relocate(const char* method, const std::string& from, const std::string& to, bool replace,
                  const RequestContext& context);

  const std::unique_ptr<DavClient> client_;
  const DavTuning tuning_;
};

}  // namespace shoebox
