#include "sync/remote/transfer_loop.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <thread>

#include "store/base/file_io.h"
#include "sync/remote/transfer.h"
#include "test_http_server.h"

namespace shoebox {
namespace {

using std::chrono::milliseconds;

HttpRequest get_of(const TestHttpServer& server, const std::string& path = "/x") {
  HttpRequest request;
  request.url = server.url() + path;
  return request;
}

TestReply says_nothing(const TestRequest&) {
  TestReply reply;
  reply.silent = true;
  return reply;
}

TEST(TransferLoop, GivesStatusHeadersAndBody) {
  const TestHttpServer server([](const TestRequest&) { return TestReply{404, {{"X-Name", " v "}}, "gone"}; });
  TransferLoop loop;
  auto response = loop.run(get_of(server), {});
  ASSERT_TRUE(response) << response.status().message();
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->header("x-name"), "v");
  EXPECT_EQ(response->body, "gone");
}

TEST(TransferLoop, SendsARangeOfAFile) {
  const TestHttpServer server([](const TestRequest&) { return TestReply{}; });
  const UniqueFd fd(::memfd_create("body", MFD_CLOEXEC));
  ASSERT_TRUE(write_full(fd.get(), std::string(1'000'000, 'a') + std::string(2'000'000, 'b')));
  TransferLoop loop;
  HttpRequest request = get_of(server);
  request.method = "PUT";
  request.body_fd = fd.get();
  request.body_range = {999'999, 2'500'000};
  uint64_t told = 0;
  request.on_bytes_sent = [&](uint64_t sent) {
    EXPECT_GE(sent, told);
    told = sent;
  };
  ASSERT_TRUE(loop.run(request, {}));
  EXPECT_EQ(told, 1'500'001u);
  EXPECT_EQ(server.requests().at(0).body, "a" + std::string(1'500'000, 'b'));
}

TEST(TransferLoop, AFileThatBecameShorterEndsTheTransfer) {
  const TestHttpServer server([](const TestRequest&) { return TestReply{}; });
  const UniqueFd fd(::memfd_create("body", MFD_CLOEXEC));
  ASSERT_TRUE(write_full(fd.get(), "short"));
  TransferLoop loop;
  HttpRequest request = get_of(server);
  request.method = "PUT";
  request.body_fd = fd.get();
  request.body_range = {0, 100};
  EXPECT_EQ(loop.run(request, {}).code(), Code::kDataLoss);
}

TEST(TransferLoop, ASlowSinkHoldsUpItselfOnlyAndLosesNothing) {
  std::string body(9'000'000, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761u >> 13);
  const TestHttpServer server([&](const TestRequest&) { return TestReply{200, {}, body}; });
  TransferLoop loop;
  HttpRequest request = get_of(server);
  std::string got;
  const auto caller = std::this_thread::get_id();
  request.sink = [&](std::string_view piece) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    if (got.empty()) {
      // Meanwhile the queue of this transfer fills up, while another goes through.
      HttpRequest other = get_of(server);
      size_t bytes = 0;
      other.sink = [&](std::string_view more) {
        bytes += more.size();
        return Status::ok();
      };
      EXPECT_TRUE(loop.run(other, {}));
      EXPECT_EQ(bytes, body.size());
    }
    got += piece;
    return Status::ok();
  };
  auto response = loop.run(request, {});
  ASSERT_TRUE(response) << response.status().message();
  EXPECT_TRUE(got == body);
  EXPECT_TRUE(response->body.empty());
}

TEST(TransferLoop, RefusalsDoNotReachTheSink) {
  const TestHttpServer server([](const TestRequest&) { return TestReply{503, {}, "busy"}; });
  TransferLoop loop;
  HttpRequest request = get_of(server);
  request.sink = [](std::string_view) -> Status { return {Code::kIo, "called"}; };
  auto response = loop.run(request, {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "busy");
}

TEST(TransferLoop, AnAnswerThatIsNotAcceptedIsNotRead) {
  const TestHttpServer server([](const TestRequest&) { return TestReply{200, {}, "bytes"}; });
  TransferLoop loop;
  HttpRequest request = get_of(server);
  request.accept = [](const HttpResponse& response) -> Status {
    return {Code::kConflict, std::to_string(response.status)};
  };
  request.sink = [](std::string_view) -> Status { return {Code::kIo, "called"}; };
  EXPECT_EQ(loop.run(request, {}).code(), Code::kConflict);
}

TEST(TransferLoop, ABodyThatIsCutIsDataLoss) {
  const TestHttpServer server([](const TestRequest&) {
    TestReply reply{200, {}, "0123456789"};
    reply.cut_after = 4;
    return reply;
  });
  TransferLoop loop;
  HttpRequest request = get_of(server);
  request.sink = [](std::string_view) { return Status::ok(); };
  EXPECT_EQ(loop.run(request, {}).code(), Code::kDataLoss);
  request.sink = nullptr;
  EXPECT_EQ(loop.run(request, {}).code(), Code::kUnavailable) << "a gathered answer is no data of ours";
}

TEST(TransferLoop, AResetIsUnavailable) {
  const TestHttpServer server([](const TestRequest&) {
    TestReply reply;
    reply.reset = true;
    return reply;
  });
  TransferLoop loop;
  EXPECT_EQ(loop.run(get_of(server), {}).code(), Code::kUnavailable);
}

TEST(TransferLoop, NobodyThereIsUnavailable) {
  HttpRequest request;
  {
    const TestHttpServer server([](const TestRequest&) { return TestReply{}; });
    request = get_of(server);
  }
  TransferLoop loop;
  auto response = loop.run(request, {});
  EXPECT_EQ(response.code(), Code::kUnavailable);
  EXPECT_NE(response.status().message().find("127.0.0.1"), std::string::npos);
  EXPECT_EQ(response.status().message().find("/x"), std::string::npos) << "keys have no place in it";
}

TEST(TransferLoop, SilenceEndsByItself) {
  const TestHttpServer server([](const TestRequest&) {
    TestReply reply{200, {}, "0123456789"};
    reply.cut_after = 4;
    reply.stall_after_cut = true;
    return reply;
  });
  TransferLoop loop({.connect = milliseconds(2000), .stall = milliseconds(150)});
  HttpRequest request = get_of(server);
  request.sink = [](std::string_view) { return Status::ok(); };
  EXPECT_EQ(loop.run(request, {}).code(), Code::kTimeout);
}

TEST(TransferLoop, TheDeadlineEndsATransfer) {
  const TestHttpServer server(says_nothing);
  TransferLoop loop;
  RequestContext context;
  context.deadline = std::chrono::steady_clock::now() + milliseconds(150);
  EXPECT_EQ(loop.run(get_of(server), context).code(), Code::kTimeout);
}

TEST(TransferLoop, WaitingForASlowServerCostsNoProcessor) {
  const TestHttpServer server(says_nothing);
  TransferLoop loop;
  RequestContext context;
  context.deadline = std::chrono::steady_clock::now() + milliseconds(400);
  EXPECT_EQ(loop.run(get_of(server), context).code(), Code::kTimeout);
  // One that does not sleep turns some hundred thousand times.
  EXPECT_LT(loop.turns(), 200u);
}

TEST(TransferLoop, CancelEndsATransferUnderWay) {
  RequestContext context;
  const TestHttpServer server([&](const TestRequest& request) {
    context.cancel.cancel();  // only once the request has arrived
    return says_nothing(request);
  });
  TransferLoop loop;
  EXPECT_EQ(loop.run(get_of(server), context).code(), Code::kCancelled);
}

TEST(TransferLoop, RedirectsAreNotFollowed) {
  const TestHttpServer other([](const TestRequest&) { return TestReply{}; });
  const TestHttpServer server([&](const TestRequest&) {
    return TestReply{307, {{"Location", other.url() + "/"}}, ""};
  });
  TransferLoop loop;
  HttpRequest request = get_of(server);
  request.headers = {{"Authorization", "secret"}};
  auto response = loop.run(request, {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 307);
  EXPECT_TRUE(other.requests().empty());
}

TEST(TransferLoop, OnlyHttpIsSpoken) {
  TransferLoop loop;
  HttpRequest request;
  request.url = "file:///etc/hostname";
  EXPECT_EQ(loop.run(request, {}).code(), Code::kInvalid);
}

TEST(TransferLoop, EndlessAnswersAreRefused) {
  const TestHttpServer server([](const TestRequest&) {
    return TestReply{200, {}, std::string(100'000, 'x')};
  });
  TransferLoop loop;
  HttpRequest request = get_of(server);
  request.max_body_bytes = 50'000;
  EXPECT_EQ(loop.run(request, {}).code(), Code::kTooBig);
}

TEST(TransferLoop, ManyTransfersShareTheThread) {
  const TestHttpServer server([](const TestRequest& r) { return TestReply{200, {}, "to " + r.target}; });
  TransferLoop loop;
  std::vector<std::thread> callers;
  std::atomic<int> right{0};
  for (int i = 0; i < 24; ++i) {
    callers.emplace_back([&, i] {
      const std::string path = "/" + std::to_string(i);
      auto response = loop.run(get_of(server, path), {});
      right += response.is_ok() && response->body == "to " + path ? 1 : 0;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(right, 24);
}

// Of what is limited: only ever too slow, never too fast, so that no busy machine makes it fail.
TEST(TransferLoop, UploadsTogetherKeepToTheirPaceAndAHeldOneIsNoStall) {
  const TestHttpServer server([](const TestRequest&) { return TestReply{}; });
  const SystemClock clock;
  constexpr uint64_t kRate = 400'000;
  Pace pace(clock, kRate);
  TransferLoop loop({milliseconds(5000), milliseconds(300)});
  RequestContext context;
  context.bandwidth.up = &pace;
  const std::string body(kRate / 2, 'x');
  const auto send = [&] {
    HttpRequest request = get_of(server);
    request.method = "PUT";
    request.body = body;
    const auto response = loop.run(request, context);
    EXPECT_TRUE(response) << response.status().message();
  };
  const auto begin = clock.steady();
  std::thread other(send);
  send();
  other.join();
  EXPECT_GE(clock.steady() - begin, milliseconds(800));
  EXPECT_EQ(server.requests().at(0).body, body);
  EXPECT_EQ(server.requests().at(1).body, body);
}

TEST(TransferLoop, ADownloadKeepsToItsPace) {
  const std::string body(200'000, 'x');
  const TestHttpServer server([&](const TestRequest&) { return TestReply{200, {}, body}; });
  const SystemClock clock;
  Pace pace(clock, body.size());
  TransferLoop loop;
  RequestContext context;
  context.bandwidth.down = &pace;
  HttpRequest request = get_of(server);
  std::string got;
  request.sink = [&](std::string_view piece) {
    got += piece;
    return Status::ok();
  };
  const auto begin = clock.steady();
  ASSERT_TRUE(loop.run(request, context));
  EXPECT_TRUE(got == body);
  EXPECT_GE(clock.steady() - begin, milliseconds(700));
}

TEST(TransferLoop, AHeldUploadEndsWhenItIsCancelled) {
  const TestHttpServer server([](const TestRequest&) { return TestReply{}; });
  const SystemClock clock;
  Pace pace(clock, 1024);
  TransferLoop loop;
  RequestContext context;
  context.bandwidth.up = &pace;
  HttpRequest request = get_of(server);
  request.method = "PUT";
  request.body = std::string(1'000'000, 'x');
  std::thread sender([&] { EXPECT_EQ(loop.run(request, context).code(), Code::kCancelled); });
  while (!pace.holding()) std::this_thread::yield();
  context.cancel.cancel();
  sender.join();
}

// In the words of curl 7.88 and 8 with OpenSSL.
TEST(TransferStatus, TellsWhatIsWrongWithACertificateAndWhatHelps) {
  const auto told = [](const char* words) {
    return transfer_status(CURLE_PEER_FAILED_VERIFICATION, words, "https://nas.example.org/x").message();
  };
  const std::string expired = told("SSL certificate problem: certificate has expired");
  EXPECT_THAT(expired, ::testing::HasSubstr("https://nas.example.org: its certificate has expired"));
  const std::string early = told("SSL certificate problem: certificate is not yet valid");
  EXPECT_THAT(early, ::testing::HasSubstr("not valid yet"));
  const std::string other =
      told("SSL: no alternative certificate subject name matches target host name '127.0.0.1'");
  EXPECT_THAT(other, ::testing::HasSubstr("for another host"));
  for (const std::string& message : {expired, early, other})
    EXPECT_THAT(message, ::testing::Not(::testing::HasSubstr("ca_file")));
  for (const char* words : {"SSL certificate problem: unable to get local issuer certificate",
                            "SSL certificate problem: self-signed certificate"})
    EXPECT_THAT(told(words), ::testing::HasSubstr("set ca_file"));
}

}  // namespace
}  // namespace shoebox
