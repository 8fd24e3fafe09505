#include "store/settings_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Settings parsed(const std::string& text) {
  const auto settings = Settings::parse(text, "shoebox.toml");
  EXPECT_TRUE(settings) << settings.status().message() << "\n" << text;
  return settings ? *settings : Settings();
}

const char* const kAll =
    "cache = \"1500 MB\"\ncopies = 2\ndurability = \"fsync\"\ndates_layout = \"%Y\"\nkeep = \"8w\"\n"
    "verify = \"never\"\ntrash_breaker = \"off\"\n"
    "[[remote]]\nname = \"nas\"\nurl = \"file:///mnt/nas\"\nbandwidth = [\"08:00-23:00 2 MiB/s\", \"9 "
    "MB/s\"]\n"
    "bandwidth_down = \"500 kB/s\"\nhours = [\"22:00-07:00\", \"12:00-13:30\"]\non_metered = false\n"
    "on_battery = false\nvideo_quota = \"50 GiB\"\nconnections = 7\nlease = \"90s\"\n"
    "[[remote]]\nname = \"bucket\"\nurl = \"s3://b/p\"\nendpoint = \"https://s3.example.org\"\n"
    "photos_only = true\nmanual = true\n";

RemoteSettings reached(const std::string& url) {
  RemoteSettings remote;
  remote.name = "nas";
  remote.url = url;
  return remote;
}

TEST(SettingsBackup, WhatIsWrittenIsReadBack) {
  const Settings settings = parsed(kAll);
  std::string text = toml_of_library(settings);
  for (const RemoteSettings& remote : settings.remotes) text += toml_of(remote);
  const Settings again = parsed(text);
  EXPECT_EQ(toml_of_library(again), toml_of_library(settings));
  EXPECT_EQ(again.remotes, settings.remotes);
  EXPECT_EQ(again.cache, settings.cache);
  EXPECT_EQ(again.trash_breaker_percent, 100U);
  EXPECT_EQ(again.verify_period_s, 0);
}

TEST(SettingsBackup, ALibraryThatIsRebuiltHasItsSettingsAgain) {
  const Settings settings = parsed(kAll);
  const auto restored = restored_settings(settings_for_backup(settings), reached("file:///media/disk"));
  ASSERT_TRUE(restored) << restored.status().message();
  const Settings again = parsed(restored->toml);
  EXPECT_EQ(again.copies, 2U);
  EXPECT_EQ(again.cache, settings.cache);
  EXPECT_EQ(again.keep_days, 56U);
  ASSERT_EQ(again.remotes.size(), 2U);
  EXPECT_EQ(again.remotes[0].url, "file:///media/disk") << "where it stands now";
  EXPECT_EQ(again.remotes[0].policy, settings.remotes[0].policy);
  EXPECT_EQ(again.remotes[0].connections, 7U);
  EXPECT_EQ(again.remotes[1], settings.remotes[1]);
  EXPECT_THAT(restored->to_do, IsEmpty());
}

TEST(SettingsBackup, NoSecretGoesThere) {
  Settings settings = parsed(
      "[[remote]]\nname = \"bucket\"\nurl = \"s3://b\"\nendpoint = "
      "\"https://anna:hunter2@s3.example.org:9000/x\"\n"
      "credentials_command = \"echo sesame\"\n[[remote]]\nname = \"vault\"\nurl = \"sftp://anna@host/p\"\n"
      "crypt = true\npassphrase_command = \"echo swordfish\"\n");
  settings.remotes[1].url = "sftp://anna:letmein@host/p";
  const std::string text = settings_for_backup(settings);
  for (const char* secret : {"hunter2", "sesame", "swordfish", "letmein"})
    EXPECT_THAT(text, Not(HasSubstr(secret)));
  EXPECT_THAT(text, HasSubstr("https://s3.example.org:9000/x"));
  const auto restored = restored_settings(text, reached("file:///nas"));
  ASSERT_TRUE(restored) << restored.status().message();
  EXPECT_THAT(restored->to_do, ElementsAre(HasSubstr("remote bucket: "), HasSubstr("remote vault: ")));
  EXPECT_THAT(restored->to_do[1], HasSubstr("passphrase_command"));
  EXPECT_EQ(parsed(restored->toml).remotes.size(), 3U);
}

TEST(SettingsBackup, ABackupChoosesNeitherSecretsNorCommandsOfThisMachine) {
  const std::string planted =
      "shoebox-settings 1\nremote = [{name = \"x\", url = \"dav://evil/\", credentials_command = \"evil\"}]\n"
      "[[remote]]\nname = \"cloud\"\nurl = \"davs://evil/\"\ncredentials_file = \"/etc/hostname\"\n"
      "credentials_command = \"evil\"\npassphrase_file = \"/etc/hostname\"\n[[ remote ]]\n"
      "identity_file = \"/etc/hostname\"\nca_file = \"\"\"\n";
  const auto restored = restored_settings(planted, reached("file:///nas"));
  ASSERT_TRUE(restored) << restored.status().message();
  const Settings settings = parsed(restored->toml);
  ASSERT_EQ(settings.remotes.size(), 2U);
  const RemoteSettings& cloud = settings.remotes[1];
  EXPECT_EQ(cloud.credentials_file + cloud.credentials_command + cloud.identity_file + cloud.passphrase_file,
            "");
  EXPECT_THAT(restored->to_do, ElementsAre(HasSubstr("credentials_file")));
}

TEST(SettingsBackup, WhatANewerVersionWroteIsKeptAsAComment) {
  const std::string newer =
      "shoebox-settings 1\ncopies = 2\ncolour = \"green\"\ncache = 5\n[[remote]]\nname = \"attic\"\n"
      "url = \"file:///attic\"\nfuture = true\n[[remote]]\nname = \"moon\"\nurl = \"moon://base\"\n";
  const auto restored = restored_settings(newer, reached("file:///nas"));
  ASSERT_TRUE(restored) << restored.status().message();
  EXPECT_THAT(restored->toml, HasSubstr("# not known to this version: colour = \"green\"\n"));
  EXPECT_THAT(restored->toml, HasSubstr("# not understood: cache = 5\n"));
  const Settings settings = parsed(restored->toml);
  EXPECT_EQ(settings.copies, 2U);
  EXPECT_EQ(settings.remotes.size(), 2U);
  EXPECT_THAT(restored->to_do, ElementsAre(HasSubstr("does not know")));
  EXPECT_EQ(restored_settings("shoebox-settings 2\n", reached("file:///nas")).code(), Code::kIncompatible);
  for (const char* bad : {"", "x", "shoebox-settings", "shoebox-settings -1\n", "shoebox-settings 1x\n"})
    EXPECT_EQ(restored_settings(bad, reached("file:///nas")).code(), Code::kDataLoss) << bad;
}

TEST(SettingsBackup, TheCatalogIsWrittenOnlyWhenTheyChange) {
  const auto catalog = Catalog::open("settings", Catalog::Options::scratch());
  ASSERT_TRUE(catalog);
  ASSERT_TRUE(remember_settings(**catalog, parsed(kAll)));
  const uint64_t change = (*catalog)->last_change();
  ASSERT_TRUE(remember_settings(**catalog, parsed(kAll)));
  EXPECT_EQ((*catalog)->last_change(), change);
  ASSERT_TRUE(remember_settings(**catalog, parsed("copies = 3\n")));
  EXPECT_GT((*catalog)->last_change(), change);
}

}  // namespace
}  // namespace shoebox
