#include "sync/remote/s3_xml.h"

#include <gtest/gtest.h>

#include "sync/remote/http_answer.h"

namespace shoebox {
namespace {

std::string listing(const std::string& inside) {
  return "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
         inside + "</ListBucketResult>";
}

TEST(S3Xml, ReadsAListing) {
  auto read =
      parse_s3_listing(listing("<IsTruncated>true</IsTruncated><NextContinuationToken>t/+=</"
                               "NextContinuationToken><Contents><Key>a &amp; b</Key>"
                               "<LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>&quot;abc&quot;</"
                               "ETag><Size>7</Size></Contents>"));
  ASSERT_TRUE(read) << read.status().message();
  ASSERT_EQ(read->objects.size(), 1u);
  EXPECT_EQ(read->objects[0].key, "a & b");
  EXPECT_EQ(read->objects[0].etag, "abc");
  EXPECT_EQ(read->objects[0].size, 7u);
  EXPECT_EQ(read->objects[0].modified_s, 1255369830);
  EXPECT_EQ(read->next_token, "t/+=");
}

TEST(S3Xml, DecodesKeysOnlyWhenTheServerEncodedThem) {
  const std::string contents =
      "<IsTruncated>false</IsTruncated><Contents><Key>a%20b+c</Key><Size>1</Size></Contents>";
  EXPECT_EQ(parse_s3_listing(listing(contents))->objects[0].key, "a%20b+c");
  EXPECT_EQ(parse_s3_listing(listing("<EncodingType>url</EncodingType>" + contents))->objects[0].key,
            "a b c");
}

TEST(S3Xml, AListingThatIsNotWholeIsAnErrorNeverEmpty) {
  for (const std::string text :
       {std::string(), std::string("<html>log in</html>"), listing(""),
        std::string("<ListBucketResult><IsTr"), listing("<IsTruncated>true</IsTruncated>"),
        listing("<IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents>"),
        listing("<IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents>"),
        listing("<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>-1</Size></Contents>"),
        listing("<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>99999999999999999999</Size></"
                "Contents>")}) {
    EXPECT_EQ(parse_s3_listing(text).code(), Code::kUnavailable) << text;
  }
}

TEST(S3Xml, NoEntityIsEverFetchedOrExpanded) {
  auto read = parse_s3_listing(
      "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>" +
      listing("<IsTruncated>false</IsTruncated><Contents><Key>&e;</Key><Size>1</Size></Contents>")
          .substr(21));
  if (read) EXPECT_EQ(read->objects[0].key, "&e;");
}

TEST(S3Xml, ReadsErrorsOnOneLine) {
  const S3Error error = parse_s3_error(
      "<Error><Code>NoSuchKey</Code><Message>not\nhere</Message><Region>eu-central-1</Region></Error>");
  EXPECT_EQ(error.code, "NoSuchKey");
  EXPECT_EQ(error.message, "not here");
  EXPECT_EQ(error.region, "eu-central-1");
  EXPECT_EQ(parse_s3_error("").code, "");
  EXPECT_EQ(parse_s3_error("<html/>").code, "");
}

TEST(S3Xml, ReadsMultipartAnswers) {
  EXPECT_EQ(*parse_s3_upload_id(
                "<InitiateMultipartUploadResult><UploadId>2~x</UploadId></InitiateMultipartUploadResult>"),
            "2~x");
  EXPECT_EQ(parse_s3_upload_id("<InitiateMultipartUploadResult/>").code(), Code::kUnavailable);
  auto parts = parse_s3_parts(
      "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker><Part>"
      "<PartNumber>2</PartNumber><ETag>\"e\"</ETag><Size>5</Size></Part></ListPartsResult>");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->next_marker, 2u);
  EXPECT_EQ(parts->parts[0].number, 2u);
  EXPECT_EQ(parts->parts[0].etag, "e");
}

TEST(S3Xml, FindsTheErrorInAnAnswerThatSaysOk) {
  S3Error error;
  EXPECT_FALSE(parse_s3_result_etag("<Error><Code>InternalError</Code></Error>",
                                    "CompleteMultipartUploadResult", &error));
  EXPECT_EQ(error.code, "InternalError");
  EXPECT_EQ(*parse_s3_result_etag("<CopyObjectResult><ETag>\"x\"</ETag></CopyObjectResult>",
                                  "CopyObjectResult", &error),
            "x");
}

TEST(S3Xml, WritesTheCompletion) {
  EXPECT_EQ(complete_multipart_xml({{1, "aa", 5}, {2, "b<b", 5}}),
            "<CompleteMultipartUpload "
            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber>"
            "<ETag>\"aa\"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>\"b&lt;b\"</ETag></Part>"
            "</CompleteMultipartUpload>");
}

TEST(S3Xml, ReadsTimesAndEtags) {
  EXPECT_EQ(parse_iso_time_s("2009-10-12T17:50:30.000Z"), 1255369830);
  EXPECT_EQ(parse_iso_time_s("yesterday"), 0);
  EXPECT_EQ(parse_http_time_s("Mon, 12 Oct 2009 17:50:30 GMT"), 1255369830);
  EXPECT_EQ(parse_http_time_s("yesteryear"), 0);
  EXPECT_EQ(plain_etag("W/\"abc\""), "abc");
  EXPECT_EQ(plain_etag("abc"), "abc");
}

}  // namespace
}  // namespace shoebox
