// Nextcloud's chunked upload, for files above 16 MiB: a folder uploads/USER/ID takes the chunks, and
// moving its .file puts the whole together on the server. Resumable after a crash or a reboot.
// https://docs.nextcloud.com/server/latest/developer_manual/client_apis/WebDAV/chunking.html
//
// `progress` (PutOptions): "shoebox-chunks 1 SIZE SHA256 CHUNK_BYTES ID". A resumed upload believes the
// server's list of chunks by name and size; the whole is confirmed afterwards in any case.
//
// Used by one write() on its thread.
#pragma once

#include <map>
#include <string>

#include "sync/remote/dav_client.h"
#include "sync/remote/folder_server.h"

namespace shoebox {

struct DavChunkProgress {
  uint64_t size = 0;
  std::string sha256;  // hex
  uint64_t chunk_bytes = 0;
  std::string id;  // hex digits

  [[nodiscard]] std::string text() const;
  // kInvalid for what no version of us wrote.
  static Result<DavChunkProgress> parse(const std::string& text);
};

class DavChunkedUpload {
 public:
  // REQUIRES: place().chunk_folder() is not empty.
  DavChunkedUpload(DavClient& client, int fd, const PutOptions& options, const RequestContext& context,
                   uint64_t chunk_bytes);
  // The bytes stand in .shoebox/tmp then, under the upload's id.
  Result<Written> run();

 private:
  // The earlier attempt when it fits these bytes and the server still knows it.
  Result<bool> resume();
  Status begin();
  Status send_chunk(uint32_t number, ByteRange range);
  Status assemble();
  // Whether the earlier attempt was put together already.
  Result<bool> assembled();
  [[nodiscard]] Written written() const;
  [[nodiscard]] std::string url_of(const std::string& name) const;
  [[nodiscard]] NameValues headers() const;

  DavClient& client_;
  const int fd_;
  const PutOptions& options_;
  const RequestContext& context_;
  DavChunkProgress progress_;
  std::map<std::string, uint64_t> on_server_;  // name and size of each chunk that is there
};

}  // namespace shoebox
