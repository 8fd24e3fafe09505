// At mount, before anything is served: finishes what a crash left half done, by what the catalog
// says, and saves bytes that no record names. LAYOUT.md lists the cases.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <functional>
#include <map>

#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {
namespace {

struct Found {
  int64_t staging = -1, object = -1, partial = -1;  // sizes; -1: no such file
};

Status for_each_file(const std::string& folder, const std::function<void(const std::string&)>& fn) {
  DIR* raw = ::opendir(folder.c_str());
  if (raw == nullptr) return Status::from_errno(errno, "open folder " + folder);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(raw, ::closedir);
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] != '.') fn(entry->d_name);
  }
  return Status::ok();
}

// The content number that a file name spells; none for other names.
ContentNo number_of(std::string_view name) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return {};
  return ContentNo(number);
}

Status rescue(const std::string& root, const std::string& path, std::string_view kind, ContentNo content) {
  std::string target = fmt::format("{}/recovered/{}-{}", root, kind, content.value);
  for (int copy = 2; exists(target); ++copy) {
    target = fmt::format("{}/recovered/{}-{}-{}", root, kind, content.value, copy);
  }
  if (::rename(path.c_str(), target.c_str()) != 0) {
    return Status::from_errno(errno, fmt::format("rename {} to {}", path, target));
  }
  log::warning("{} belongs to no file; its bytes are in {}", path, target);
  return Status::ok();
}

// What stands in a partial file that its list does not name: the crash came after the list and before the
// smaller file that it is of, or before the list of what was fetched last. Nobody would read it, count it or
// let it go.
Status drop_unlisted(const std::string& path, const BlockSet& pages) {
  constexpr uint64_t kSlack = 64 << 10;  // file systems count what tells where the pieces of a file are
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return Status::from_errno(errno, "stat " + path);
  if (static_cast<uint64_t>(st.st_blocks) * 512 <= pages.bytes() + kSlack) return Status::ok();
  SHOEBOX_ASSIGN(const UniqueFd fd, open_file(path, O_RDWR));
  for (const ByteRange& gap : pages.missing({0, pages.size()})) {
    if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(gap.begin),
                    static_cast<off_t>(gap.size())) != 0) {
      return Status::from_errno(errno, "punch holes into " + path);
    }
  }
  return Status::ok();
}

}  // namespace

Result<uint64_t> ContentStore::recover() {
  State& state = *state_;
  std::map<uint64_t, Found> found;
  Status walked;
  const auto note = [&](const std::string& folder, int64_t Found::*where) {
    return for_each_file(folder, [&, where](const std::string& name) {
      const std::string path = folder + "/" + name;
      if (name.ends_with(".tmp") || name.find(".tmp.") != std::string::npos) {
        ::unlink(path.c_str());  // an eviction or a bitmap half written
      } else if (name.ends_with(".blocks")) {
        const std::string of = path.substr(0, path.size() - std::string_view(".blocks").size());
        if (!exists(of)) ::unlink(path.c_str());  // of a content that became an object
      } else if (const ContentNo content = number_of(name)) {
        found[content.value].*where = file_size(path);
      }
    });
  };
  SHOEBOX_TRY(note(state.root + "/staging", &Found::staging));
  SHOEBOX_TRY(note(state.root + "/partial", &Found::partial));
  SHOEBOX_TRY(for_each_file(state.root + "/objects", [&](const std::string& folder) {
    const Status noted = note(state.root + "/objects/" + folder, &Found::object);
    if (!noted && walked) walked = noted;
  }));
  SHOEBOX_TRY(walked);

  // Erased for good, and the crash came before their files went.
  SHOEBOX_ASSIGN(const std::vector<ContentNo> erased, state.erased_before());
  for (const ContentNo content : erased) {
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, state.catalog.content(content));
    if (record || found.erase(content.value) == 0) continue;
    for (const std::string& path :
         {state.staging(content), state.object(content), state.partial(content), state.blocks(content)}) {
      if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Status::from_errno(errno, "unlink " + path);
    }
  }
  SHOEBOX_TRY(state.note_gone(erased));

  uint64_t recovered = 0;
  int64_t total = 0;
  std::vector<ContentNo> to_rehash;
  for (const auto& [value, files] : found) {
    const ContentNo content(value);
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, state.catalog.content(content));
    if (!record) {
      if (files.staging > 0) {
        SHOEBOX_TRY(rescue(state.root, state.staging(content), "staging", content));
        ++recovered;
      } else if (files.staging == 0) {
        ::unlink(state.staging(content).c_str());
      }
      if (files.object >= 0) {
        SHOEBOX_TRY(rescue(state.root, state.object(content), "object", content));
        ++recovered;
      }
      if (files.partial >= 0) {  // never whole: worth nothing without its record
        ::unlink(state.partial(content).c_str());
        ::unlink(state.blocks(content).c_str());
      }
      continue;
    }
    int64_t object = files.object;
    if (record->state == ContentState::kSealed && files.staging >= 0) {
      if (object < 0) {
        SHOEBOX_TRY(seal(content));  // counts it
        object = -1;
      } else {
        SHOEBOX_TRY(rescue(state.root, state.staging(content), "staging", content));
        ++recovered;
      }
    }
    const bool local = record->residence == Residence::kLocal;
    if (object >= 0 && files.partial >= 0) {
      if (local) {  // an eviction that did not happen
        ::unlink(state.partial(content).c_str());
        ::unlink(state.blocks(content).c_str());
      } else {  // an eviction that did
        ::unlink(state.object(content).c_str());
        object = -1;
      }
    } else if (object >= 0 && !local) {
      to_rehash.push_back(content);
    } else if (object < 0 && files.partial >= 0 && local && files.staging < 0) {
      SHOEBOX_TRY(state.set_residence(content, Residence::kPartial));
    }
    if (object >= 0) total += object;
    if (object < 0 && files.partial >= 0) {
      Result<std::string> file = read_file(state.blocks(content));
      Result<BlockSet> pages = file ? BlockSet::decode(*file, record->size) : Result<BlockSet>(file.status());
      if (pages && !pages->complete()) {
        if (const Status dropped = drop_unlisted(state.partial(content), *pages); !dropped)
          log::warning("{}; it takes more room than is counted", dropped.message());
        total += static_cast<int64_t>(pages->bytes());
        state.note_partial(content, record->size, pages->bytes());
        continue;
      }
      // Loading makes the list anew; a content that turns out whole becomes an object.
      SHOEBOX_ASSIGN(const std::shared_ptr<Partial> partial, state.open_partial(content));
      if (!partial) continue;
      bool complete = false;
      {
        MutexLock lock(partial->mutex);
        total += static_cast<int64_t>(partial->pages.bytes());
        state.note_partial(content, record->size, partial->pages.bytes());
        partial->unsaved_bytes += !pages ? partial->pages.bytes() : 0;
        complete = partial->completing = partial->pages.complete();
      }
      if (complete) SHOEBOX_TRY(state.complete(partial));
    }
  }
  // The catalog says partial and only the object is there: a completion that the catalog missed.
  for (const ContentNo content : to_rehash) {
    {
      MutexLock loading(state.load_mutex);
      if (::rename(state.object(content).c_str(), state.partial(content).c_str()) != 0) {
        return Status::from_errno(errno, "rename " + state.object(content));
      }
      ::unlink(state.blocks(content).c_str());
    }
    SHOEBOX_ASSIGN(const std::shared_ptr<Partial> partial, state.open_partial(content));
    bool complete = false;
    {
      MutexLock lock(partial->mutex);
      if (partial->adopted)
        partial->pages.add({0, partial->pages.size()});  // only a whole one becomes an object
      partial->unsaved_bytes += partial->pages.bytes();
      total -= static_cast<int64_t>(partial->pages.size() - partial->pages.bytes());
      complete = partial->completing = partial->pages.complete();
    }
    if (complete) SHOEBOX_TRY(state.complete(partial));
  }
  state.total_bytes += total;
  return recovered;
}

}  // namespace shoebox
