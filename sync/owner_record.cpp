#include "sync/owner_record.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>

#include "store/base/hash.h"

namespace shoebox {
namespace {

constexpr std::string_view kFirstLine = "shoebox-owner 1";
constexpr std::string_view kFormatWord = "shoebox-owner ";
constexpr std::string_view kStates[] = {"holds", "released", "takes", "asks", "took"};
// Names of hosts and users end long before; a record has room for both and all else.
constexpr size_t kMostNameBytes = 128;
// Longer than anybody waits: nothing may be made of a number that somebody wrote there.
constexpr int64_t kLongestLease_s = 3600;

Status damaged(std::string_view why) { return {Code::kDataLoss, fmt::format("owner record: {}", why)}; }

// One line of text that a terminal shows as it is.
std::string plain_name(std::string_view name) {
  std::string plain(name.substr(0, kMostNameBytes));
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return plain.empty() ? "?" : plain;
}

template <typename Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// Takes the lines of a record apart, in their order.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  // The value of the next line, which must begin with this word.
  std::string_view value(std::string_view word) {
    const size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ok_ = ok_ && end != std::string_view::npos && line.size() > word.size() && line.starts_with(word) &&
          line[word.size()] == ' ';
    return ok_ ? line.substr(word.size() + 1) : std::string_view();
  }
  template <typename Number>
  void number(std::string_view word, Number& out) {
    ok_ = read_number(value(word), out) && ok_;
  }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string OwnerRecord::who() const { return fmt::format("{}@{}", user, host); }

std::string encode(const OwnerRecord& record) {
  std::string text = fmt::format(
      "{}\nlibrary {}\nwriter {}\nterm {}\nstate {}\ncounter {}\nnonce {}\nsince {}\nlease {}\nanswers {}\n"
      "host {}\nuser {}\n",
      kFirstLine, record.library, record.writer, record.term, kStates[static_cast<size_t>(record.state)],
      record.counter, record.nonce, record.since_s, record.lease_s,
      record.answers.empty() ? "-" : record.answers, plain_name(record.host), plain_name(record.user));
  text += fmt::format("sha256 {}\n", sha256(text).hex());
  text.resize(kOwnerRecordBytes, '\n');
  return text;
}

Result<OwnerRecord> parse_owner_record(std::string_view text) {
  const size_t last = text.find_last_not_of('\n');
  if (text.size() != kOwnerRecordBytes || last == std::string_view::npos) return damaged("cut off");
  const std::string_view first = text.substr(0, text.find('\n'));
  uint64_t version = 0;
  const bool ours = first.starts_with(kFormatWord) && read_number(first.substr(kFormatWord.size()), version);
  if (ours && version > 1) {
    return Status(Code::kIncompatible,
                  "owner record: written by a newer Shoebox; update this one to write there");
  }
  const size_t checksum = text.rfind("\nsha256 ", last);
  if (checksum == std::string_view::npos) return damaged("no checksum");
  const std::string_view body = text.substr(0, checksum + 1);
  if (text.substr(checksum + 1, last - checksum) != "sha256 " + sha256(body).hex()) {
    return damaged("the checksum does not match");
  }
  if (first != kFirstLine) return damaged("no such format");
  OwnerRecord record;
  Lines lines(body.substr(first.size() + 1));
  record.library = lines.value("library");
  record.writer = lines.value("writer");
  lines.number("term", record.term);
  const std::string_view state = lines.value("state");
  lines.number("counter", record.counter);
  record.nonce = lines.value("nonce");
  lines.number("since", record.since_s);
  lines.number("lease", record.lease_s);
  record.answers = lines.value("answers");
  record.host = plain_name(lines.value("host"));
  record.user = plain_name(lines.value("user"));
  const auto* const known = std::find(std::begin(kStates), std::end(kStates), state);
  if (!lines.done() || known == std::end(kStates)) return damaged("a line is not as it should be");
  record.state = static_cast<OwnerState>(known - std::begin(kStates));
  if (record.answers == "-") record.answers.clear();
  for (const std::string* id : {&record.library, &record.writer, &record.nonce}) {
    if (!is_owner_id(*id)) return damaged("an id is not as it should be");
  }
  if (record.term == 0 || record.lease_s < 1 || record.lease_s > kLongestLease_s) {
    return damaged("a number is not as it should be");
  }
  return record;
}

std::string owner_key(uint64_t term) { return fmt::format("{}{}", kOwnerFolder, term); }

uint64_t term_of_key(std::string_view key) {
  uint64_t term = 0;
  if (!key.starts_with(kOwnerFolder)) return 0;
  key.remove_prefix(kOwnerFolder.size());
  return !key.starts_with('0') && read_number(key, term) ? term : 0;
}

Result<std::string> new_owner_id() {
  std::string bytes(16, '\0');
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Status::from_errno(errno, "get random bytes");
  }
  return hex(bytes);
}

bool is_owner_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace shoebox
