// Spelling of display values as file names.

#include "store/tree/safe_name.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "store/catalog/keys.h"

namespace shoebox {
namespace {

TEST(SafeName, OrdinaryNamesAreTheirOwnSpelling) {
  for (const char* name : {"Anna", "Ólafur Þór 山田", "\"quoted \"@#$ name\" !@#$%^&*()_+", "...", ".hidden",
                           "special_chars űáéúőóüío?._:", "Person Name 1 (ref2014)", "  spaced  ", "100 %"}) {
    EXPECT_EQ(safe_name(name), name);
    EXPECT_EQ(value_of_name(name), name);
  }
}

TEST(SafeName, WhatIsNoFileNameGetsAReadableOne) {
  EXPECT_EQ(safe_name("AC/DC"), "AC／DC");
  EXPECT_EQ(safe_name("."), "．");
  EXPECT_EQ(safe_name(".."), "．．");
  EXPECT_EQ(safe_name("line\nbreak"), "line␊break");
  EXPECT_EQ(safe_name(std::string_view("a\0b", 3)), "a␀b");
  EXPECT_EQ(safe_name("a\xFFz"), "a‛FFz");
  EXPECT_EQ(safe_name(""), "‛");
}

TEST(SafeName, OverlongValuesAreCutAndToldApart) {
  const std::string first(300, 'x');
  const std::string second = first + "y";
  EXPECT_LE(safe_name(first).size(), 255u);
  EXPECT_NE(safe_name(first), safe_name(second));
  EXPECT_EQ(safe_name(first), safe_name(first));
  EXPECT_NE(safe_name(safe_name(first)), safe_name(first));  // the spelling itself is another value
  EXPECT_EQ(safe_name(std::string(255, 'x')), std::string(255, 'x'));
  std::string wide;
  for (int i = 0; i < 200; ++i) wide += "山";
  EXPECT_LE(safe_name(wide).size(), 255u);
  EXPECT_EQ(normalized(safe_name(wide)), safe_name(wide));  // still UTF-8
}

// Values made of all that is special.
std::vector<std::string> awkward_values() {
  const std::vector<std::string> pieces = {"/",  ".",        "..",   "‛",    "／",     "．", "␊",
                                           "\n", "␡",        "\x7F", "\xFF", "F",      "FF", "a",
                                           "…",  "\xC2\x85", "A",    "\xE2", "e\u0301"};
  std::vector<std::string> values = {""};
  for (const auto& a : pieces) {
    values.push_back(a);
    for (const auto& b : pieces) {
      values.push_back(a + b);
      for (const auto& c : pieces) values.push_back(a + b + c);
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string value;
    const size_t count = random() % 120;
    for (size_t j = 0; j < count; ++j) value += pieces[random() % pieces.size()];
    values.push_back(value);
  }
  return values;
}

TEST(SafeName, EverySpellingIsAFileNameOfItsOwn) {
  std::map<std::string, std::string> values_of;
  for (const std::string& value : awkward_values()) {
    const std::string name = safe_name(value);
    EXPECT_FALSE(name.empty());
    EXPECT_LE(name.size(), 255u);
    EXPECT_EQ(name.find('/'), std::string::npos);
    EXPECT_EQ(name.find('\0'), std::string::npos);
    EXPECT_NE(name, ".");
    EXPECT_NE(name, "..");
    const auto [known, fresh] = values_of.emplace(name, value);
    EXPECT_TRUE(fresh || known->second == value) << name;
    if (name.find("‛…") == std::string::npos) {
      EXPECT_EQ(value_of_name(name), value) << name;
    }
  }
}

// Folded as far as it goes: what is not UTF-8 is not folded by the catalog.
std::string folded(std::string_view text) {
  std::string result = keys::fold(text);
  for (char& c : result) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return result;
}

TEST(SafeName, FoldedSpellingsMeetOnlyWhereTheValuesDo) {
  std::map<std::string, std::string> values_of;
  for (const std::string& value : awkward_values()) {
    const auto [known, fresh] = values_of.emplace(keys::fold(safe_name(value)), value);
    EXPECT_TRUE(fresh || folded(known->second) == folded(value)) << known->first;
  }
}

// Every person of the photo set, from the oracle beside it.
TEST(SafeName, PeopleOfThePhotoSetComeOutFine) {
  const char* folder = std::getenv("SHOEBOX_PHOTOS");
  const std::string photos = folder ? folder : SHOEBOX_SOURCE_DIR "/../shared/photos";
  std::ifstream manifest(photos + "/MANIFEST.jsonl");
  if (!manifest) GTEST_SKIP() << "no photo set at " << photos;
  std::map<std::string, std::string> people;
  for (std::string line; std::getline(manifest, line);) {
    const auto photo = nlohmann::json::parse(line);
    if (!photo.contains("people")) continue;
    for (const auto& person : photo["people"]) {
      const std::string value = person["name"];
      const std::string name = safe_name(value);
      EXPECT_EQ(value_of_name(name), value);
      EXPECT_EQ(name.find('/'), std::string::npos) << name;
      EXPECT_TRUE(name != "." && name != "..");
      const auto [known, fresh] = people.emplace(keys::fold(name), value);
      EXPECT_TRUE(fresh || known->second == value) << value << " and " << known->second;
    }
  }
  EXPECT_GT(people.size(), 30u);
}

TEST(SafeName, NamesThatNoValueIsSpelledAsStandForThemselves) {
  EXPECT_EQ(value_of_name("‛x"), "‛x");
  EXPECT_EQ(value_of_name("‛41"), "‛41");
  EXPECT_EQ(value_of_name("\xFF"), "\xFF");
}

}  // namespace
}  // namespace shoebox
