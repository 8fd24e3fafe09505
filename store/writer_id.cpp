#include "store/writer_id.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "store/base/kill_point.h"

namespace shoebox {
namespace {

// Three lines: "shoebox-writer 1", "id ID", "inode NUMBER".
std::string text_of(const std::string& id, ino_t inode) {
  return fmt::format("shoebox-writer 1\nid {}\ninode {}\n", id, inode);
}

constexpr size_t kIdAt = 20;  // behind "shoebox-writer 1\nid "
constexpr size_t kIdDigits = 32;

}  // namespace

Result<std::string> writer_id(const std::string& library) {
  const std::string path = library + "/writer";
  const Result<std::string> text = read_file(path, 4096);
  if (!text && text.code() != Code::kNotFound) return text.status();
  struct stat st {};
  if (text && ::stat(path.c_str(), &st) == 0 && text->size() > kIdAt + kIdDigits) {
    const std::string id = text->substr(kIdAt, kIdDigits);
    if (*text == text_of(id, st.st_ino)) return id;
  }
  std::string random(kIdDigits / 2, '\0');
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return Status::from_errno(errno, "make an id for this library directory");
  }
  const std::string id = hex(random);
  // The number is known once the file is there: it keeps it through the rename.
  const std::string temporary = path + ".new";
  SHOEBOX_ASSIGN(const UniqueFd fd, open_file(temporary, O_RDWR | O_CREAT | O_TRUNC, 0600));
  if (::fstat(fd.get(), &st) != 0) return Status::from_errno(errno, "stat " + temporary);
  SHOEBOX_TRY(write_full(fd.get(), text_of(id, st.st_ino)).with_context(temporary));
  SHOEBOX_TRY(fsync_fd(fd.get(), temporary));
  kill_point("library-writer");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return Status::from_errno(errno, "rename to " + path);
  SHOEBOX_TRY(fsync_dir(library));
  return id;
}

}  // namespace shoebox
