// As much of S3 as s3_remote uses, in memory, with the checks a real server makes of a body, and two
// hooks by which a test makes it misbehave. Does not check signatures: real servers do that.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/base/hash.h"
#include "sync/remote/digests.h"
#include "test_http_server.h"
#include "tests/unit/sync/hook.h"

namespace shoebox {

class FakeS3 {
 public:
  struct Object {
    std::string bytes, etag, sha256;
  };
  // Instead of the server's doing and answer; nullopt: go on.
  testing::Hook<std::optional<TestReply>(const TestRequest&)> instead;
  // On the answer, after the server did what was asked.
  testing::Hook<void(const TestRequest&, TestReply&)> spoil;

  FakeS3() : server([this](const TestRequest& request) { return answer(request); }) {}

  std::optional<Object> object(const std::string& key) {
    const std::lock_guard lock(mutex);
    const auto at = objects.find(key);
    return at == objects.end() ? std::nullopt : std::optional(at->second);
  }

  void place(const std::string& key, Object object) {
    const std::lock_guard lock(mutex);
    objects[key] = std::move(object);
  }
  size_t count_objects() {
    const std::lock_guard lock(mutex);
    return objects.size();
  }
  // An upload that somebody began and never ended.
  void begin_upload(const std::string& id, const std::string& key) {
    const std::lock_guard lock(mutex);
    uploads[id];
    upload_keys[id] = key;
  }
  void forget_uploads() {
    const std::lock_guard lock(mutex);
    uploads.clear();
  }
  std::vector<std::string> upload_ids() {
    const std::lock_guard lock(mutex);
    std::vector<std::string> ids;
    for (const auto& [id, parts] : uploads) ids.push_back(id);
    return ids;
  }

  std::mutex mutex;
  std::map<std::string, Object> objects;
  std::map<std::string, std::map<int, Object>> uploads;
  std::map<std::string, std::string> upload_keys;  // of those and of ended ones
  TestHttpServer server;                           // last: its threads use the rest

 private:
  static TestReply refuse(int status, const std::string& code) {
    return {status,
            {{"Content-Type", "application/xml"}},
            "<Error><Code>" + code + "</Code><Message>no</Message></Error>"};
  }
  static std::string quoted(const std::string& etag) { return "\"" + etag + "\""; }

  static std::string decode(const std::string& text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  TestReply answer(const TestRequest& request) {
    if (const auto hook = instead.get()) {
      if (auto reply = (*hook)(request)) return *reply;
    }
    TestReply reply;
    {
      const std::lock_guard lock(mutex);
      reply = act(request);
    }
    if (const auto hook = spoil.get()) (*hook)(request, reply);
    return reply;
  }

  TestReply act(const TestRequest& request) {
    const size_t mark = std::min(request.target.find('?'), request.target.size());
    const std::string path = decode(request.target.substr(0, mark));
    std::map<std::string, std::string> query;
    for (size_t begin = mark + 1; begin < request.target.size();) {
      const size_t end = std::min(request.target.find('&', begin), request.target.size());
      const std::string pair = request.target.substr(begin, end - begin);
      query[decode(pair.substr(0, pair.find('=')))] = decode(pair.substr(pair.find('=') + 1));
      begin = end + 1;
    }
    if (!path.starts_with("/bucket")) return refuse(404, "NoSuchBucket");
    const std::string key = path.size() > 8 ? path.substr(8) : "";
    if (!request.body.empty() && request.header("x-amz-content-sha256") != sha256(request.body).hex()) {
      return refuse(400, "XAmzContentSHA256Mismatch");
    }
    const std::string digest = request.header("content-md5");
    if (!digest.empty() && digest != base64(md5(request.body))) return refuse(400, "BadDigest");

    if (key.empty()) return query.contains("uploads") ? list_uploads(query) : list(query);
    if (query.contains("uploads")) {
      const std::string id = "upload-" + std::to_string(uploads.size() + 1);
      uploads[id];
      upload_keys[id] = key;
      return {
          200,
          {},
          "<InitiateMultipartUploadResult><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>"};
    }
    if (query.contains("uploadId")) return upload(request, key, query);
    if (request.method == "PUT" && !request.header("x-amz-copy-source").empty()) {
      const auto from = objects.find(decode(request.header("x-amz-copy-source")).substr(8));
      if (from == objects.end()) return refuse(404, "NoSuchKey");
      objects[key] = from->second;
      return {200, {}, "<CopyObjectResult><ETag>" + quoted(from->second.etag) + "</ETag></CopyObjectResult>"};
    }
    if (request.method == "PUT") {
      if (request.header("if-none-match") == "*" && objects.contains(key))
        return refuse(412, "PreconditionFailed");
      objects[key] = {request.body, hex(md5(request.body)), request.header("x-amz-meta-shoebox-sha256")};
      return {200, {{"ETag", quoted(objects[key].etag)}}, ""};
    }
    if (request.method == "DELETE") return objects.erase(key), TestReply{204, {}, ""};
    const auto at = objects.find(key);
    if (at == objects.end()) return refuse(404, "NoSuchKey");
    return read(request, at->second);
  }

  static TestReply read(const TestRequest& request, const Object& object) {
    TestReply reply{200,
                    {{"ETag", quoted(object.etag)},
                     {"Last-Modified", "Mon, 12 Oct 2009 17:50:30 GMT"},
                     {"x-amz-meta-shoebox-sha256", object.sha256}},
                    object.bytes};
    const std::string pinned = request.header("if-match");
    if (!pinned.empty() && pinned != quoted(object.etag)) return refuse(412, "PreconditionFailed");
    const std::string range = request.header("range");
    if (range.empty()) return reply;
    const size_t begin = std::stoul(range.substr(6));
    const size_t last = std::min(std::stoul(range.substr(range.find('-') + 1)), object.bytes.size() - 1);
    if (begin >= object.bytes.size()) return refuse(416, "InvalidRange");
    reply.status = 206;
    reply.body = object.bytes.substr(begin, last - begin + 1);
    reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(begin) + "-" +
                                                    std::to_string(last) + "/" +
                                                    std::to_string(object.bytes.size()));
    return reply;
  }

  TestReply list(std::map<std::string, std::string>& query) {
    std::string xml = "<ListBucketResult>";
    size_t room = query["max-keys"].empty() ? 1000 : std::stoul(query["max-keys"]);
    std::string truncated = "false";
    for (const auto& [key, object] : objects) {
      if (!key.starts_with(query["prefix"]) || key <= query["continuation-token"] || query["max-keys"] == "0")
        continue;
      if (room-- == 0) {
        truncated = "true";
        break;
      }
      xml += "<Contents><Key>" + key + "</Key><Size>" + std::to_string(object.bytes.size()) +
             "</Size><ETag>" + quoted(object.etag) +
             "</ETag><LastModified>2009-10-12T17:50:30.000Z</LastModified></Contents>";
      if (room == 0) xml += "<NextContinuationToken>" + key + "</NextContinuationToken>";
    }
    return {200, {}, xml + "<IsTruncated>" + truncated + "</IsTruncated></ListBucketResult>"};
  }

  // Two a page, so that pages are met.
  TestReply list_uploads(std::map<std::string, std::string>& query) {
    std::string xml, next;
    int room = 2;
    for (const auto& [id, parts] : uploads) {
      const std::string& key = upload_keys[id];
      if (!key.starts_with(query["prefix"]) || id <= query["upload-id-marker"]) continue;
      if (room-- == 0) {
        xml += next;
        break;
      }
      xml += "<Upload><Key>" + key + "</Key><UploadId>" + id + "</UploadId></Upload>";
      next = "<IsTruncated>true</IsTruncated><NextKeyMarker>" + key + "</NextKeyMarker><NextUploadIdMarker>" +
             id + "</NextUploadIdMarker>";
    }
    return {200, {}, "<ListMultipartUploadsResult>" + xml + "</ListMultipartUploadsResult>"};
  }

  TestReply upload(const TestRequest& request, const std::string& key,
                   std::map<std::string, std::string>& query) {
    const auto at = uploads.find(query["uploadId"]);
    if (at == uploads.end()) return refuse(404, "NoSuchUpload");
    if (request.method == "PUT") {
      const std::string etag = hex(md5(request.body));
      at->second[std::stoi(query["partNumber"])] = {request.body, etag, ""};
      return {200, {{"ETag", quoted(etag)}}, ""};
    }
    if (request.method == "DELETE") return uploads.erase(at), TestReply{204, {}, ""};
    if (request.method == "GET") {
      std::string xml = "<ListPartsResult><IsTruncated>false</IsTruncated>";
      for (const auto& [number, part] : at->second) {
        xml += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + quoted(part.etag) +
               "</ETag><Size>" + std::to_string(part.bytes.size()) + "</Size></Part>";
      }
      return {200, {}, xml + "</ListPartsResult>"};
    }
    if (request.header("if-none-match") == "*" && objects.contains(key))
      return refuse(412, "PreconditionFailed");
    Object whole;
    std::string digests;
    for (const auto& [number, part] : at->second) {
      whole.bytes += part.bytes;
      digests += md5(part.bytes);
    }
    whole.etag = hex(md5(digests)) + "-" + std::to_string(at->second.size());
    whole.sha256 = sha256(whole.bytes).hex();
    objects[key] = whole;
    uploads.erase(at);
    return {200,
            {},
            "<CompleteMultipartUploadResult><ETag>" + quoted(whole.etag) +
                "</ETag></CompleteMultipartUploadResult>"};
  }
};

}  // namespace shoebox
