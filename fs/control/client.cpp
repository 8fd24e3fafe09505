#include "fs/control/client.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "fs/control/address.h"
#include "fs/control/line_socket.h"

namespace shoebox {
namespace {

using nlohmann::json;

constexpr int kCancelLookMs = 100;

// Nothing when nobody listens there.
Result<std::optional<UniqueFd>> connect_to(const Result<ControlAddress>& where, const std::string& library) {
  if (!where && (where.code() == Code::kNotFound || where.code() == Code::kNotDirectory)) {
    return std::optional<UniqueFd>();
  }
  if (!where) return where.status();
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return Status::from_errno(errno, "make a socket");
  while (::connect(fd.get(), where->get(), where->length) != 0) {
    if (errno == EINTR) continue;
    if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<UniqueFd>();
    return Status::from_errno(errno, fmt::format("reach the mount of {}", library));
  }
  return std::optional(std::move(fd));
}

Result<std::optional<UniqueFd>> connect_to(const std::string& library) {
  SHOEBOX_ASSIGN(std::optional<UniqueFd> fd, connect_to(control_address(library), library));
  if (fd) return fd;
  SHOEBOX_ASSIGN(fd, connect_to(abstract_control_address(library), library));
  // Somebody else may have taken the name to be asked in the mount's place.
  if (fd && !peer_is_trusted(fd->get())) fd.reset();
  return fd;
}

Code code_named(const std::string& name) {
  for (int code = static_cast<int>(Code::kOk) + 1; code <= static_cast<int>(Code::kIncompatible); ++code) {
    if (code_name(static_cast<Code>(code)) == name) return static_cast<Code>(code);
  }
  return Code::kIo;
}

}  // namespace

bool is_mounted(const std::string& library) {
  const Result<std::optional<UniqueFd>> fd = connect_to(library);
  return fd && fd->has_value();
}

Result<std::optional<json>> ask_mount(const std::string& library, const std::string& verb,
                                      const json& arguments, const CancelToken& cancel,
                                      const std::function<void(const json&)>& progress) {
  SHOEBOX_ASSIGN(std::optional<UniqueFd> fd, connect_to(library));
  if (!fd) return std::optional<json>();
  LineSocket socket(std::move(*fd));
  const json request = {{"version", 1}, {"verb", verb}, {"arguments", arguments}};
  const std::string line = request.dump(-1, ' ', false, json::error_handler_t::replace);
  if (line.size() > kMaxRequestBytes)
    return Status(Code::kTooBig, "too many paths at once; name a folder instead");
  SHOEBOX_TRY(socket.send(line));
  for (;;) {
    const Result<std::optional<std::string>> answer = socket.receive(kMaxAnswerBytes, kCancelLookMs, -1);
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    if (!answer && answer.code() == Code::kTimeout) continue;
    if (!answer) return answer.status().with_context("answer of the mount");
    if (!answer->has_value()) {
      // The request was taken, and may have been done in part.
      return Status(Code::kIo, fmt::format("the mount of {} ended before it answered", library));
    }
    const json value = json::parse(**answer, nullptr, false);
    if (!value.is_object()) return Status(Code::kInvalid, "the mount's answer is not understood");
    if (const auto interim = value.find("progress"); interim != value.end()) {
      if (progress) progress(*interim);
    } else if (const auto result = value.find("result"); result != value.end()) {
      return std::optional<json>(*result);
    } else if (const auto error = value.find("error"); error != value.end() && error->is_object()) {
      return Status(code_named(error->value("code", "")),
                    error->value("message", "the mount gave no reason"));
    } else {
      return Status(Code::kInvalid, "the mount's answer is not understood");
    }
  }
}

}  // namespace shoebox
