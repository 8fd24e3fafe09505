#include "sync/remote/s3_xml.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <pugixml.hpp>

#include "store/base/plain_text.h"
#include "sync/remote/http_answer.h"

namespace shoebox {
namespace {

constexpr size_t kMaxListed = 10'000;  // S3 gives 1,000 a page; others were seen to ignore max-keys

Status not_s3(std::string_view expected, std::string_view why) {
  return {Code::kUnavailable, fmt::format("the answer is no {}: {}; is this an S3 endpoint?", expected, why)};
}

Status parse_document(pugi::xml_document& document, std::string_view xml, std::string_view root) {
  // parse_minimal plus escapes: no doctype, no processing instructions, so no entity is ever defined.
  const auto parsed = document.load_buffer(xml.data(), xml.size(), pugi::parse_minimal | pugi::parse_escapes,
                                           pugi::encoding_utf8);
  if (!parsed) return not_s3(root, parsed.description());
  if (root != document.document_element().name()) {
    return not_s3(root, fmt::format("it is \"{:.40}\"", document.document_element().name()));
  }
  return Status::ok();
}

template <typename Number>
bool read_number(const char* text, Number& out) {
  const std::string_view view = text;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), out);
  return error == std::errc() && end == view.data() + view.size();
}

std::string url_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void read_error(const pugi::xml_node& node, S3Error& error) {
  // Shown to people: one line, of a bounded length.
  const auto line = [&](const char* name) { return plain_line(node.child_value(name), 200); };
  error = {line("Code"), line("Message"), line("Region"), line("Endpoint")};
}

}  // namespace

S3Error parse_s3_error(std::string_view xml) {
  S3Error error;
  pugi::xml_document document;
  if (parse_document(document, xml, "Error")) read_error(document.document_element(), error);
  return error;
}

Result<S3Listing> parse_s3_listing(std::string_view xml) {
  pugi::xml_document document;
  SHOEBOX_TRY(parse_document(document, xml, "ListBucketResult"));
  const pugi::xml_node root = document.document_element();
  const bool encoded = std::string_view(root.child_value("EncodingType")) == "url";
  S3Listing listing;
  for (const pugi::xml_node& node : root.children("Contents")) {
    S3Listed object;
    object.key = encoded ? url_decode(node.child_value("Key")) : node.child_value("Key");
    object.etag = plain_etag(node.child_value("ETag"));
    object.modified_s = parse_iso_time_s(node.child_value("LastModified"));
    if (object.key.empty() || !read_number(node.child_value("Size"), object.size)) {
      return not_s3("ListBucketResult", "an entry lacks its key or size");
    }
    listing.objects.push_back(std::move(object));
    if (listing.objects.size() > kMaxListed) return not_s3("ListBucketResult", "a page is too long");
  }
  const std::string_view truncated = root.child_value("IsTruncated");
  if (truncated == "true") {
    listing.next_token = root.child_value("NextContinuationToken");
    if (listing.next_token.empty()) return not_s3("ListBucketResult", "it is cut off and names no next page");
  } else if (truncated != "false") {
    return not_s3("ListBucketResult", "it does not say whether it is whole");
  }
  return listing;
}

Result<S3Parts> parse_s3_parts(std::string_view xml) {
  pugi::xml_document document;
  SHOEBOX_TRY(parse_document(document, xml, "ListPartsResult"));
  const pugi::xml_node root = document.document_element();
  S3Parts parts;
  for (const pugi::xml_node& node : root.children("Part")) {
    S3Part part;
    part.etag = plain_etag(node.child_value("ETag"));
    if (!read_number(node.child_value("PartNumber"), part.number) ||
        !read_number(node.child_value("Size"), part.size)) {
      return not_s3("ListPartsResult", "a part lacks its number or size");
    }
    parts.parts.push_back(std::move(part));
    if (parts.parts.size() > kMaxListed) return not_s3("ListPartsResult", "a page is too long");
  }
  if (std::string_view(root.child_value("IsTruncated")) == "true" &&
      !read_number(root.child_value("NextPartNumberMarker"), parts.next_marker)) {
    return not_s3("ListPartsResult", "it is cut off and names no next page");
  }
  return parts;
}

Result<S3Uploads> parse_s3_uploads(std::string_view xml) {
  constexpr const char* kRoot = "ListMultipartUploadsResult";
  pugi::xml_document document;
  SHOEBOX_TRY(parse_document(document, xml, kRoot));
  const pugi::xml_node root = document.document_element();
  const bool encoded = std::string_view(root.child_value("EncodingType")) == "url";
  const auto key_of = [&](const char* text) { return encoded ? url_decode(text) : std::string(text); };
  S3Uploads page;
  for (const pugi::xml_node& node : root.children("Upload")) {
    S3Upload upload{key_of(node.child_value("Key")), node.child_value("UploadId")};
    if (upload.key.empty() || upload.id.empty()) return not_s3(kRoot, "an upload lacks its key or id");
    page.uploads.push_back(std::move(upload));
    if (page.uploads.size() > kMaxListed) return not_s3(kRoot, "a page is too long");
  }
  if (std::string_view(root.child_value("IsTruncated")) == "true") {
    page.next_key = key_of(root.child_value("NextKeyMarker"));
    page.next_id = root.child_value("NextUploadIdMarker");
    if (page.next_key.empty()) return not_s3(kRoot, "it is cut off and names no next page");
  }
  return page;
}

Result<std::string> parse_s3_upload_id(std::string_view xml) {
  pugi::xml_document document;
  SHOEBOX_TRY(parse_document(document, xml, "InitiateMultipartUploadResult"));
  std::string id = document.document_element().child_value("UploadId");
  if (id.empty()) return not_s3("InitiateMultipartUploadResult", "it has no UploadId");
  return id;
}

Result<std::string> parse_s3_result_etag(std::string_view xml, std::string_view root, S3Error* error) {
  pugi::xml_document document;
  if (Status parsed = parse_document(document, xml, root); !parsed) {
    if (std::string_view(document.document_element().name()) == "Error") {
      read_error(document.document_element(), *error);
    }
    return parsed;
  }
  return plain_etag(document.document_element().child_value("ETag"));
}

std::string complete_multipart_xml(const std::vector<S3Part>& parts) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (const S3Part& part : parts) {
    pugi::xml_node node = root.append_child("Part");
    node.append_child("PartNumber").text() = part.number;
    node.append_child("ETag").text() = ("\"" + part.etag + "\"").c_str();
  }
  struct Writer final : pugi::xml_writer {
    std::string out;
    void write(const void* data, size_t size) override { out.append(static_cast<const char*>(data), size); }
  } writer;
  document.save(writer, "", pugi::format_raw | pugi::format_no_declaration);
  return writer.out;
}

int64_t parse_iso_time_s(const std::string& text) {
  tm utc{};
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
                  &utc.tm_hour, &utc.tm_min, &utc.tm_sec) != 6) {
    return 0;
  }
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  return ::timegm(&utc);
}

}  // namespace shoebox
