// Who is in the picture, in every spelling that programs write.
#include <algorithm>
#include <map>

#include "store/decode/decoder/facts.h"
#include "store/decode/decoder/tag_set.h"

namespace shoebox::decoder {
namespace {

struct Region {
  std::string name;
  std::string type;
};

// "…/mwg-rs:RegionList[3]/mwg-rs:Name" -> ("…/mwg-rs:RegionList[3]", "mwg-rs:Name").
std::pair<std::string, std::string> split_last(const std::string& key) {
  const size_t slash = key.rfind('/');
  return slash == std::string::npos ? std::pair{std::string(), key}
                                    : std::pair{key.substr(0, slash), key.substr(slash + 1)};
}

class Names {
 public:
  void add(const std::string& name) {
    if (!name.empty() && std::find(names_.begin(), names_.end(), name) == names_.end())
      names_.push_back(name);
  }
  std::vector<std::string> take() { return std::move(names_); }

 private:
  std::vector<std::string> names_;
};

// "People/Anna", "People|Family|Anna": digiKam's and Lightroom's tag tree for people.
void add_person_tag(const std::string& tag, char separator, Names& names) {
  if (tag.starts_with(std::string("People") + separator)) names.add(tag.substr(tag.rfind(separator) + 1));
}

}  // namespace

std::vector<std::string> people_of(const TagSet& tags) {
  Names names;
  std::vector<std::string> order;  // of regions, as written
  std::map<std::string, Region> regions;
  tags.each_xmp("Xmp.mwg-rs.Regions", [&](const std::string& key, const std::string& value) {
    const auto [region, field] = split_last(key);
    if (!regions.contains(region)) order.push_back(region);
    if (field == "mwg-rs:Name") regions[region].name = value;
    if (field == "mwg-rs:Type") regions[region].type = value;
  });
  for (const std::string& key : order) {
    const Region& region = regions[key];
    if (region.type.empty() || region.type == "Face") names.add(region.name);
  }
  tags.each_xmp("Xmp.MP.", [&](const std::string& key, const std::string& value) {
    if (split_last(key).second == "MPReg:PersonDisplayName") names.add(value);
  });
  tags.each_xmp("Xmp.iptcExt.PersonInImage", [&](const std::string& key, const std::string& value) {
    if (key == "Xmp.iptcExt.PersonInImage" || split_last(key).second.ends_with(":PersonName"))
      names.add(value);
  });
  tags.each_xmp("Xmp.digiKam.TagsList",
                [&](const std::string&, const std::string& value) { add_person_tag(value, '/', names); });
  tags.each_xmp("Xmp.lr.hierarchicalSubject",
                [&](const std::string&, const std::string& value) { add_person_tag(value, '|', names); });
  return names.take();
}

}  // namespace shoebox::decoder
