#include "store/library_remotes.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_io.h"
#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/doubtful_copies.h"
#include "store/outbox.h"
#include "store/remote_edit.h"
#include "store/remote_places.h"

namespace shoebox {
namespace {

constexpr const char* kNewFile =
    "# Settings of this Shoebox library. Every key is optional; store/SETTINGS.md tells them all.\n"
    "# cache = \"20%\"          # originals on this disk: a size (\"50 GiB\") or a share of the disk\n"
    "# copies = 1             # remotes that must hold an original before it may leave this disk\n"
    "# keep = \"30d\"           # how long Trash and replaced versions are kept\n"
    "# dates_layout = \"%Y/%m\" # folders of Dates\n";

bool same_address(const RemoteSettings& a, const RemoteSettings& b) {
  return a.url == b.url && a.endpoint == b.endpoint;
}

std::string free_name(const std::vector<RemoteSettings>& remotes) {
  for (size_t number = 1;; ++number) {
    const std::string name = number == 1 ? "default" : fmt::format("remote{}", number);
    const bool taken =
        std::any_of(remotes.begin(), remotes.end(), [&](const RemoteSettings& r) { return r.name == name; });
    if (!taken) return name;
  }
}

Status write_remote(const std::string& library, const RemoteSettings& remote) {
  const std::string path = library + "/shoebox.toml";
  Result<std::string> old = read_file(path, 1 << 20);
  if (!old && old.code() != Code::kNotFound) return old.status();
  std::string text = old ? *old : kNewFile;
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += "\n" + toml_of(remote);
  if (const Result<Settings> again = Settings::parse(text, path); !again) {
    return again.status().with_context("add the remote to the file by hand");
  }
  struct stat st {};
  const mode_t mode = ::stat(path.c_str(), &st) == 0 ? st.st_mode & 0777 : 0600;
  return write_file_atomically(path, text, mode);
}

constexpr const char* kMetaPlace = "remote/";
constexpr std::string_view kCryptMark = "\ncrypt";

// Encrypted and plain copies are not each other's, though they have the same url.
std::string place_of(const RemoteSettings& remote) {
  return remote.url + "\n" + remote.endpoint + std::string(remote.crypt ? kCryptMark : "");
}

}  // namespace

Status adopt_remotes(const std::string& library, const std::vector<RemoteSettings>& extra, bool read_only,
                     Settings& settings) {
  for (RemoteSettings remote : extra) {
    SHOEBOX_TRY(check_remote_url(remote.url));
    if (!remote.name.empty()) SHOEBOX_TRY(check_remote_name(remote.name));
    const auto same = std::find_if(settings.remotes.begin(), settings.remotes.end(),
                                   [&](const RemoteSettings& r) { return same_address(r, remote); });
    if (same != settings.remotes.end() && (remote.name.empty() || remote.name == same->name)) continue;
    if (same != settings.remotes.end()) {
      return {Code::kExists, fmt::format("remote {} is in {}/shoebox.toml already, as \"{}\"", remote.url,
                                         library, same->name)};
    }
    for (const RemoteSettings& other : settings.remotes) {
      if (other.name == remote.name) {
        return {Code::kExists, fmt::format("remote \"{}\" is {} in {}/shoebox.toml; give {} another name",
                                           other.name, other.url, library, remote.url)};
      }
    }
    if (remote.name.empty()) remote.name = free_name(settings.remotes);
    settings.remotes.push_back(remote);
    SHOEBOX_TRY(check_remote_places(library, settings.remotes));
    if (!read_only) SHOEBOX_TRY(write_remote(library, remote));
  }
  return check_remote_places(library, settings.remotes);
}

bool same_place(const RemoteSettings& before, const RemoteSettings& after) {
  return before.name == after.name && place_of(before) == place_of(after);
}

Result<Settings> reread_settings(const std::string& library, Catalog& catalog, const Settings& now,
                                 bool read_only) {
  SHOEBOX_ASSIGN(Settings next, Settings::load(library + "/shoebox.toml"));
  SHOEBOX_TRY(check_remote_places(library, next.remotes));
  SHOEBOX_TRY(refuse_unencrypted(catalog, next));
  std::vector<std::string> left;
  for (const RemoteSettings& one : now.remotes) {
    const bool stays = std::any_of(next.remotes.begin(), next.remotes.end(),
                                   [&](const RemoteSettings& r) { return r.name == one.name; });
    if (!stays) left.push_back(one.name);
  }
  if (!left.empty() && !read_only) SHOEBOX_TRY(let_go_of_remotes(catalog, next.remotes, left));
  return next;
}

Status refuse_unencrypted(const CatalogReader& reader, const Settings& settings) {
  for (const RemoteSettings& remote : settings.remotes) {
    SHOEBOX_ASSIGN(const std::optional<std::string> known, reader.meta(kMetaPlace + remote.name));
    if (remote.crypt || known != place_of(remote) + std::string(kCryptMark)) continue;
    return {Code::kInvalid,
            fmt::format(
                "remote \"{}\": {} was encrypted, and without crypt = true everything would be sent there "
                "in plain; set it again, or give plain copies a folder of their own",
                remote.name, remote.url)};
  }
  return Status::ok();
}

Status reconcile_remotes(Catalog& catalog, Outbox& outbox, const Settings& settings) {
  for (const RemoteSettings& remote : settings.remotes) {
    SHOEBOX_TRY(take_remote_back(catalog, remote.name));
    const std::string key = kMetaPlace + remote.name;
    SHOEBOX_ASSIGN(const std::optional<std::string> known, catalog.meta(key));
    if (known == place_of(remote)) continue;
    if (known) {
      SHOEBOX_ASSIGN(const DoubtfulCopies doubtful, doubt_copies(catalog, outbox, remote.name));
      log::warning("remote {} has moved: {} originals are checked there again", remote.name,
                   doubtful.checked_again);
    }
    SHOEBOX_ASSIGN(const uint64_t queued, outbox.enqueue_missing(remote.name));
    if (queued > 0) log::info("remote {} is new: {} originals queued for it", remote.name, queued);
    // Last: a crash before this line does the same work again.
    const std::unique_ptr<Transaction> txn = catalog.begin();
    txn->put_meta(key, place_of(remote));
    SHOEBOX_TRY(txn->commit());
  }
  return Status::ok();
}

}  // namespace shoebox
