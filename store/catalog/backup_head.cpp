#include "store/catalog/backup_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/base/hash.h"

namespace shoebox::backup {
namespace {

constexpr std::string_view kFirstLine = "shoebox-backup 1\n";
constexpr std::string_view kFormatWord = "shoebox-backup ";
constexpr size_t kMostSegments = 100'000;
constexpr size_t kNameDigits = 32;  // of the hash, in the key: no two objects will ever share them

constexpr std::string_view kKindNames[] = {"snapshot", "journal", "thumbnails"};

Status damaged_head(std::string_view why) { return {Code::kDataLoss, fmt::format("backup head: {}", why)}; }

// Takes words and numbers off a line.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  std::string_view word() {
    const size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ok_ = ok_ && !taken.empty();
    return taken;
  }
  uint64_t number() {
    const std::string_view text = word();
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    ok_ = ok_ && error == std::errc() && end == text.data() + text.size();
    return value;
  }
  std::string_view rest() { return std::exchange(rest_, std::string_view()); }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

Result<Segment> parse_segment(Words& words) {
  Segment segment;
  const std::string_view name = words.word();
  const auto* const kind = std::find(std::begin(kKindNames), std::end(kKindNames), name);
  if (kind == std::end(kKindNames)) return damaged_head("a segment of no known kind");
  segment.kind = static_cast<SegmentKind>(kind - std::begin(kKindNames));
  const Result<ContentHash> hash = parse_hash(words.word());
  if (!hash) return damaged_head("a segment without a hash");
  segment.sha256 = *hash;
  segment.bytes = words.number();
  segment.rows = words.number();
  segment.from = words.number();
  segment.to = words.number();
  segment.level = static_cast<uint32_t>(words.number());
  if (!words.done()) return damaged_head("a segment's line is not as it should be");
  return segment;
}

}  // namespace

uint64_t Head::bytes_of(SegmentKind kind) const {
  uint64_t bytes = 0;
  for (const Segment& segment : segments) bytes += segment.kind == kind ? segment.bytes : 0;
  return bytes;
}

size_t Head::count_of(SegmentKind kind) const {
  return static_cast<size_t>(std::count_if(segments.begin(), segments.end(),
                                           [&](const Segment& segment) { return segment.kind == kind; }));
}

std::string encode(const Head& head) {
  std::string text(kFirstLine);
  text += fmt::format("library {}\nremote {}\nschema {}\ncounter {}\ntime {}\n", head.library, head.remote,
                      head.schema, head.counter, head.time_s);
  text += fmt::format("sequence {}\nsnapshot {}\noriginals {}\npending {}\n", head.sequence, head.snapshot,
                      head.originals, head.pending);
  for (const Segment& segment : head.segments) {
    text += fmt::format("segment {} {} {} {} {} {} {}\n", kKindNames[static_cast<size_t>(segment.kind)],
                        segment.sha256.hex(), segment.bytes, segment.rows, segment.from, segment.to,
                        segment.level);
  }
  text += fmt::format("sha256 {}\n", sha256(text).hex());
  return text;
}

Result<Head> parse_head(std::string_view text) {
  constexpr size_t kLastLine = sizeof("sha256 ") - 1 + 64 + 1;
  if (text.size() < kLastLine + kFirstLine.size()) return damaged_head("cut short");
  const std::string_view body = text.substr(0, text.size() - kLastLine);
  if (text.substr(body.size()) != fmt::format("sha256 {}\n", sha256(body).hex())) {
    return damaged_head("its checksum is wrong");
  }
  if (!body.starts_with(kFirstLine)) {
    if (!body.starts_with(kFormatWord)) return damaged_head("it does not begin as it should");
    return Status(Code::kIncompatible, "backup head: made by a newer Shoebox; update this one");
  }
  Head head;
  std::string_view rest = body.substr(kFirstLine.size());
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) return damaged_head("a line is cut short");
    Words words(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    const std::string_view what = words.word();
    if (what == "segment") {
      SHOEBOX_ASSIGN(const Segment segment, parse_segment(words));
      if (head.segments.size() >= kMostSegments) return damaged_head("it names too many segments");
      head.segments.push_back(segment);
    } else if (what == "library") {
      head.library = words.word();
    } else if (what == "remote") {
      head.remote = words.rest();
    } else if (what == "schema") {
      head.schema = words.number();
    } else if (what == "counter") {
      head.counter = words.number();
    } else if (what == "time") {
      head.time_s = static_cast<int64_t>(words.number());
    } else if (what == "sequence") {
      head.sequence = words.number();
    } else if (what == "snapshot") {
      head.snapshot = words.number();
    } else if (what == "originals") {
      head.originals = words.number();
    } else if (what == "pending") {
      head.pending = words.number();
    } else {
      return damaged_head("a line of no known kind");
    }
    if (!words.done()) return damaged_head("a line is not as it should be");
  }
  if (!is_library_id(head.library)) return damaged_head("it names no library");
  return head;
}

std::string head_key(std::string_view library, uint64_t counter) {
  return fmt::format("{}{}/head.{}", kCatalogFolder, library, counter % 2);
}

std::string segment_key(std::string_view library, const Segment& segment) {
  const std::string_view folder =
      segment.kind == SegmentKind::kThumbnails ? kThumbnailFolder : kCatalogFolder;
  return fmt::format("{}{}/{}", folder, library, segment.sha256.hex().substr(0, kNameDigits));
}

bool is_library_id(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace shoebox::backup
