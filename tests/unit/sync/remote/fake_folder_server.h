// A server of folders and files in memory, for tests of FolderRemote: each call can be made to fail or to
// lie. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "sync/remote/folder_server.h"

namespace shoebox {

class FakeFolderServer final : public FolderServer {
 public:
  struct Node {
    bool is_folder = false;
    std::string bytes;
    int64_t number = 0;  // makes the etag
  };

  std::map<std::string, Node> nodes{{"", {true, "", 0}}};
  int calls = 0;
  bool hashes = false;  // tells the SHA-256 of what it stores
  bool can_copy = true;
  bool flips_bits = false;  // in what it stores
  int flip_reads = 0;       // so many of the next reads have one bit wrong
  // Called before each operation ("move", path); a failure is returned instead of doing it.
  std::function<Status(const std::string& operation, const std::string& path)> before;
  // Called after an operation was done; a failure is returned nevertheless: the answer was lost.
  std::function<Status(const std::string& operation, const std::string& path)> after;

  [[nodiscard]] const std::string& text() const override { return text_; }

  Result<FileFacts> facts(const std::string& path, const RequestContext&) override {
    SHOEBOX_TRY(enter("facts", path));
    const auto at = nodes.find(path);
    if (at == nodes.end()) return Status(Code::kNotFound, path);
    return facts_of(at->second);
  }
  Result<std::vector<FolderEntry>> entries(const std::string& folder, const RequestContext&) override {
    SHOEBOX_TRY(enter("entries", folder));
    if (!nodes.contains(folder)) return Status(Code::kNotFound, folder);
    std::vector<FolderEntry> out;
    for (const auto& [path, node] : nodes) {
      if (!path.empty() && parent(path) == folder)
        out.push_back({path.substr(path.rfind('/') + 1), facts_of(node)});
    }
    return out;
  }
  Status read(const std::string& path, ByteRange range, const std::string& etag,
              const std::function<Status(std::string_view)>& sink, const RequestContext&) override {
    SHOEBOX_TRY(enter("read", path));
    const auto at = nodes.find(path);
    if (at == nodes.end()) return {Code::kNotFound, path};
    if (!etag.empty() && facts_of(at->second).etag != etag) return {Code::kConflict, path};
    if (range.end > at->second.bytes.size()) return {Code::kDataLoss, path};
    std::string bytes = at->second.bytes.substr(range.begin, range.size());
    if (!bytes.empty() && flip_reads > 0 && flip_reads-- > 0) bytes[bytes.size() / 2] ^= 1;
    return sink(bytes);
  }
  Result<Written> write(const std::string& path, int fd, const PutOptions& options,
                        const RequestContext&) override {
    SHOEBOX_TRY(enter("write", path));
    if (!is_folder(parent(path))) return Status(Code::kNotFound, path);
    std::string bytes(options.size, '\0');
    SHOEBOX_ASSIGN(const size_t got, pread_full(fd, bytes.data(), bytes.size(), 0));
    bytes.resize(got);
    if (flips_bits && !bytes.empty()) bytes[bytes.size() / 2] ^= 1;
    nodes[path] = {false, bytes, ++numbers_};
    if (after) SHOEBOX_TRY(after("write", path));
    return Written{path, "", false};
  }
  Status make_folder(const std::string& path, const RequestContext&) override {
    SHOEBOX_TRY(enter("make_folder", path));
    if (!is_folder(parent(path))) return {Code::kNotFound, path};
    nodes.try_emplace(path, Node{true, "", 0});
    return Status::ok();
  }
  Status move(const std::string& from, const std::string& to, bool replace, const RequestContext&) override {
    SHOEBOX_TRY(enter("move", to));
    if (!nodes.contains(from) || !is_folder(parent(to))) return {Code::kNotFound, from};
    if (!replace && nodes.contains(to)) return {Code::kConflict, to};
    nodes[to] = nodes[from];
    nodes.erase(from);
    return after ? after("move", to) : Status::ok();
  }
  Status copy(const std::string& from, const std::string& to, const RequestContext&) override {
    if (!can_copy) return {Code::kNotSupported, from};
    SHOEBOX_TRY(enter("copy", to));
    if (!nodes.contains(from) || !is_folder(parent(to))) return {Code::kNotFound, from};
    nodes[to] = {false, nodes[from].bytes, ++numbers_};
    return Status::ok();
  }
  Status remove_file(const std::string& path, const RequestContext&) override {
    SHOEBOX_TRY(enter("remove", path));
    return nodes.erase(path) > 0 ? Status::ok() : Status(Code::kNotFound, path);
  }
  Status set_time_after(const std::string&, int64_t, const RequestContext&) override { return Status::ok(); }

  // Paths of files below .shoebox/tmp.
  [[nodiscard]] size_t temporaries() const {
    return static_cast<size_t>(std::count_if(nodes.begin(), nodes.end(), [](const auto& node) {
      return node.first.starts_with(".shoebox/tmp/");
    }));
  }

 private:
  Status enter(const char* operation, const std::string& path) {
    ++calls;
    return before ? before(operation, path) : Status::ok();
  }
  static std::string parent(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
  }
  [[nodiscard]] bool is_folder(const std::string& path) const {
    const auto at = nodes.find(path);
    return at != nodes.end() && at->second.is_folder;
  }
  [[nodiscard]] FileFacts facts_of(const Node& node) const {
    FileFacts facts;
    facts.is_folder = node.is_folder;
    facts.size = node.bytes.size();
    facts.etag = node.is_folder ? "" : std::to_string(node.number);
    facts.modified_s = SystemClock().now().seconds;
    if (hashes && !node.is_folder) facts.sha256 = sha256(node.bytes).hex();
    return facts;
  }

  const std::string text_ = "fake://server";
  int64_t numbers_ = 0;
};

}  // namespace shoebox
