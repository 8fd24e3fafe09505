#include "sync/remote/dav_server.h"

#include <fmt/format.h>

#include "sync/remote/checks.h"
#include "sync/remote/dav_chunks.h"
#include "sync/remote/dav_xml.h"
#include "sync/remote/http_answer.h"

namespace shoebox {
namespace {

// A server may copy 50 GB within one request.
constexpr std::chrono::minutes kRelocatePatience{10};
// Virus scanners and slow disks: between the last byte of a body and the answer.
constexpr std::chrono::minutes kWritePatience{2};

}  // namespace

DavServer::DavServer(std::unique_ptr<DavClient> client, DavTuning tuning)
    : client_(std::move(client)), tuning_(tuning) {}

Result<FileFacts> DavServer::facts(const std::string& path, const RequestContext& context) {
  const DavPlace& place = client_->place();
  const std::string what = "stat " + path;
  HttpResponse refusal;
  auto response = client_->propfind(what, place.url(path, path.empty()), "0", context, &refusal);
  if (!response && refusal.status >= 300 && refusal.status < 400 && !path.empty()) {
    response = client_->propfind(what, place.url(path, true), "0", context);  // a folder, perhaps
  }
  if (!response) return response.status();
  auto members = parse_multistatus(response->body);
  if (!members) return members.status().with_context(fmt::format("{}: {}", text(), what));
  for (DavMember& member : *members) {
    if (member.path == place.whole_path(path)) return std::move(member.facts);
  }
  return Status(Code::kUnavailable, fmt::format("{}: {}: the answer is about other paths", text(), what));
}

Result<std::vector<FolderEntry>> DavServer::entries(const std::string& folder,
                                                    const RequestContext& context) {
  const std::string what = "list " + folder;
  SHOEBOX_ASSIGN(const HttpResponse response,
                 client_->propfind(what, client_->place().url(folder, true), "1", context));
  auto members = parse_multistatus(response.body);
  if (!members) return members.status().with_context(fmt::format("{}: {}", text(), what));
  const std::string self = client_->place().whole_path(folder);
  const std::string below = self + "/";
  bool complete = false;
  std::vector<FolderEntry> entries;
  for (DavMember& member : *members) {
    if (member.path == self) {
      complete = member.facts.is_folder;
      continue;
    }
    if (!member.path.starts_with(below)) {
      return Status(Code::kUnavailable, fmt::format("{}: {}: the answer is about other paths", text(), what));
    }
    std::string name = member.path.substr(below.size());
    // Names that no key can hold are none of ours.
    if (!member.plain || !check_key(name)) continue;
    if (name.find('/') != std::string::npos) {
      return Status(Code::kUnavailable,
                    fmt::format("{}: {}: the answer goes deeper than asked", text(), what));
    }
    entries.push_back({std::move(name), std::move(member.facts)});
  }
  if (!complete) {
    return Status(Code::kUnavailable,
                  fmt::format("{}: {}: the answer does not name the folder itself", text(), what));
  }
  return entries;
}

Status DavServer::read(const std::string& path, ByteRange range, const std::string& etag,
                       const std::function<Status(std::string_view)>& sink, const RequestContext& context) {
  RangeAnswer answer(range, etag, sink);
  DavRequest request{"get " + path, "GET", client_->place().url(path, false)};
  request.headers = answer.headers();
  request.accept = [&](const HttpResponse& response) { return answer.accept(response); };
  request.sink = [&](std::string_view bytes) { return answer.take(bytes); };
  SHOEBOX_TRY(client_->send(request, context).status());
  const Status complete = answer.complete();
  return complete ? complete : complete.with_context(fmt::format("{}: {}", text(), request.what));
}

Result<Written> DavServer::write(const std::string& path, int fd, const PutOptions& options,
                                 const RequestContext& context) {
  if (options.size > tuning_.chunked_above && !client_->place().chunk_folder().empty()) {
    return DavChunkedUpload(*client_, fd, options, context, tuning_.chunk_bytes).run();
  }
  DavRequest request{"put " + path, "PUT", client_->place().url(path, false)};
  request.headers = {{"Content-Type", "application/octet-stream"}, {"X-Hash", "sha256"}};
  request.body_fd = fd;
  request.body_range = {0, options.size};
  request.on_bytes_sent = options.on_bytes;
  request.patience = kWritePatience;
  SHOEBOX_ASSIGN(const HttpResponse response, client_->send(request, context));
  return Written{path, std::string(response.header("x-hash-sha256")), false};
}

Status DavServer::make_folder(const std::string& path, const RequestContext& context) {
  const DavRequest request{"make folder " + path, "MKCOL", client_->place().url(path, true)};
  HttpResponse refusal;
  const Status made = client_->send(request, context, &refusal).status();
  if (refusal.status == 405) return Status::ok();  // it is there
  if (refusal.status != 403) return made;
  // Apache's mod_dav says so, too, when another request made it at the same time.
  const auto there = facts(path, context);
  return there && there->is_folder ? Status::ok() : made;
}

Status DavServer::relocate(const char* method, const std::string& from, const std::string& to, bool replace,
                           const RequestContext& context) {
  DavRequest request{fmt::format("{} {} to {}", method, from, to), method, client_->place().url(from, false)};
  request.headers = {{"Destination", client_->place().url(to, false)}, {"Overwrite", replace ? "T" : "F"}};
  request.patience = kRelocatePatience;
  HttpResponse refusal;
  auto response = client_->send(request, context, &refusal);
  if (!response) return response.status();
  // A multistatus here names what failed (RFC 4918, 9.8.8), whatever else it says.
  if (response->status != 207) return Status::ok();
  return {Code::kUnavailable, fmt::format("{}: {}: done in part only", text(), request.what)};
}

Status DavServer::move(const std::string& from, const std::string& to, bool replace,
                       const RequestContext& context) {
  // Servers look at what Overwrite forbids before they rename.
  if (!replace && context.hints != nullptr) context.hints->looked_first = true;
  return relocate("MOVE", from, to, replace, context);
}

Status DavServer::copy(const std::string& from, const std::string& to, const RequestContext& context) {
  return relocate("COPY", from, to, true, context);
}

Status DavServer::remove_file(const std::string& path, const RequestContext& context) {
  const DavRequest request{"remove " + path, "DELETE", client_->place().url(path, false)};
  return client_->send(request, context).status();
}

Status DavServer::set_time_after(const std::string&, int64_t, const RequestContext&) {
  return Status::ok();  // the server's own business
}

}  // namespace shoebox
