// Dates as a pure function: places, folders that are dates, what they state.

#include "fs/views/dates.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

PhotoRecord photo_of(std::optional<LocalDate> date) {
  PhotoRecord photo;
  photo.info.kind = MediaKind::kPhoto;
  photo.date = date;
  return photo;
}

constexpr LocalDate kJuly{.year = 2023, .month = 7, .day = 14, .hour = 10, .minute = 11, .second = 12};

using Places = std::vector<ViewPath>;

TEST(Dates, PlacesFollowTheLayout) {
  EXPECT_EQ(DatesView("%Y/%m").places(photo_of(kJuly)), (Places{{"2023", "07"}}));
  EXPECT_EQ(DatesView("%Y").places(photo_of(kJuly)), (Places{{"2023"}}));
  EXPECT_EQ(DatesView("%Y/%Y-%m-%d").places(photo_of(kJuly)), (Places{{"2023", "2023-07-14"}}));
  EXPECT_EQ(DatesView("%Y-%m").places(photo_of(kJuly)), (Places{{"2023-07"}}));
  EXPECT_EQ(DatesView("no date").places(photo_of(kJuly)), (Places{{"2023", "07"}}));
  EXPECT_EQ(DatesView("%Y/%m").places(photo_of(std::nullopt)), (Places{{"Unknown"}}));
  EXPECT_EQ(DatesView("%Y/%m").places(photo_of(LocalDate{.year = 2023})), (Places{{"2023"}}));
  EXPECT_EQ(DatesView("%Y-%m").places(photo_of(LocalDate{.year = 2023})), (Places{{"Unknown"}}));
  EXPECT_EQ(DatesView("%Y/%m").places(photo_of(LocalDate{.year = 1601, .month = 1, .day = 1})),
            (Places{{"1601", "01"}}));
}

TEST(Dates, LayoutsThatAreNoLayoutsAreRefused) {
  for (const char* bad : {"", "%Y/", "/%Y", "%m/%Y", "%Y/%H", "%", "%Y/x", "photos/%Y"}) {
    EXPECT_FALSE(DatesLayout::parse(bad).is_ok()) << bad;
  }
}

TEST(Dates, APhotoThatIsNotDecodedShowsOnlyWhereItWasPut) {
  const DatesView view("%Y/%m");
  PhotoRecord photo;
  EXPECT_TRUE(view.places(photo).empty());
  view.state_added(photo, {"2023", "07"});
  EXPECT_EQ(view.places(photo), (Places{{"2023", "07"}}));
}

TEST(Dates, OnlyRealDatesAreFolders) {
  const DatesView view("%Y/%m/%d");
  for (const ViewPath& good : {ViewPath{"2023"}, ViewPath{"2023", "07"}, ViewPath{"2024", "02", "29"},
                               ViewPath{"1601"}, ViewPath{"Unknown"}}) {
    EXPECT_TRUE(view.may_mkdir(good).is_ok());
  }
  for (const ViewPath& bad :
       {ViewPath{}, ViewPath{"23"}, ViewPath{"0000"}, ViewPath{"2023", "13"}, ViewPath{"2023", "7"},
        ViewPath{"2023", "02", "29"}, ViewPath{"Summer"}, ViewPath{"2023", "07", "14", "10"},
        ViewPath{"Unknown", "07"}, ViewPath{"+123"}}) {
    EXPECT_EQ(view.may_mkdir(bad).code(), Code::kNotPermitted);
  }
}

TEST(Dates, OnlyAFolderThatDiffersStatesADate) {
  const DatesView view("%Y/%m");
  const auto put = [&](const ViewPath& path, std::optional<LocalDate> own) {
    PhotoRecord photo = photo_of(own);
    view.state_added(photo, path);
    view.settle(photo);
    return photo;
  };
  EXPECT_FALSE(put({"2023", "07"}, kJuly).stated_date);
  EXPECT_FALSE(put({"2023"}, kJuly).stated_date);
  EXPECT_FALSE(put({"Unknown"}, std::nullopt).stated_date);
  EXPECT_EQ(put({"2019", "01"}, kJuly).stated_date, (LocalDate{.year = 2019, .month = 1}));
  EXPECT_EQ(view.places(put({"Unknown"}, kJuly)), (Places{{"Unknown"}}));
  EXPECT_EQ(view.places(put({"2019"}, kJuly)), (Places{{"2019"}}));
}

TEST(Dates, ADayOrTimeThatWasStatedIsNotDroppedBecauseItsFolderIsThePhotosOwn) {
  const DatesView view("%Y/%m");
  const auto stated = [&](const LocalDate& date, const std::optional<LocalDate>& own) {
    PhotoRecord photo = photo_of(own);
    photo.stated_date = date;
    view.settle(photo);
    return photo.stated_date;
  };
  const LocalDate other_day{.year = kJuly.year, .month = kJuly.month, .day = 20};
  EXPECT_EQ(stated(other_day, kJuly), other_day);
  LocalDate other_time = kJuly;
  other_time.hour = 3;
  EXPECT_EQ(stated(other_time, kJuly), other_time);
  EXPECT_EQ(stated(kJuly, LocalDate{.year = kJuly.year, .month = kJuly.month}), kJuly) << "it says more";
  EXPECT_EQ(stated(kJuly, kJuly), std::nullopt);
  EXPECT_EQ(stated(kJuly, std::nullopt), kJuly);

  PhotoRecord photo = photo_of(kJuly);
  photo.stated_date = other_day;
  view.state_added(photo, {"2023", "07"});  // a new name in that folder
  EXPECT_EQ(photo.stated_date, other_day);
  view.state_added(photo, {"2019", "01"});
  EXPECT_EQ(photo.stated_date, (LocalDate{.year = 2019, .month = 1}));
}

}  // namespace
}  // namespace shoebox
