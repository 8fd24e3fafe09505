// shoebox.toml, which people write, and which other programs may damage.
#include "store/settings.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

std::vector<std::string> seeds() {
  return {
      "cache = \"50 GiB\"\ncopies = 2\ndurability = \"fsync\"\nkeep = \"30d\"\n\n[[remote]]\nname = \"nas\"\n"
      "url = \"file:///mnt/nas/photos\"\n\n[[remote]]\nname = \"cloud\"\nurl = \"s3://bucket/prefix\"\n"
      "endpoint = \"https://s3.example.org:9000\"\nregion = \"eu\"\nconnections = 8\ncrypt = true\n"
      "passphrase_file = \"/home/anna/p\"\n",
      "cache = \"20%\"\nverify = \"90d\"\n[[remote]]\nname = 'dav'\nurl = 'davs://anna@cloud/x'\nca_file = "
      "'/ca'\n",
      "[[remote]]\nname = \"s\"\nurl = \"sftp://anna@host:22/x\"\nknown_hosts = \"/k\"\n", "copies = 0x1\n#",
      "[[remote]]\nname = \"a\"\nurl = \"s\\tp://x\"\n"};
}

void run(std::string_view bytes) {
  const std::string text(bytes);
  const auto cache = parse_cache_limit(text);
  if (!cache) holds(!cache.status().message().empty(), "a refusal says why");
  const auto duration = parse_duration_s(text);
  if (!duration) holds(!duration.status().message().empty(), "a refusal says why");
  const auto settings = Settings::parse(text, "shoebox.toml");
  if (!settings) {
    refused_well(settings.status(), {Code::kInvalid});
    holds(settings.status().message().starts_with("shoebox.toml"), "a refusal names the file");
    return;
  }
  (void)settings->warnings();
  holds(settings->copies >= 1, "there is always a copy");
  for (const RemoteSettings& remote : settings->remotes) {
    const std::string section = toml_of(remote);
    const auto back = Settings::parse(section, "shoebox.toml");
    holds(back.is_ok() && back->remotes.size() == 1 && toml_of(back->remotes[0]) == section,
          "a section that we write is read back");
  }
}

}  // namespace

const Target kSettings{"settings", seeds, run};

}  // namespace shoebox::fuzz
