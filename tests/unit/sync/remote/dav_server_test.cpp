#include "sync/remote/dav_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "store/settings.h"
#include "sync/remote/dav_chunks.h"
#include "test_http_server.h"

namespace shoebox {
namespace {

std::string multistatus(const std::string& href, uint64_t size, const std::string& more = "") {
  return "<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>" + href +
         "</d:href><d:propstat><d:prop><d:resourcetype/><d:getcontentlength>" + std::to_string(size) +
         "</d:getcontentlength><d:getetag>\"e1\"</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status>"
         "</d:propstat></d:response>" +
         more + "</d:multistatus>";
}

std::string folder(const std::string& href) {
  return "<d:response><d:href>" + href +
         "</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>"
         "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>";
}

class DavServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = "/tmp/shoebox-dav-XXXXXX";
    UniqueFd file(::mkstemp(path.data()));
    login_file_ = path;
    ASSERT_TRUE(write_full(file.get(), "user = \"anna\"\npassword = \"pw\"\n"));
  }
  void TearDown() override { ::unlink(login_file_.c_str()); }

  // A server whose answers the handler scripts, and ours in front of it.
  void serve(TestHttpServer::Handler handler, bool with_login = false) {
    http_ = std::make_unique<TestHttpServer>(std::move(handler));
    RemoteSettings settings;
    settings.name = "nas";
    settings.url = "dav://127.0.0.1:" + std::to_string(http_->port()) + "/dav";
    if (with_login) settings.credentials_file = login_file_;
    auto place = parse_dav_place(settings);
    ASSERT_TRUE(place) << place.status().message();
    server_ = std::make_unique<DavServer>(
        std::make_unique<DavClient>(*place, "", settings, std::make_shared<TransferLoop>()));
  }
  void answer_always(TestReply reply) {
    serve([reply](const TestRequest&) { return reply; });
  }
  Status read(ByteRange range, const std::string& etag = "") {
    got_.clear();
    return server_->read("a b.jpg", range, etag,
                         [this](std::string_view bytes) {
                           got_ += bytes;
                           return Status::ok();
                         },
                         {});
  }

  std::string login_file_;
  std::unique_ptr<TestHttpServer> http_;
  std::unique_ptr<DavServer> server_;
  std::string got_;
};

TEST_F(DavServerTest, AFolderThatAnotherRequestMadeMeanwhileIsThere) {
  serve([](const TestRequest& request) {
    if (request.method == "MKCOL") return TestReply{403, {}, ""};
    if (request.target == "/dav/there/")
      return TestReply{207, {}, multistatus("/dav/x", 1, folder("/dav/there/"))};
    return TestReply{request.target == "/dav/there" ? 301 : 404, {}, ""};
  });
  EXPECT_TRUE(server_->make_folder("there", {}));
  EXPECT_EQ(server_->make_folder("forbidden", {}).code(), Code::kUnauthorized);
}

TEST_F(DavServerTest, StatAsksForOneFileAndEncodesItsName) {
  answer_always({207, {}, multistatus("/dav/a%20b.jpg", 7)});
  auto facts = server_->facts("a b.jpg", {});
  ASSERT_TRUE(facts) << facts.status().message();
  EXPECT_EQ(facts->size, 7u);
  EXPECT_EQ(facts->etag, "e1");
  const TestRequest request = http_->requests().at(0);
  EXPECT_EQ(request.method, "PROPFIND");
  EXPECT_EQ(request.target, "/dav/a%20b.jpg");
  EXPECT_EQ(request.header("depth"), "0");
  EXPECT_NE(request.body.find("getcontentlength"), std::string::npos);
}

TEST_F(DavServerTest, AnAnswerAboutSomethingElseIsNoAnswer) {
  answer_always({207, {}, multistatus("/dav/other.jpg", 7)});
  EXPECT_EQ(server_->facts("a b.jpg", {}).code(), Code::kUnavailable);
  EXPECT_EQ(server_->entries("", {}).code(), Code::kUnavailable) << "the folder itself is missing in it";
}

TEST_F(DavServerTest, RefusalsKeepTheirMeaning) {
  const std::vector<std::pair<int, Code>> meanings = {
      {401, Code::kUnauthorized}, {403, Code::kUnauthorized}, {404, Code::kNotFound},
      {409, Code::kNotFound},     {412, Code::kConflict},     {423, Code::kUnavailable},
      {429, Code::kThrottled},    {500, Code::kUnavailable},  {503, Code::kUnavailable},
      {507, Code::kNoSpace},      {301, Code::kInvalid},      {400, Code::kInvalid}};
  for (const auto& [status, code] : meanings) {
    answer_always({status, {{"Retry-After", "7"}, {"Location", "https://elsewhere/"}}, "<html>no</html>"});
    RequestHints hints;
    RequestContext context;
    context.hints = &hints;
    EXPECT_EQ(server_->move("a", "b", false, context).code(), code) << status;
    EXPECT_EQ(hints.retry_after_s, 7);
    if (status == 423) continue;  // asked again: locks last for moments
    EXPECT_EQ(http_->requests().size(), 1u) << "redirects are not followed, nothing is repeated";
  }
}

TEST_F(DavServerTest, ListsWhatIsInTheFolderAndSkipsWhatNoKeyCanName) {
  answer_always({207,
                 {},
                 multistatus("/dav/x/a.jpg", 7,
                             folder("/dav/x/") + folder("/dav/x/sub/") + folder("/dav/x/a%2Fb/") +
                                 folder("/dav/x/..%2F..%2Fetc/"))});
  auto entries = server_->entries("x", {});
  ASSERT_TRUE(entries) << entries.status().message();
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].name, "a.jpg");
  EXPECT_EQ((*entries)[1].name, "sub");
  EXPECT_TRUE((*entries)[1].facts.is_folder);
}

TEST_F(DavServerTest, AListingThatLeavesTheFolderIsRefused) {
  for (const char* href : {"/dav/y/a.jpg", "/etc/passwd", "/dav/x/a/b", "/dav/xx"}) {
    answer_always({207, {}, multistatus(href, 7, folder("/dav/x/"))});
    EXPECT_EQ(server_->entries("x", {}).code(), Code::kUnavailable) << href;
  }
}

TEST_F(DavServerTest, AListingThatBreaksOffIsNoListing) {
  const std::string whole = multistatus("/dav/x/a.jpg", 7, folder("/dav/x/"));
  answer_always(
      {.status = 207, .headers = {}, .body = whole, .cut_after = static_cast<long>(whole.size()) - 20});
  EXPECT_EQ(server_->entries("x", {}).code(), Code::kUnavailable);
  answer_always({207, {}, whole.substr(0, whole.size() - 20)});
  EXPECT_EQ(server_->entries("x", {}).code(), Code::kUnavailable);
}

TEST_F(DavServerTest, ReadsARangeOfTheVeryObject) {
  answer_always({206, {{"Content-Range", "bytes 2-4/10"}, {"ETag", "\"e1\""}}, "cde"});
  EXPECT_TRUE(read({2, 5}, "e1"));
  EXPECT_EQ(got_, "cde");
  EXPECT_EQ(http_->requests().at(0).header("if-match"), "\"e1\"");
  EXPECT_EQ(http_->requests().at(0).header("range"), "bytes=2-4");
  EXPECT_EQ(read({2, 5}, "e2").code(), Code::kConflict);
  EXPECT_EQ(read({0, 5}).code(), Code::kDataLoss);
  EXPECT_EQ(got_, "") << "no byte of another range";
}

TEST_F(DavServerTest, AMoveThatWasDoneInPartIsNotDone) {
  answer_always({207, {}, multistatus("/dav/b", 1)});
  EXPECT_EQ(server_->move("a", "b", true, {}).code(), Code::kUnavailable);
  const TestRequest request = http_->requests().at(0);
  EXPECT_EQ(request.method, "MOVE");
  EXPECT_EQ(request.header("overwrite"), "T");
  EXPECT_EQ(request.header("destination"), http_->url() + "/dav/b");
}

TEST_F(DavServerTest, TheHashThatTheServerTookIsPassedOn) {
  const std::string hash = sha256("bytes").hex();
  answer_always({201, {{"X-Hash-SHA256", hash}}, ""});
  std::string path = "/tmp/shoebox-dav-XXXXXX";
  const UniqueFd file(::mkstemp(path.data()));
  ::unlink(path.c_str());
  ASSERT_TRUE(write_full(file.get(), "bytes"));
  PutOptions options;
  options.size = 5;
  auto written = server_->write("a", file.get(), options, {});
  ASSERT_TRUE(written);
  EXPECT_EQ(written->sha256, hash);
  EXPECT_EQ(http_->requests().at(0).body, "bytes");
}

TEST_F(DavServerTest, APasswordIsSentOnlyInTheSchemeThatTheServerAsksFor) {
  serve(
      [](const TestRequest& request) -> TestReply {
        if (request.header("authorization").empty())
          return {401, {{"WWW-Authenticate", "Basic realm=\"x\""}}, ""};
        return {207, {}, multistatus("/dav/a", 7)};
      },
      true);
  EXPECT_TRUE(server_->facts("a", {}));
  EXPECT_TRUE(server_->facts("a", {}));
  const std::vector<TestRequest> requests = http_->requests();
  ASSERT_EQ(requests.size(), 3u) << "asked once";
  EXPECT_EQ(requests[0].header("authorization"), "");
  EXPECT_EQ(requests[1].header("authorization"), "Basic YW5uYTpwdw==");
}

TEST_F(DavServerTest, ARefusedPasswordIsReadAnew) {
  serve(
      [](const TestRequest& request) -> TestReply {
        if (request.header("authorization") == "Basic YW5uYTpuZXc=")
          return {207, {}, multistatus("/dav/a", 7)};
        return {401, {{"WWW-Authenticate", "Basic realm=\"x\""}}, ""};
      },
      true);
  auto refused = server_->facts("a", {});
  EXPECT_EQ(refused.code(), Code::kUnauthorized);
  EXPECT_NE(refused.status().message().find("check user and password"), std::string::npos);
  ASSERT_TRUE(write_file_atomically(login_file_, "user = \"anna\"\npassword = \"new\"\n"));
  auto again = server_->facts("a", {});
  EXPECT_TRUE(again) << again.status().message();
}

TEST_F(DavServerTest, WithoutALoginTheMessageSaysWhatToSet) {
  answer_always({401, {{"WWW-Authenticate", "Digest realm=\"x\", nonce=\"y\""}}, ""});
  auto refused = server_->facts("a", {});
  EXPECT_EQ(refused.code(), Code::kUnauthorized);
  EXPECT_NE(refused.status().message().find("credentials_file"), std::string::npos);
}

TEST(DavClient, ChoosesTheSchemeByWhatIsOfferedAndTls) {
  const auto offers = [](NameValues headers) { return HttpResponse{401, std::move(headers), ""}; };
  const HttpResponse both =
      offers({{"www-authenticate", "Digest realm=\"a, basic b\""}, {"www-authenticate", "Basic x"}});
  EXPECT_EQ(choose_http_auth(both, true), HttpAuth::kBasic);
  EXPECT_EQ(choose_http_auth(both, false), HttpAuth::kDigest) << "in the clear the password stays here";
  EXPECT_EQ(choose_http_auth(offers({{"www-authenticate", "Basic x"}}), false), HttpAuth::kBasic);
  EXPECT_EQ(choose_http_auth(offers({{"www-authenticate", "DIGEST realm=\"a\""}}), true), HttpAuth::kDigest);
  EXPECT_EQ(choose_http_auth(offers({{"www-authenticate", "Negotiate"}}), true), HttpAuth::kNone);
  EXPECT_EQ(choose_http_auth(offers({}), true), HttpAuth::kNone);
}

TEST(DavChunkProgress, IsReadBackAsWritten) {
  const DavChunkProgress progress{17, std::string(64, 'a'), 5, std::string(32, 'f')};
  auto read = DavChunkProgress::parse(progress.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text(), progress.text());
  for (const std::string& bad : {std::string(), std::string("shoebox-multipart 1 17 a 5 b"),
                                 std::string("shoebox-chunks 2 17 a 5 ") + std::string(32, 'f'),
                                 std::string("shoebox-chunks 1 17 a 5 ../../etc"),
                                 std::string("shoebox-chunks 1 17 a 0 ") + std::string(32, 'f')}) {
    EXPECT_EQ(DavChunkProgress::parse(bad).code(), Code::kInvalid) << bad;
  }
}

}  // namespace
}  // namespace shoebox
