#include "store/policy_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shoebox {
namespace {

using ::testing::HasSubstr;

TEST(PolicySettings, HoursMayRunOverMidnight) {
  const Result<HourWindow> night = parse_hours("22:00-07:00");
  ASSERT_TRUE(night) << night.status().message();
  EXPECT_TRUE(night->contains(22 * 60));
  EXPECT_TRUE(night->contains(0));
  EXPECT_TRUE(night->contains(7 * 60 - 1));
  EXPECT_FALSE(night->contains(7 * 60));
  EXPECT_FALSE(night->contains(21 * 60 + 59));
  EXPECT_EQ(hours_text(*night), "22:00-07:00");
}

TEST(PolicySettings, HoursWithinADay) {
  const Result<HourWindow> day = parse_hours("9:30-24:00");
  ASSERT_TRUE(day) << day.status().message();
  EXPECT_FALSE(day->contains(9 * 60 + 29));
  EXPECT_TRUE(day->contains(9 * 60 + 30));
  EXPECT_TRUE(day->contains(23 * 60 + 59));
  EXPECT_FALSE(day->contains(0));
}

TEST(PolicySettings, WhatIsNoSpanOfADayIsRefused) {
  for (const char* bad : {"", "22:00", "22-07", "24:00-07:00", "22:60-07:00", "7:00-7:00", "22:00-25:00",
                          "-7:00-8:00", "2:0-3:00", "a:00-b:00", "22:00-07:00 "}) {
    const Result<HourWindow> window = parse_hours(bad);
    ASSERT_FALSE(window) << bad;
    EXPECT_THAT(window.status().message(), HasSubstr("22:00-07:00"));
  }
}

TEST(PolicySettings, BandwidthIsBytesASecond) {
  const Result<uint64_t> limit = parse_bandwidth("2 MiB/s");
  ASSERT_TRUE(limit) << limit.status().message();
  EXPECT_EQ(*limit, 2U << 20);
  for (const char* bad : {"2 MiB", "2 MiB/h", "20%/s", "0 MB/s", "/s", "12 B/s"})
    EXPECT_FALSE(parse_bandwidth(bad)) << bad;
  EXPECT_EQ(bandwidth_text(2U << 20), "2 MiB/s");
  EXPECT_EQ(bandwidth_text(1500), "1500 B/s");
}

TEST(PolicySettings, BandwidthMayDependOnTheHour) {
  BandwidthPlan plan;
  for (const char* text : {"8:00-18:00 1 MiB/s", "18:00-23:00 4 MiB/s", "20:00-02:00 3 MiB/s"})
    ASSERT_TRUE(add_to_plan(text, plan)) << text;
  EXPECT_EQ(plan.at(8 * 60), 1U << 20);
  EXPECT_EQ(plan.at(18 * 60), 4U << 20);
  EXPECT_EQ(plan.at(21 * 60), 4U << 20) << "the first that holds it";
  EXPECT_EQ(plan.at(60), 3U << 20);
  EXPECT_EQ(plan.at(2 * 60), 0U) << "no limit in the rest of the day";
  EXPECT_EQ(plan.slowest_bytes_s(), 1U << 20);
  ASSERT_TRUE(add_to_plan("512 KiB/s", plan));
  EXPECT_EQ(plan.at(2 * 60), 512U << 10);
  EXPECT_EQ(plan.slowest_bytes_s(), 512U << 10);
  BandwidthPlan again;
  for (const std::string& text : plan_texts(plan)) ASSERT_TRUE(add_to_plan(text, again)) << text;
  EXPECT_EQ(again, plan);
  EXPECT_THAT(add_to_plan("1 MiB/s", plan).message(), HasSubstr("told twice"));
  EXPECT_THAT(add_to_plan("08:00-18:00", plan).message(), HasSubstr("\"08:00-18:00 2 MiB/s\""));
  EXPECT_THAT(add_to_plan("08:00-18 2 MiB/s", plan).message(), HasSubstr("no span of a day"));
  EXPECT_THAT(add_to_plan("08:00-18:00 2 MiB", plan).message(), HasSubstr("is no bandwidth"));
}

}  // namespace
}  // namespace shoebox
