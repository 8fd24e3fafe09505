#include "sync/remote/sftp_wire.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace shoebox {
namespace {

std::string status_body(uint32_t error, std::string_view text) {
  return SftpWriter().u32(error).text(text).text("").bytes();
}

TEST(SftpWire, WritesAndReadsFields) {
  const std::string bytes = SftpWriter().u32(0x01020304).u64(0x1122334455667788).text("a\xff").bytes();
  EXPECT_EQ(bytes, std::string("\x01\x02\x03\x04\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\x02"
                               "a\xff",
                               18));
  SftpReader reader(bytes);
  EXPECT_EQ(reader.u32(), 0x01020304u);
  EXPECT_EQ(reader.u64(), 0x1122334455667788u);
  EXPECT_EQ(reader.text(), "a\xff");
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_FALSE(reader.ok());
}

TEST(SftpWire, APacketIsWhatTheProtocolSays) {
  EXPECT_EQ(sftp_packet(SftpType::kRemove, 7, SftpWriter().text("x").bytes()),
            std::string("\0\0\0\x0a\x0d\0\0\0\x07\0\0\0\x01x", 14));
  auto parsed = parse_sftp_packet(std::string("\x65\0\0\0\x07rest", 9));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->type, SftpType::kStatus);
  EXPECT_EQ(parsed->id, 7u);
  EXPECT_EQ(parsed->body, "rest");
  EXPECT_EQ(parse_sftp_packet("\x65").code(), Code::kUnavailable);
}

TEST(SftpWire, AttributesSkipWhatIsNotWanted) {
  // size, owner, permissions, times and one extended pair
  const std::string body = SftpWriter()
                               .u32(0x8000000f)
                               .u64(5'000'000'000)
                               .u32(1000)
                               .u32(1000)
                               .u32(S_IFREG | 0644)
                               .u32(1)
                               .u32(1'700'000'000)
                               .u32(1)
                               .text("k")
                               .text("v")
                               .u32(99)
                               .bytes();
  SftpReader reader(body);
  const SftpAttributes attributes = read_sftp_attributes(reader);
  EXPECT_EQ(attributes.size, 5'000'000'000u);
  EXPECT_TRUE(S_ISREG(attributes.mode));
  EXPECT_EQ(attributes.modified_s, 1'700'000'000u);
  EXPECT_EQ(reader.u32(), 99u);
  EXPECT_TRUE(reader.ok());
}

TEST(SftpWire, StatusesKeepTheirMeaning) {
  EXPECT_TRUE(parse_sftp_status(status_body(0, ""), "x"));
  EXPECT_EQ(parse_sftp_status(status_body(1, "End of file"), "x").code(), Code::kDataLoss);
  EXPECT_EQ(parse_sftp_status(status_body(2, "No such file"), "x").code(), Code::kNotFound);
  EXPECT_EQ(parse_sftp_status(status_body(3, ""), "x").code(), Code::kUnauthorized);
  EXPECT_EQ(parse_sftp_status(status_body(8, ""), "x").code(), Code::kNotSupported);
  for (const uint32_t failure : {4u, 6u, 7u, 12345u}) {
    EXPECT_EQ(parse_sftp_status(status_body(failure, ""), "x").code(), Code::kUnavailable) << failure;
  }
  EXPECT_EQ(parse_sftp_status(SftpWriter().u32(0).bytes(), "x").code(), Code::kOk) << "some send no text";
  EXPECT_EQ(parse_sftp_status("", "x").code(), Code::kUnavailable);
  EXPECT_EQ(parse_sftp_status(status_body(4, "disk\nfailed"), "put a").message(),
            "put a: the server failed (disk failed)");
}

TEST(SftpWire, NamesAreReadWholeOrNotAtAll) {
  const std::string body = SftpWriter()
                               .u32(2)
                               .text("a.jpg")
                               .text("-rw- a.jpg")
                               .u32(1)
                               .u64(5)
                               .text("b")
                               .text("drwx b")
                               .u32(4)
                               .u32(S_IFDIR | 0755)
                               .bytes();
  auto names = parse_sftp_names(body);
  ASSERT_TRUE(names);
  ASSERT_EQ(names->size(), 2u);
  EXPECT_EQ((*names)[0].name, "a.jpg");
  EXPECT_EQ((*names)[0].attributes.size, 5u);
  EXPECT_TRUE(S_ISDIR((*names)[1].attributes.mode));
  for (size_t cut = 0; cut < body.size(); ++cut) {
    EXPECT_EQ(parse_sftp_names(body.substr(0, cut)).code(), Code::kUnavailable) << cut;
  }
  EXPECT_EQ(parse_sftp_names(SftpWriter().u32(0xffffffff).bytes()).code(), Code::kUnavailable)
      << "a count that lies costs nothing";
}

TEST(SftpWire, ExtensionsAreListed) {
  auto listed = parse_sftp_version(SftpWriter().text("fsync@openssh.com").text("1").bytes());
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->front().first, "fsync@openssh.com");
  EXPECT_TRUE(parse_sftp_version("")->empty());
  EXPECT_EQ(parse_sftp_version(SftpWriter().u32(10).bytes()).code(), Code::kUnavailable);
}

}  // namespace
}  // namespace shoebox
