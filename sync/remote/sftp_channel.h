// Requests and answers on one SFTP channel. Several requests may be under way; answers may come in any
// order. What a request leaves behind when it fails in the middle (answers not yet read) ends the
// channel: broken() is then true and the session is thrown away.
//
// Threads: one at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "sync/remote/sftp_wire.h"
#include "sync/remote/ssh_session.h"

namespace shoebox {

class SftpChannel {
 public:
  explicit SftpChannel(std::unique_ptr<SshSession> session) : session_(std::move(session)) {}

  // Versions and extensions exchanged. REQUIRES: the session's SFTP is open.
  Status begin();
  [[nodiscard]] bool has(const std::string& extension) const { return extensions_.contains(extension); }

  // Sends a request, which answer() then waits for.
  Result<uint32_t> send(SftpType type, const SftpWriter& body);
  Result<SftpPacket> answer(uint32_t id);
  // Both; `expected` or the Status that the server told instead.
  Result<SftpPacket> ask(SftpType type, const SftpWriter& body, SftpType expected, std::string_view what);
  // A request that is answered with a status.
  Status order(SftpType type, const SftpWriter& body, std::string_view what);

  // A handle for further requests; close() tells what was not written after all.
  Result<std::string> open(const std::string& path, uint32_t flags, std::string_view what);
  Status close(const std::string& handle, std::string_view what);

  [[nodiscard]] bool broken() const { return broken_ || open_requests_ > 0 || !early_.empty(); }
  [[nodiscard]] SshSession& session() { return *session_; }
  // When bytes last moved, for whoever watches for a stall; from any thread.
  [[nodiscard]] std::chrono::steady_clock::time_point last_progress() const { return last_progress_; }
  void progressed() { last_progress_ = std::chrono::steady_clock::now(); }

 private:
  Result<std::string> receive();

  const std::unique_ptr<SshSession> session_;
  std::map<std::string, std::string> extensions_;
  std::map<uint32_t, SftpPacket> early_;  // answers that came before they were waited for
  uint32_t next_id_ = 1;
  size_t open_requests_ = 0;
  bool broken_ = false;
  std::atomic<std::chrono::steady_clock::time_point> last_progress_{std::chrono::steady_clock::now()};
};

}  // namespace shoebox
