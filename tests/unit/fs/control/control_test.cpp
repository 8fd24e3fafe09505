#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "fs/control/address.h"
#include "fs/control/client.h"
#include "fs/control/line_socket.h"
#include "fs/control/server.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class ControlTest : public ::testing::Test {
 protected:
  void serve(ControlServer::Handler handler) {
    Result<std::unique_ptr<ControlServer>> started = ControlServer::start(dir.path(), std::move(handler));
    ASSERT_TRUE(started) << started.status().message();
    server = std::move(*started);
  }
  Result<json> ask(const std::string& verb, const json& arguments = json::object()) {
    SHOEBOX_ASSIGN(std::optional<json> result,
                   ask_mount(dir.path(), verb, arguments, CancelToken(),
                             [this](const json& value) { interim.push_back(value); }));
    if (!result) return Status(Code::kNotFound, "not mounted");
    return std::move(*result);
  }
  // What the server answers to bytes that no client of ours would send.
  std::string raw(const std::string& bytes) {
    const Result<ControlAddress> where = control_address(dir.path());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), where->get(), where->length) != 0) return "";
    LineSocket socket(std::move(fd));
    [[maybe_unused]] const Status sent = socket.send(bytes);
    const Result<std::optional<std::string>> line = socket.receive(kMaxAnswerBytes, 20'000, -1);
    return line && line->has_value() ? **line : "nothing";
  }

  testing::TempDir dir;
  std::unique_ptr<ControlServer> server;
  std::vector<json> interim;
};

Result<json> echo(const std::string& verb, const json& arguments, CancelToken,
                  const std::function<void(const json&)>& progress) {
  progress({{"done", 1}});
  progress({{"done", 2}});
  if (verb == "fail") return Status(Code::kBusy, "too \"busy\"\nnow");
  if (verb == "throw") throw std::runtime_error("handler broke");
  return json{{"verb", verb}, {"arguments", arguments}};
}

TEST_F(ControlTest, AnswersWithProgressAndResult) {
  serve(echo);
  EXPECT_TRUE(is_mounted(dir.path()));
  const Result<json> result = ask("status", {{"x", {1, 2}}});
  ASSERT_TRUE(result) << result.status().message();
  EXPECT_EQ((*result)["verb"], "status");
  EXPECT_EQ((*result)["arguments"]["x"][1], 2);
  EXPECT_EQ(interim.size(), 2U);
}

TEST_F(ControlTest, ErrorsKeepTheirCodeAndMessage) {
  serve(echo);
  const Result<json> result = ask("fail");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.code(), Code::kBusy);
  EXPECT_EQ(result.status().message(), "too \"busy\"\nnow");
  EXPECT_THAT(ask("throw").status().message(), HasSubstr("handler broke"));
  EXPECT_TRUE(ask("status")) << "the server goes on";
}

TEST_F(ControlTest, AnErrorOfTheMountIsNeverTakenForNoMount) {
  serve([](const auto&, const auto&, CancelToken, const auto&) -> Result<json> {
    return Status(Code::kUnavailable, "no decoder can be started");
  });
  const auto answer = ask_mount(dir.path(), "thumbnail", json::object(), CancelToken(), nullptr);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.status().message(), "no decoder can be started");
}

TEST_F(ControlTest, TheSocketIsForItsOwnerOnly) {
  serve(echo);
  struct stat st {};
  ASSERT_EQ(::stat(dir.path("control.sock").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
}

TEST_F(ControlTest, WithoutAServerTheLibraryIsNotMounted) {
  EXPECT_FALSE(is_mounted(dir.path()));
  EXPECT_EQ(ask("status").status().message(), "not mounted");
  serve(echo);
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(dir.path("control.sock")));
  EXPECT_EQ(ask("status").status().message(), "not mounted");
}

TEST_F(ControlTest, ASocketThatACrashLeftIsReplaced) {
  {
    const Result<ControlAddress> where = control_address(dir.path());
    const UniqueFd stale(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(stale.get(), where->get(), where->length), 0);
  }
  EXPECT_FALSE(is_mounted(dir.path()));
  serve(echo);
  EXPECT_TRUE(ask("status"));
}

TEST_F(ControlTest, ALongPathOfTheLibraryIsNoObstacle) {
  const std::string deep = dir.path(std::string(200, 'd') + "/" + std::string(200, 'e'));
  std::filesystem::create_directories(deep);
  const Result<std::unique_ptr<ControlServer>> started = ControlServer::start(deep, echo);
  ASSERT_TRUE(started) << started.status().message();
  EXPECT_TRUE(is_mounted(deep));
}

// A read-only disk: the folder refuses the socket, as does one where an old socket cannot be removed.
TEST_F(ControlTest, WhereNoSocketCanBeMadeAnAbstractNameStandsIn) {
  std::filesystem::create_directories(dir.path("control.sock/in the way"));
  serve(echo);
  EXPECT_TRUE(is_mounted(dir.path()));
  EXPECT_TRUE(ask("status"));
  server.reset();
  EXPECT_FALSE(is_mounted(dir.path()));
  EXPECT_TRUE(std::filesystem::exists(dir.path("control.sock/in the way")));
}

TEST_F(ControlTest, NonsenseGetsAnErrorAndHarmsNobody) {
  serve(echo);
  for (const std::string& bytes :
       {std::string("nonsense"), std::string("[]"), std::string("{}"), std::string("{\"version\": 1}"),
        std::string("{\"version\": 1, \"verb\": 7}"),
        std::string("{\"version\": 1, \"verb\": \"x\", \"arguments\": []}"), std::string("\xFF\xFE"),
        std::string(100'000, '['), std::string("{\"version\": 2, \"verb\": \"x\"}"),
        std::string(kMaxRequestBytes + 10, 'x')}) {
    EXPECT_THAT(raw(bytes), HasSubstr("error")) << bytes.substr(0, 40);
  }
  EXPECT_TRUE(ask("status"));
}

TEST_F(ControlTest, ARequestEndsWhenItsClientGoes) {
  std::promise<void> cancelled;
  serve([&](const std::string&, const json&, CancelToken cancel, const auto&) -> Result<json> {
    while (!cancel.cancelled()) std::this_thread::yield();
    cancelled.set_value();
    return json();
  });
  {
    const Result<ControlAddress> where = control_address(dir.path());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(fd.get(), where->get(), where->length), 0);
    LineSocket socket(std::move(fd));
    ASSERT_TRUE(socket.send("{\"version\": 1, \"verb\": \"wait\"}"));
  }
  EXPECT_EQ(cancelled.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST_F(ControlTest, TheEndOfTheServerCancelsWhatRuns) {
  std::promise<void> running;
  serve([&](const std::string&, const json&, CancelToken cancel, const auto&) -> Result<json> {
    running.set_value();
    while (!cancel.cancelled()) std::this_thread::yield();
    return Status(Code::kCancelled, "the mount ends");
  });
  auto answer = std::async(std::launch::async, [&] { return ask("wait"); });
  running.get_future().wait();
  server.reset();
  EXPECT_FALSE(answer.get());
}

TEST_F(ControlTest, TheClientsCancelEndsTheRequest) {
  const CancelToken cancel;
  std::promise<void> running;
  serve([&](const std::string&, const json&, CancelToken served, const auto&) -> Result<json> {
    running.set_value();
    while (!served.cancelled()) std::this_thread::yield();
    return json();
  });
  auto answer = std::async(std::launch::async,
                           [&] { return ask_mount(dir.path(), "wait", json::object(), cancel, nullptr); });
  running.get_future().wait();
  cancel.cancel();
  EXPECT_EQ(answer.get().code(), Code::kCancelled);
}

TEST_F(ControlTest, ManyClientsAreServedAtOnce) {
  serve(echo);
  std::vector<std::future<Result<std::optional<json>>>> answers;
  for (int i = 0; i < 16; ++i) {
    answers.push_back(std::async(std::launch::async, [&] {
      return ask_mount(dir.path(), "status", json::object(), CancelToken(), nullptr);
    }));
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
}

}  // namespace
}  // namespace shoebox
