// shoebox thumbnail: the JPEG thumbnail of a photo or video, made now if it is missing.
// Arguments {"path", "size"}; answer {"path", "size", "bytes", "jpeg_base64"}.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "fs/command/arguments.h"
#include "fs/command/base64.h"
#include "fs/command/escape.h"
#include "fs/command/verb.h"
#include "store/catalog/catalog.h"
#include "store/importer.h"
#include "store/library.h"
#include "store/thumbnail_id.h"
#include "store/thumbnails/thumbnails.h"

namespace shoebox {
namespace {

using nlohmann::json;

// The stored size that is at least as large as what was asked for.
Result<uint32_t> stored_size(int64_t asked) {
  for (const uint32_t size : Thumbnails::kSizes) {
    if (asked >= 1 && asked <= size) return size;
  }
  return Status(Code::kInvalid,
                fmt::format("--size {}: thumbnails are at most {} pixels", asked,
                            *std::max_element(std::begin(Thumbnails::kSizes), std::end(Thumbnails::kSizes))));
}

Result<json> thumbnail(ServiceContext& context, const json& arguments) {
  Library& library = context.library;
  SHOEBOX_ASSIGN(const std::vector<std::string> paths, names_argument(arguments, "path"));
  SHOEBOX_ASSIGN(const std::optional<int64_t> asked, number_argument(arguments, "size"));
  if (paths.size() != 1) return Status(Code::kInvalid, "name one PATH");
  const std::string& path = paths.front();
  SHOEBOX_ASSIGN(const uint32_t size, stored_size(asked.value_or(256)));
  SHOEBOX_ASSIGN(const Entry entry, entry_at(library, path));
  if (!S_ISREG(entry.inode.mode)) {
    return Status(S_ISDIR(entry.inode.mode) ? Code::kIsDirectory : Code::kInvalid,
                  fmt::format("{}: not a photo or video", printable(path)));
  }
  if (!entry.inode.content) return Status(Code::kInvalid, fmt::format("{}: is empty", printable(path)));
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, library.catalog().content(entry.inode.content));
  if (!content || !is_immutable(content->state)) {
    return Status(Code::kBusy, fmt::format("{}: is being written; try again", printable(path)));
  }
  SHOEBOX_ASSIGN(std::optional<std::string> jpeg,
                 library.thumbnails().get(thumbnail_id(entry.inode.content, *content), size));
  if (!jpeg) {
    const Status here = fetch_whole(library, entry.inode.content, content->size, context.cancel);
    if (!here) return here.with_context(printable(path));
    // Adopted bytes may have turned out to be known ones.
    SHOEBOX_ASSIGN(const Entry now, entry_at(library, path));
    const Status made = library.importer().make_thumbnails(now.inode.content);
    if (!made) return made.with_context(fmt::format("thumbnail of {}", printable(path)));
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> whole, library.catalog().content(now.inode.content));
    if (whole) {
      SHOEBOX_ASSIGN(jpeg, library.thumbnails().get(thumbnail_id(now.inode.content, *whole), size));
    }
  }
  if (!jpeg) {
    return Status(Code::kNotFound, fmt::format("{}: no picture can be decoded from it", printable(path)));
  }
  return json{{"path", escape_name(path)},
              {"size", size},
              {"bytes", jpeg->size()},
              {"jpeg_base64", to_base64(*jpeg)}};
}

void print_thumbnail(const json& result, const json&) {
  const Result<std::string> jpeg = from_base64(result.value("jpeg_base64", ""));
  if (!jpeg) {
    complain(jpeg.status().message());
    return;
  }
  std::fwrite(jpeg->data(), 1, jpeg->size(), stdout);  // the caller asks stdout whether all went well
}

}  // namespace

Verb thumbnail_verb() {
  Verb verb;
  verb.name = "thumbnail";
  verb.summary = "write the thumbnail of a photo or video to stdout, as JPEG";
  verb.examples =
      "  shoebox thumbnail Library/2023/07/IMG_1.jpg > small.jpg\n"
      "  shoebox thumbnail --size 1024 Albums/Trip/clip.mp4 > frame.jpg\n";
  verb.options = {
      {"PATH", "path", OptionSpec::Kind::kLibraryPath, "PATH", "a photo or video of the drive", true},
      {"--size", "size", OptionSpec::Kind::kNumber, "N",
       "longer side in pixels, at least: 256 (default) or 1024"},
  };
  verb.service = thumbnail;
  verb.print = print_thumbnail;
  verb.refuse = [](bool json_asked) -> Status {
    if (json_asked || ::isatty(STDOUT_FILENO) != 1) return Status::ok();
    return {Code::kInvalid, "a JPEG would upset this terminal; write > out.jpg behind the command"};
  };
  return verb;
}

}  // namespace shoebox
