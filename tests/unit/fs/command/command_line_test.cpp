#include "fs/command/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fs/command/composition.h"
#include "fs/command/verb.h"

namespace shoebox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string man_page() {
  std::ifstream file(std::filesystem::path(SHOEBOX_SOURCE_DIR) / "man/shoebox.1");
  return {std::istreambuf_iterator<char>(file), {}};
}

// "-f,--foreground" -> {"f", "foreground"} as mdoc's Fl names them.
std::vector<std::string> mdoc_flags(const std::string& name) {
  std::vector<std::string> flags;
  for (size_t at = 0; at < name.size();) {
    const size_t comma = std::min(name.find(',', at), name.size());
    const std::string one = name.substr(at, comma - at);
    flags.push_back(one.starts_with("--") ? "Fl Fl " + one.substr(2) : "Fl " + one.substr(1));
    at = comma + 1;
  }
  return flags;
}

// The part of the page that tells of this verb: from its tag to that of the next.
std::string section_of(const std::string& page, const std::string& verb) {
  const size_t verbs_begin = page.find(".Sh VERBS");
  // The first tag has a line of its own; other verbs' texts may name this one before its tag.
  size_t begin = page.find("\n.It Cm " + verb, verbs_begin);
  if (begin == std::string::npos) begin = page.find("\n.Cm " + verb, verbs_begin);
  if (begin == std::string::npos) return "";
  size_t end = page.find(".Sh ENVIRONMENT", begin);
  for (const Verb& other : verbs()) {
    const size_t at = page.find("\n.It Cm " + other.name, begin + 1);
    if (at != std::string::npos) end = std::min(end, at);
  }
  return page.substr(begin, end - begin);
}

TEST(ManPage, TellsEveryVerbAndOption) {
  const std::string page = man_page();
  ASSERT_FALSE(page.empty());
  for (const Verb& verb : verbs()) {
    const std::string section = section_of(page, verb.name);
    ASSERT_FALSE(section.empty()) << verb.name << " is not in man/shoebox.1";
    for (const OptionSpec& option : verb.options) {
      if (!option.name.starts_with('-')) {
        EXPECT_THAT(section, HasSubstr(option.name)) << verb.name;
        continue;
      }
      for (const std::string& flag : mdoc_flags(option.name)) {
        // "-f , --foreground" share a tag.
        EXPECT_TRUE(section.find("\n.It " + flag) != std::string::npos ||
                    section.find(" , " + flag) != std::string::npos)
            << verb.name << " " << option.name;
      }
    }
  }
}

TEST(ManPage, TellsNoOptionThatIsNotThere) {
  const std::string page = man_page();
  for (const Verb& verb : verbs()) {
    const std::string section = section_of(page, verb.name);
    std::vector<std::string> known;
    for (const OptionSpec& option : verb.options) {
      for (const std::string& flag : mdoc_flags(option.name)) known.push_back(flag);
    }
    for (size_t at = section.find("\n.It Fl "); at != std::string::npos;
         at = section.find("\n.It Fl ", at + 1)) {
      const std::string line = section.substr(at + 5, section.find('\n', at + 1) - at - 5);
      EXPECT_TRUE(
          std::any_of(known.begin(), known.end(),
                      [&](const std::string& flag) { return line == flag || line.starts_with(flag + " "); }))
          << verb.name << ": " << line;
    }
  }
}

TEST(Help, EveryVerbHasExamplesAndItsOptions) {
  for (const Verb& verb : verbs()) {
    const std::string help = help_text(verb.name);
    EXPECT_THAT(help, HasSubstr("Examples:")) << verb.name;
    EXPECT_THAT(help, HasSubstr("shoebox " + verb.name)) << verb.name;
    EXPECT_THAT(help, HasSubstr("--json")) << verb.name;
    for (const OptionSpec& option : verb.options)
      EXPECT_THAT(help, HasSubstr(option.help.substr(0, 20))) << verb.name;
  }
  EXPECT_THAT(help_text(""), HasSubstr("evict"));
}

TEST(MountHelper, TheWordsOfMountBecomeTheVerb) {
  EXPECT_THAT(plain_arguments({"/sbin/mount.fuse.shoebox", "/srv/lib", "/mnt", "-o", "rw,allow_other", "-n"}),
              ElementsAre("mount", "/srv/lib", "/mnt", "-o", "rw,allow_other"));
  EXPECT_THAT(plain_arguments({"shoebox", "/srv/lib", "/mnt", "-o", "rw"}),
              ElementsAre("mount", "/srv/lib", "/mnt", "-o", "rw"));
  EXPECT_THAT(plain_arguments({"mount.shoebox", "/srv/lib", "/mnt", "-f"}), ElementsAre("--fake"));
  EXPECT_THAT(plain_arguments({"mount.shoebox", "/l", "/m", "-t", "fuse.shoebox", "-s"}),
              ElementsAre("mount", "/l", "/m"));
  EXPECT_THAT(plain_arguments({"shoebox", "evict", "/mnt/x"}), ElementsAre("evict", "/mnt/x"));
}

class RunTest : public ::testing::Test {
 protected:
  int run(std::vector<std::string> words) {
    words.insert(words.begin(), "shoebox");
    std::vector<char*> argv;
    argv.reserve(words.size());
    for (std::string& word : words) argv.push_back(word.data());
    return run_command_line(static_cast<int>(argv.size()), argv.data(), composition);
  }
  MountRequest mounted;
  Composition composition{.open_library = [](const OpenRequest&) -> Result<std::unique_ptr<OpenedLibrary>> {
                            return Status(Code::kBusy, "in use by process 7");
                          },
                          .mount =
                              [this](const MountRequest& request) {
                                mounted = request;
                                return 0;
                              }};
};

TEST_F(RunTest, MountHandsOverWhatWasTyped) {
  EXPECT_EQ(run({"mount", "-f", "/srv/lib", "/mnt", "-o", "ro,uid=5", "-o", "remote=s3://bucket", "--remote",
                 "nas=file:///nas", "--remote", "/with blank%"}),
            0);
  EXPECT_EQ(mounted.library, "/srv/lib");
  EXPECT_EQ(mounted.mountpoint, "/mnt");
  EXPECT_TRUE(mounted.foreground);
  EXPECT_THAT(mounted.options, ElementsAre("ro", "uid=5"));
  ASSERT_EQ(mounted.remotes.size(), 3U);
  EXPECT_EQ(mounted.remotes[0].name, "nas");
  EXPECT_EQ(mounted.remotes[0].url, "file:///nas");
  EXPECT_EQ(mounted.remotes[1].url, "file:///with%20blank%25");
  EXPECT_EQ(mounted.remotes[2].url, "s3://bucket");
}

TEST_F(RunTest, NamesThatLookLikeListsStayNames) {
  EXPECT_EQ(run({"mount", "/srv/[2023]", "{}"}), 0);
  EXPECT_EQ(mounted.library, "/srv/[2023]");
  EXPECT_THAT(mounted.mountpoint, ::testing::EndsWith("/{}"));
}

TEST_F(RunTest, WhatIsNotUnderstoodIsOneLineAndExitCodeTwo) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run({"evict", "--frobnicate"}), 2);
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_THAT(text, ::testing::StartsWith("shoebox: "));
  EXPECT_EQ(run({"nonsense"}), 2);
  EXPECT_EQ(run({"mount", "/only/one"}), 2);
}

TEST_F(RunTest, ALibraryInUseIsToldByItsPid) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run({"status", "--library", "/nowhere/at/all"}), 1);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("in use by process 7"));
}

TEST_F(RunTest, HelpIsNoError) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_EQ(run({"trash", "restore", "--help"}), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("by where it came from"));
}

TEST(Help, EachVerbThatTakesAUrlNamesAllKinds) {
  for (const char* verb : {"mount", "adopt", "rebuild", "remote add"}) {
    const std::string help = help_text(verb);
    for (const char* kind : {"file:///", "s3://", "davs://", "sftp://"})
      EXPECT_NE(help.find(kind), std::string::npos) << verb << " without " << kind;
  }
}

}  // namespace
}  // namespace shoebox
