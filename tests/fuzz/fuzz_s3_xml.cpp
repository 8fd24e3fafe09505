// Answers of S3.
#include "sync/remote/s3_xml.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

std::vector<std::string> seeds() {
  return {
      "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<IsTruncated>true</IsTruncated><NextContinuationToken>t/+=</NextContinuationToken>"
      "<EncodingType>url</EncodingType><Contents><Key>a%20&amp;b</Key>"
      "<LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>&quot;abc&quot;</ETag><Size>7</Size>"
      "</Contents></ListBucketResult>",
      "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
      "<Error><Code>PermanentRedirect</Code><Message>not here</Message><Region>eu-central-1</Region>"
      "<Endpoint>s3.eu</Endpoint></Error>",
      "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker><Part>"
      "<PartNumber>2</PartNumber><ETag>\"e\"</ETag><Size>5</Size></Part></ListPartsResult>",
      "<InitiateMultipartUploadResult><UploadId>2~x</UploadId></InitiateMultipartUploadResult>",
      "<CompleteMultipartUploadResult><ETag>\"x-2\"</ETag></CompleteMultipartUploadResult>",
      "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/hostname\">]><Error><Code>&e;</Code></Error>"};
}

void run(std::string_view bytes) {
  const S3Error error = parse_s3_error(bytes);
  for (const std::string* line : {&error.code, &error.message, &error.region, &error.endpoint}) {
    for (const char c : *line) holds(static_cast<unsigned char>(c) >= 0x20, "people see it as one line");
  }
  const auto listing = parse_s3_listing(bytes);
  if (!listing) refused_well(listing.status(), {Code::kUnavailable});
  const auto parts = parse_s3_parts(bytes);
  if (!parts) {
    refused_well(parts.status(), {Code::kUnavailable});
  } else {
    (void)complete_multipart_xml(parts->parts);
  }
  const auto id = parse_s3_upload_id(bytes);
  if (!id) {
    refused_well(id.status(), {Code::kUnavailable});
  } else {
    holds(!id->empty(), "an upload has an id");
  }
  S3Error in_answer;
  const auto etag = parse_s3_result_etag(bytes, "CompleteMultipartUploadResult", &in_answer);
  holds(etag.is_ok() || !etag.status().message().empty(), "a refusal says why");
  (void)parse_iso_time_s(std::string(bytes));
}

}  // namespace

const Target kS3Xml{"s3_xml", seeds, run};

}  // namespace shoebox::fuzz
