#include "store/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "store/settings_keys.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string refusal(const std::string& text) {
  const Result<Settings> settings = Settings::parse(text, "shoebox.toml");
  return settings ? "accepted" : settings.status().message();
}

TEST(Settings, AnEmptyFileGivesTheDefaults) {
  const Result<Settings> settings = Settings::parse("", "shoebox.toml");
  ASSERT_TRUE(settings) << settings.status().message();
  EXPECT_EQ(settings->cache.percent, 20U);
  EXPECT_EQ(settings->copies, 1U);
  EXPECT_EQ(settings->durability, Durability::kClose);
  EXPECT_EQ(settings->dates_layout, "%Y/%m");
  EXPECT_EQ(settings->keep_days, 30U);
  EXPECT_EQ(settings->trash_breaker_percent, 10U);
  EXPECT_THAT(settings->remotes, IsEmpty());
}

TEST(Settings, BandwidthIsLimitedInBothDirections) {
  const std::string remote = "[[remote]]\nname = \"nas\"\nurl = \"file:///nas\"\n";
  const auto none = Settings::parse(remote, "shoebox.toml");
  ASSERT_TRUE(none) << none.status().message();
  EXPECT_FALSE(none->remotes.at(0).policy.bandwidth.limits());
  EXPECT_FALSE(none->remotes.at(0).policy.bandwidth_down);
  const auto both =
      Settings::parse(remote + "bandwidth = \"2 MiB/s\"\nbandwidth_down = \"500 kB/s\"\n", "shoebox.toml");
  ASSERT_TRUE(both) << both.status().message();
  EXPECT_EQ(both->remotes.at(0).policy.bandwidth.at(0), 2U << 20);
  EXPECT_EQ(both->remotes.at(0).policy.bandwidth_down->at(0), 500'000U);
  EXPECT_THAT(refusal(remote + "bandwidth = \"2 MiB\"\n"),
              HasSubstr("shoebox.toml:4: bandwidth: \"2 MiB\" is no bandwidth"));
  EXPECT_THAT(refusal(remote + "bandwith = \"2 MiB/s\"\n"), HasSubstr("did you mean \"bandwidth\""));
}

TEST(Settings, BandwidthByHours) {
  const std::string remote = "[[remote]]\nname = \"nas\"\nurl = \"file:///nas\"\n";
  const auto settings = Settings::parse(
      remote +
          "bandwidth = [\"08:00-23:00 2 MiB/s\"]\nbandwidth_down = [\"1 MiB/s\", \"22:00-6:00 9 MB/s\"]\n",
      "shoebox.toml");
  ASSERT_TRUE(settings) << settings.status().message();
  const UploadPolicy& policy = settings->remotes.at(0).policy;
  EXPECT_EQ(policy.bandwidth.at(12 * 60), 2U << 20);
  EXPECT_EQ(policy.bandwidth.at(23 * 60), 0U);
  EXPECT_EQ(policy.bandwidth_down->at(0), 9'000'000U);
  EXPECT_EQ(policy.bandwidth_down->at(12 * 60), 1U << 20);
  EXPECT_THAT(refusal(remote + "bandwidth = [\"8-23 2 MiB/s\"]\n"),
              HasSubstr("shoebox.toml:4: bandwidth: \"8-23 2 MiB/s\" is no bandwidth"));
  EXPECT_THAT(refusal(remote + "bandwidth = []\n"), HasSubstr("must not be empty"));
  EXPECT_THAT(refusal(remote + "bandwidth_dwon = [\"2 MiB/s\"]\n"),
              HasSubstr("did you mean \"bandwidth_down\""));
}

TEST(Settings, AFileThatIsNotThereGivesTheDefaults) {
  const testing::TempDir dir;
  EXPECT_TRUE(Settings::load(dir.path("shoebox.toml")));
}

TEST(Settings, EveryKeyIsRead) {
  const Result<Settings> settings = Settings::parse(
      "cache = \"50 GiB\"\ncopies = 2\ndurability = \"fsync\"\ndates_layout = \"%Y/%Y-%m-%d\"\n"
      "keep = \"8w\"\ntrash_breaker = \"off\"\n"
      "[[remote]]\nname = \"nas\"\nurl = \"file:///mnt/nas\"\n"
      "[[remote]]\nname = \"bucket\"\nurl = \"s3://photos/all\"\nendpoint = \"https://s3.example.org:9000\"\n"
      "region = \"eu-central-1\"\npath_style = false\nca_file = \"ca.pem\"\ncredentials_file = "
      "\"/etc/keys\"\n"
      "connections = 8\n",
      "/srv/lib/shoebox.toml");
  ASSERT_TRUE(settings) << settings.status().message();
  EXPECT_EQ(settings->cache.bytes, 50ULL << 30);
  EXPECT_EQ(settings->cache.percent, 0U);
  EXPECT_EQ(settings->copies, 2U);
  EXPECT_EQ(settings->durability, Durability::kFsync);
  EXPECT_EQ(settings->keep_days, 56U);
  EXPECT_EQ(settings->trash_breaker_percent, 100U);
  ASSERT_THAT(settings->remotes, SizeIs(2));
  EXPECT_EQ(settings->remotes[0].url, "file:///mnt/nas");
  const RemoteSettings& bucket = settings->remotes[1];
  EXPECT_EQ(bucket.endpoint, "https://s3.example.org:9000");
  EXPECT_EQ(bucket.region, "eu-central-1");
  EXPECT_FALSE(bucket.path_style);
  EXPECT_EQ(bucket.ca_file, "/srv/lib/ca.pem") << "relative paths are meant from the folder of the file";
  EXPECT_EQ(bucket.credentials_file, "/etc/keys");
  EXPECT_EQ(bucket.connections, 8U);
}

TEST(Settings, WebDavAndSftpRemotesAreRead) {
  const Result<Settings> settings = Settings::parse(
      "[[remote]]\nname = \"cloud\"\nurl = \"davs://anna@cloud.example.org:8443/files\"\nca_file = "
      "\"/ca.pem\"\n"
      "[[remote]]\nname = \"rack\"\nurl = \"sftp://anna@[::1]:22/srv\"\nidentity_file = \"key\"\n"
      "known_hosts = \"/etc/hosts of mine\"\n",
      "/srv/lib/shoebox.toml");
  ASSERT_TRUE(settings) << settings.status().message();
  ASSERT_THAT(settings->remotes, SizeIs(2));
  EXPECT_EQ(settings->remotes[1].identity_file, "/srv/lib/key");
  EXPECT_EQ(settings->remotes[1].known_hosts, "/etc/hosts of mine");
  const Result<Settings> again = Settings::parse(toml_of(settings->remotes[1]), "f");
  ASSERT_TRUE(again) << again.status().message();
  EXPECT_EQ(again->remotes[0].identity_file, "/srv/lib/key");
  EXPECT_EQ(again->remotes[0].known_hosts, "/etc/hosts of mine");
}

TEST(Settings, AnUnknownKeyIsRefusedWithItsLineAndTheNearestOne) {
  EXPECT_EQ(refusal("copies = 1\n\ncahce = \"20%\"\n"),
            "shoebox.toml:3: unknown key \"cahce\"; did you mean \"cache\"?");
  EXPECT_EQ(refusal("[[remote]]\nname = \"a\"\nurll = \"file:///x\"\n"),
            "shoebox.toml:3: unknown key \"urll\"; did you mean \"url\"?");
  EXPECT_THAT(refusal("[[remote]]\nname = \"a\"\nurl=\"s3://b\"\nregoin = \"x\"\n"), HasSubstr(":4: "));
}

TEST(Settings, AKeyThatIsNearNothingIsRefusedWithAllThatAreValid) {
  EXPECT_THAT(refusal("frobnicate = 1\n"), HasSubstr("valid are cache, copies, "));
}

TEST(Settings, BadValuesAreRefusedWithTheirLine) {
  EXPECT_THAT(refusal("\ncache = \"50 XB\"\n"), HasSubstr("shoebox.toml:2: cache: \"50 XB\" is no size"));
  EXPECT_THAT(refusal("cache = 50\n"), HasSubstr("must be a text in quotes"));
  EXPECT_THAT(refusal("copies = 0\n"), HasSubstr("copies must be a whole number from 1 to 16"));
  EXPECT_THAT(refusal("copies = \"2\"\n"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("durability = \"clsoe\"\n"), HasSubstr("did you mean \"close\"?"));
  EXPECT_THAT(refusal("dates_layout = \"%m/%Y\"\n"), HasSubstr("the year first"));
  EXPECT_THAT(refusal("dates_layout = \"\"\n"), HasSubstr("is no layout"));
  EXPECT_THAT(refusal("keep = \"36h\"\n"), HasSubstr("whole days"));
  EXPECT_THAT(refusal("trash_breaker = \"10\"\n"), HasSubstr("share of the photos"));
  EXPECT_THAT(refusal("cache = \n"), HasSubstr("shoebox.toml:1: "));
  EXPECT_THAT(refusal("[remote]\nurl = \"file:///x\"\n"), HasSubstr("double brackets"));
}

TEST(Settings, ARemoteNeedsANameAndAPlace) {
  EXPECT_THAT(refusal("[[remote]]\nname = \"a\"\n"), HasSubstr("has no url"));
  EXPECT_THAT(refusal("[[remote]]\nurl = \"file:///x\"\n"), HasSubstr("has no name"));
  EXPECT_THAT(refusal("[[remote]]\nname = \"a/b\"\nurl = \"file:///x\"\n"), HasSubstr("letters, digits"));
  EXPECT_THAT(refusal("[[remote]]\nname = \"a\"\nurl = \"file://x\"\n"), HasSubstr("three slashes"));
  EXPECT_THAT(refusal("[[remote]]\nname = \"a\"\nurl = \"ftp://x\"\n"), HasSubstr("not understood"));
  EXPECT_THAT(refusal("[[remote]]\nname = \"a\"\nurl = \"s3:///x\"\n"), HasSubstr("no bucket"));
  EXPECT_THAT(refusal("[[remote]]\nname = \"a\"\nurl = \"davs:///x\"\n"), HasSubstr("names no host"));
  EXPECT_THAT(refusal("[[remote]]\nname = \"a\"\nurl = \"sftp://anna@/x\"\n"), HasSubstr("names no host"));
}

TEST(Settings, OnePlaceUnderTwoNamesIsRefusedBecauseItWouldCountTwice) {
  EXPECT_THAT(
      refusal(
          "[[remote]]\nname = \"a\"\nurl = \"file:///x\"\n[[remote]]\nname = \"b\"\nurl = \"file:///x\"\n"),
      HasSubstr("are the same place"));
  EXPECT_THAT(
      refusal(
          "[[remote]]\nname = \"a\"\nurl = \"file:///x\"\n[[remote]]\nname = \"a\"\nurl = \"file:///y\"\n"),
      HasSubstr("two remotes are named \"a\""));
}

TEST(Settings, SecretsAreRefusedWithWhereTheyBelong) {
  for (const char* key : {"secret_key", "access_key", "password", "aws_secret_access_key", "session_token"}) {
    const std::string text =
        std::string("[[remote]]\nname = \"a\"\nurl = \"s3://b\"\n") + key + " = \"hunter2\"\n";
    EXPECT_THAT(refusal(text), HasSubstr("credentials_file")) << key;
    EXPECT_THAT(refusal(text), ::testing::Not(HasSubstr("hunter2"))) << key;
  }
  EXPECT_THAT(refusal("[[remote]]\nname = \"a\"\nurl = \"s3://key:hunter2@b\"\n"),
              ::testing::AllOf(HasSubstr("secret"), ::testing::Not(HasSubstr("hunter2"))));
  for (const std::string scheme : {"dav", "davs", "sftp"}) {
    EXPECT_THAT(refusal("[[remote]]\nname = \"a\"\nurl = \"" + scheme + "://anna:hunter2@b/c\"\n"),
                ::testing::AllOf(HasSubstr("credentials_file"), ::testing::Not(HasSubstr("hunter2"))));
  }
}

TEST(Settings, AnEncryptedRemoteIsRead) {
  const std::string remote = "[[remote]]\nname = \"a\"\nurl = \"file:///x\"\n";
  const Result<Settings> settings = Settings::parse(
      remote + "crypt = true\npassphrase_file = \"secret\"\nsalt_command = \"pass salt\"\n", "/srv/lib/f");
  ASSERT_TRUE(settings) << settings.status().message();
  EXPECT_TRUE(settings->remotes[0].crypt);
  EXPECT_EQ(settings->remotes[0].passphrase_file, "/srv/lib/secret");
  EXPECT_EQ(settings->remotes[0].salt_command, "pass salt");
  EXPECT_FALSE(Settings::parse(remote, "f")->remotes[0].crypt);

  EXPECT_EQ(refusal(remote + "crpyt = true\n"),
            "shoebox.toml:4: unknown key \"crpyt\"; did you mean \"crypt\"?");
  EXPECT_THAT(refusal(remote + "passphrase_fiel = \"x\"\n"), HasSubstr("did you mean \"passphrase_file\"?"));
  EXPECT_THAT(refusal(remote + "crypt = \"yes\"\n"),
              HasSubstr("shoebox.toml:4: crypt must be true or false"));
  EXPECT_THAT(refusal(remote + "crypt = true\npassphrase_file = \"~/x\"\n"), HasSubstr("is not expanded"));
  EXPECT_THAT(refusal(remote + "crypt = true\npassphrase_file = \"x\"\npassphrase_command = \"y\"\n"),
              HasSubstr("exclude each other"));
  EXPECT_THAT(refusal(remote + "crypt = true\nsalt_file = \"x\"\nsalt_command = \"y\"\n"),
              HasSubstr("exclude each other"));
  EXPECT_THAT(refusal(remote + "passphrase_file = \"x\"\n"), HasSubstr("but not crypt = true"));
  for (const char* key : {"passphrase", "password2", "salt"}) {
    const std::string text = refusal(remote + "crypt = true\n" + key + " = \"hunter2\"\n");
    EXPECT_THAT(text, ::testing::AllOf(HasSubstr("shoebox.toml:5: "), HasSubstr("_file"),
                                       ::testing::Not(HasSubstr("hunter2"))));
  }
}

TEST(Settings, MoreCopiesThanRemotesIsAWarning) {
  const Result<Settings> settings =
      Settings::parse("copies = 2\n[[remote]]\nname = \"a\"\nurl = \"file:///x\"\n", "f");
  ASSERT_TRUE(settings);
  EXPECT_THAT(settings->warnings(), ::testing::ElementsAre(HasSubstr("nothing will ever be evicted")));
}

TEST(Settings, AWrittenRemoteIsReadBackAsItWas) {
  RemoteSettings remote;
  remote.name = "nas";
  remote.url = "file:///mnt/\"quoted\" \\ and\ttab/Größe";
  remote.connections = 2;
  remote.lease_s = 90;
  remote.path_style = false;
  remote.crypt = true;
  remote.passphrase_command = "pass show \"photos\"";
  remote.salt_file = "/etc/salt";
  const Result<Settings> settings = Settings::parse(toml_of(remote), "f");
  ASSERT_TRUE(settings) << settings.status().message();
  ASSERT_THAT(settings->remotes, SizeIs(1));
  EXPECT_EQ(settings->remotes[0].url, remote.url);
  EXPECT_EQ(settings->remotes[0].connections, 2U);
  EXPECT_EQ(settings->remotes[0].lease_s, 90);
  EXPECT_FALSE(settings->remotes[0].path_style);
  EXPECT_TRUE(settings->remotes[0].crypt);
  EXPECT_EQ(settings->remotes[0].passphrase_command, remote.passphrase_command);
  EXPECT_EQ(settings->remotes[0].salt_file, "/etc/salt");
}

TEST(Settings, ALeaseIsSecondsToAnHour) {
  const auto with = [](const std::string& lease) {
    return Settings::parse("[[remote]]\nname = \"a\"\nurl = \"file:///x\"\nlease = \"" + lease + "\"\n", "f");
  };
  EXPECT_EQ(with("90s")->remotes[0].lease_s, 90);
  for (const char* bad : {"2s", "2h", "soon", ""}) {
    const Result<Settings> settings = with(bad);
    ASSERT_FALSE(settings) << bad;
    EXPECT_THAT(settings.status().message(), HasSubstr("from \"3s\" to \"1h\""));
  }
}

TEST(Settings, EveryKeyStandsInTheDocumentation) {
  std::ifstream file(std::filesystem::path(SHOEBOX_SOURCE_DIR) / "store/SETTINGS.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  for (const auto& keys : {settings_keys(), remote_keys()}) {
    for (const std::string_view key : keys) {
      const std::string shown = key == "remote" ? "`[[remote]]`" : "`" + std::string(key) + "`";
      EXPECT_NE(text.find(shown), std::string::npos) << shown;
    }
  }
}

TEST(CacheLimit, SizesAndSharesAreRead) {
  EXPECT_EQ(parse_cache_limit("50 GiB")->bytes, 50ULL << 30);
  EXPECT_EQ(parse_cache_limit("500MB")->bytes, 500'000'000ULL);
  EXPECT_EQ(parse_cache_limit("1.5 k")->bytes, 1536U);
  EXPECT_EQ(parse_cache_limit("0 B")->bytes, 0U);
  EXPECT_EQ(parse_cache_limit("20%")->percent, 20U);
  EXPECT_EQ(parse_cache_limit("20%")->in_bytes(1000), 200U);
  EXPECT_EQ(parse_cache_limit("100 %")->in_bytes(UINT64_MAX), UINT64_MAX);
}

TEST(CacheLimit, NonsenseIsRefused) {
  for (const char* text : {"", "GiB", "-1 GiB", "0%", "101%", "1.5%", "5 parsecs", "1 2 GiB", "1e9 B", "nan%",
                           "99999999999999999999 B", "9999999 PiB", "5 G i B", ".5 GiB"}) {
    EXPECT_FALSE(parse_cache_limit(text)) << text;
  }
}

TEST(Duration, UnitsAreRead) {
  EXPECT_EQ(*parse_duration_s("30d"), 30 * 86400);
  EXPECT_EQ(*parse_duration_s("12 h"), 12 * 3600);
  EXPECT_EQ(*parse_duration_s("90s"), 90);
  for (const char* text : {"", "d", "30", "-1d", "1.5d", "1 fortnight", "99999999999d"}) {
    EXPECT_FALSE(parse_duration_s(text)) << text;
  }
}

TEST(SettingsKeys, EditDistanceCountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("cahce", "cache"), 2U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(nearest("credentials", remote_keys()), "credentials_file");
  EXPECT_EQ(nearest("zzzzzz", remote_keys()), "");
}

}  // namespace
}  // namespace shoebox
