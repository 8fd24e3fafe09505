#include "store/remote_edit.h"

#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

constexpr const char* kText =
    "# my library\n"
    "cache = \"1 GiB\"  # small disk\n"
    "\n"
    "# the box in the cellar\n"
    "[[remote]]\n"
    "name = \"nas\"   # old\n"
    "url = \"file:///mnt/nas\"\n"
    "\n"
    "# far away\n"
    "[[ remote ]]\n"
    "url = \"s3://b/p\"\n"
    "name = 'bucket'\n";

TEST(RemoteEdit, TheSectionGoesAndTheRestStaysAsItIs) {
  const auto one = without_remote(kText, "nas");
  ASSERT_TRUE(one) << one.status().message();
  EXPECT_EQ(*one,
            "# my library\n"
            "cache = \"1 GiB\"  # small disk\n"
            "\n"
            "# the box in the cellar\n"
            "\n"
            "# far away\n"
            "[[ remote ]]\n"
            "url = \"s3://b/p\"\n"
            "name = 'bucket'\n");
  const auto none = without_remote(*one, "bucket");
  ASSERT_TRUE(none) << none.status().message();
  EXPECT_TRUE(none->find("remote ]]") == std::string::npos);
  EXPECT_TRUE(none->find("# far away") != std::string::npos);
}

TEST(RemoteEdit, WhatIsNotThereOrNotUnderstoodIsNotTouched) {
  EXPECT_EQ(without_remote(kText, "other").code(), Code::kNotFound);
  const std::string inline_form = "remote = [{name = \"nas\", url = \"file:///mnt/nas\"}]\n";
  EXPECT_FALSE(without_remote(inline_form, "nas"));
}

class RemoteLetGoTest : public testing::SyncFixture {
 protected:
  ContentNo evicted(const std::string& name, const std::vector<std::string>& remotes) {
    const ContentNo content = add(name, testing::some_bytes(1 << 20), {});
    for (const std::string& remote : remotes) {
      EXPECT_TRUE(outbox_->confirmed(content, remote, {"Library/" + name, "e", 1 << 20, 1}));
    }
    EXPECT_TRUE(contents_->evict(content));
    return content;
  }
  std::vector<RemoteSettings> remotes_{{.name = "nas", .url = "file:///a"}, {.name = "s3", .url = "s3://b"}};
};

TEST_F(RemoteLetGoTest, ARemoteWithTheOnlyCopyIsNotLetGo) {
  evicted("both.jpg", {"nas", "s3"});
  evicted("gone.jpg", {"nas", "not-in-the-settings"});
  const Status refused = let_go_of_remote(*catalog_, remotes_, "nas");
  EXPECT_EQ(refused.code(), Code::kBusy);
  EXPECT_NE(refused.message().find("only copy of 1 original"), std::string::npos) << refused.message();
  EXPECT_FALSE(*remote_is_let_go(*catalog_, "nas"));
}

TEST_F(RemoteLetGoTest, OfTwoRemotesOnlyOneCanGo) {
  evicted("both.jpg", {"nas", "s3"});
  add("local.jpg", "here", {});
  ASSERT_TRUE(let_go_of_remote(*catalog_, remotes_, "nas"));
  EXPECT_TRUE(*remote_is_let_go(*catalog_, "nas"));
  EXPECT_EQ(let_go_of_remote(*catalog_, remotes_, "s3").code(), Code::kBusy)
      << "the mount still runs with both in its settings";
  ASSERT_TRUE(take_remote_back(*catalog_, "nas"));
  EXPECT_TRUE(let_go_of_remote(*catalog_, remotes_, "s3"));
}

}  // namespace
}  // namespace shoebox
