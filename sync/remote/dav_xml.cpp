#include "sync/remote/dav_xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>

#include "store/base/plain_text.h"
#include "sync/remote/http_answer.h"
#include "sync/remote/uri.h"

namespace shoebox {
namespace {

constexpr size_t kMaxMembers = 200'000;  // the size of the answer ends it sooner

Status not_dav(std::string_view why) {
  return {Code::kUnavailable, fmt::format("the answer is no multistatus: {}; is this a WebDAV folder?", why)};
}

// Without its prefix: servers choose any (D:, d:, lp1:), and only properties that were asked for come.
std::string_view local_name(const pugi::xml_node& node) {
  std::string_view name = node.name();
  const size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node& one : node.children()) {
    if (local_name(one) == name) return one;
  }
  return {};
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// 200 of "HTTP/1.1 200 OK"; 0 when it is none.
int status_of(const pugi::xml_node& node) {
  std::string_view text = trimmed(node.child_value());
  const size_t blank = text.find(' ');
  int status = 0;
  if (text.starts_with("HTTP/") && blank != std::string_view::npos) {
    text.remove_prefix(blank + 1);
    std::from_chars(text.data(), text.data() + text.size(), status);
  }
  return status;
}

void read_href(std::string_view href, DavMember& member) {
  href = trimmed(href);
  if (const size_t scheme = href.find("://"); scheme != std::string_view::npos && scheme < href.find('/')) {
    const size_t slash = href.find('/', scheme + 3);
    href = slash == std::string_view::npos ? "/" : href.substr(slash);
  }
  while (href.ends_with('/')) href.remove_suffix(1);
  member.path = percent_decode(href);
  const auto slashes = [](std::string_view text) { return std::count(text.begin(), text.end(), '/'); };
  member.plain = slashes(member.path) == slashes(href) && member.path.find('\0') == std::string::npos;
}

bool is_hex(std::string_view text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "SHA1:… MD5:… ADLER32:…" of ownCloud, in one element or several.
void read_checksums(const pugi::xml_node& node, FileFacts& facts) {
  for (const pugi::xml_node& one : node.children()) {
    std::string text = local_name(one) == "checksum" ? one.child_value() : one.value();
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string_view rest = trimmed(text);
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(' '), rest.size());
      const std::string_view word = rest.substr(0, end);
      if (word.starts_with("md5:") && is_hex(word.substr(4), 32)) facts.md5 = word.substr(4);
      if (word.starts_with("sha256:") && is_hex(word.substr(7), 64)) facts.sha256 = word.substr(7);
      rest = trimmed(rest.substr(end));
    }
  }
}

Status read_member(const pugi::xml_node& response, DavMember& member) {
  const pugi::xml_node href = child(response, "href");
  read_href(href.child_value(), member);
  const pugi::xml_node own_status = child(response, "status");
  if (own_status && status_of(own_status) / 100 != 2) {
    return not_dav(fmt::format("it tells \"{}\" of a member", plain_line(own_status.child_value(), 40)));
  }
  bool typed = false;
  bool sized = false;
  for (const pugi::xml_node& propstat : response.children()) {
    if (local_name(propstat) != "propstat" || status_of(child(propstat, "status")) / 100 != 2) continue;
    for (const pugi::xml_node& property : child(propstat, "prop").children()) {
      const std::string_view name = local_name(property);
      const std::string_view value = trimmed(property.child_value());
      if (name == "resourcetype") {
        typed = true;
        member.facts.is_folder = static_cast<bool>(child(property, "collection"));
      } else if (name == "getcontentlength") {
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), member.facts.size);
        sized = error == std::errc() && end == value.data() + value.size();
      } else if (name == "getetag") {
        member.facts.etag = (value.starts_with("W/") ? "W/" : "") + plain_etag(value);
      } else if (name == "getlastmodified") {
        member.facts.modified_s = parse_http_time_s(std::string(value));
      } else if (name == "checksums") {
        read_checksums(property, member.facts);
      }
    }
  }
  if (!href || !typed || (!sized && !member.facts.is_folder)) {
    return not_dav("a member lacks its name, type or size");
  }
  if (member.facts.is_folder) member.facts.size = 0;
  return Status::ok();
}

// parse_minimal plus escapes and CDATA: no doctype and no processing instructions, so that no entity is
// ever defined.
pugi::xml_parse_result parse(pugi::xml_document& document, std::string_view xml) {
  return document.load_buffer(xml.data(), xml.size(),
                              pugi::parse_minimal | pugi::parse_escapes | pugi::parse_cdata,
                              pugi::encoding_utf8);
}

}  // namespace

std::string_view dav_propfind_body() {
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
         "<d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:prop><d:resourcetype/>"
         "<d:getcontentlength/><d:getetag/><d:getlastmodified/><oc:checksums/></d:prop></d:propfind>";
}

Result<std::vector<DavMember>> parse_multistatus(std::string_view xml) {
  pugi::xml_document document;
  if (const auto parsed = parse(document, xml); !parsed) return not_dav(parsed.description());
  const pugi::xml_node root = document.document_element();
  if (local_name(root) != "multistatus") return not_dav(fmt::format("it is \"{:.40}\"", root.name()));
  std::vector<DavMember> members;
  for (const pugi::xml_node& response : root.children()) {
    if (local_name(response) != "response") continue;
    DavMember member;
    SHOEBOX_TRY(read_member(response, member));
    members.push_back(std::move(member));
    if (members.size() > kMaxMembers) return not_dav("it has too many members");
  }
  return members;
}

std::string dav_error_message(std::string_view xml) {
  pugi::xml_document document;
  if (!parse(document, xml) || local_name(document.document_element()) != "error") return "";
  // Shown to people: one line, of a bounded length.
  return plain_line(trimmed(child(document.document_element(), "message").child_value()), 200);
}

}  // namespace shoebox
