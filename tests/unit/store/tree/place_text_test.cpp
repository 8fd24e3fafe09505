#include "store/tree/place_text.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

TEST(PlaceText, NamesStandFromTheWidestToTheNarrowestAndWhatIsNotKnownIsLeftOut) {
  EXPECT_EQ(place_text({"Italy", "Toscana", "Arezzo", "Duomo"}), "Italy/Toscana/Arezzo/Duomo");
  EXPECT_EQ(place_text({.country = "Italy", .city = " Rome \n"}), "Italy/Rome");
  EXPECT_EQ(place_text({.location = "Kalanki"}), "Kalanki");
  EXPECT_EQ(place_text({.state = "  "}), "");
}

TEST(PlaceText, AHostileNameStaysOneFolderName) {
  EXPECT_EQ(place_text({.country = "..", .state = "a/b", .city = "x\ny"}), "．．/a／b/x␊y");
  const std::string text = place_text({.country = std::string(300, 'x'), .city = "\xff"});
  EXPECT_EQ(text.find('/'), 255U);
  EXPECT_EQ(text.find('\xff'), std::string::npos);
}

TEST(PlaceText, WhatWasSpelledIsReadAsItself) {
  for (const PlaceNames& names : {PlaceNames{"Italy", "", "", ""}, PlaceNames{"Italy", "", "Rome", ""},
                                  PlaceNames{"Germany", "Hessen", "Frankfurt/Main", ""},
                                  PlaceNames{"Italy", "Toscana", "..", "Piazza\tGrande"}}) {
    const std::string text = place_text(names);
    EXPECT_EQ(place_names(text), names) << text;
    EXPECT_EQ(*parse_stated_place(text), text);
  }
}

TEST(PlaceText, WhatSomebodyWritesGetsOneSpelling) {
  EXPECT_EQ(*parse_stated_place(" Italy // Toscana /Arezzo/\n"), "Italy/Toscana/Arezzo");
  EXPECT_EQ(*parse_stated_place("Italy/.."), "Italy/．．");
  EXPECT_EQ(*parse_stated_place("Cafe\u0301"), "Caf\u00e9");
  EXPECT_EQ(*parse_stated_place(""), "");
  for (const std::string& bad :
       {std::string("/"), std::string(" \n"), std::string("a/b/c/d/e"), std::string(256, 'x')})
    EXPECT_EQ(parse_stated_place(bad).code(), Code::kInvalid) << bad;
}

TEST(PlaceText, APositionHasSixDecimals) {
  EXPECT_EQ(position_text({43.4674483333, 11.8851263888}), "43.467448, 11.885126");
  EXPECT_EQ(position_text({-0.0000001, -179.9999999}), "0.000000, -180.000000");
  EXPECT_EQ(*parse_stated_place("43.4674483,11.8851264"), "43.467448, 11.885126");
  EXPECT_EQ(*parse_stated_place("-34, 18.5"), "-34.000000, 18.500000");
  const auto position = parse_position("-34.000000, 18.500000");
  ASSERT_TRUE(position);
  EXPECT_EQ(position->latitude, -34);
  EXPECT_EQ(position->longitude, 18.5);
}

TEST(PlaceText, WhatLooksLikeAPositionAndIsNoneIsRefusedAndOtherTextIsAName) {
  EXPECT_EQ(parse_stated_place("91, 0").code(), Code::kInvalid);
  EXPECT_EQ(parse_stated_place("0, -180.5").code(), Code::kInvalid);
  EXPECT_FALSE(parse_position("91, 0"));
  for (const char* name : {"Rome, Italy", "nan, nan", "1e1, 5", "12,", "1, 2, 3", "0x1, 1"})
    EXPECT_EQ(*parse_stated_place(name), name);
}

TEST(PlaceText, XmpHasDegreesAndMinutes) {
  EXPECT_EQ(xmp_degrees(43.467448, 'N', 'S'), "43,28.046880N");
  EXPECT_EQ(xmp_degrees(-11.9999999, 'E', 'W'), "12,0.000000W");
  EXPECT_EQ(xmp_degrees(0, 'E', 'W'), "0,0.000000E");
}

}  // namespace
}  // namespace shoebox
