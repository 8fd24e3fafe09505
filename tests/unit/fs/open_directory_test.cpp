#include "fs/open_directory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace shoebox {
namespace {

OpenDirectory::Rows rows_named(int first, int last) {
  OpenDirectory::Rows rows;
  for (int i = first; i < last; ++i)
    rows.push_back({0, InodeNo(1000U + i), 0100000, fmt::format("IMG_{:05}.jpg", i)});
  OpenDirectory::number_and_sort(rows);
  return rows;
}

// Reads on from `offset`, at most `count` names, as one call of readdir(2) would.
std::vector<const DirectoryRow*> read_some(const OpenDirectory::Rows& rows, int64_t offset, size_t count) {
  std::vector<const DirectoryRow*> read;
  for (size_t i = OpenDirectory::position_after(rows, offset); i < rows.size() && read.size() < count; ++i) {
    read.push_back(&rows[i]);
  }
  return read;
}

TEST(OpenDirectory, AHundredThousandNamesAreEachListedOnce) {
  const OpenDirectory::Rows rows = rows_named(0, 100'000);
  std::set<std::string> names;
  int64_t offset = kDotDotOffset;
  for (;;) {
    const auto read = read_some(rows, offset, 113);
    if (read.empty()) break;
    for (const DirectoryRow* row : read) {
      EXPECT_GT(row->offset, offset);
      offset = row->offset;
      EXPECT_TRUE(names.insert(row->name).second);
    }
  }
  EXPECT_EQ(names.size(), 100'000U);
}

TEST(OpenDirectory, WhatStaysIsListedOnceWhileOtherNamesComeAndGo) {
  // The kernel may go on with another handle's list at any offset.
  std::set<std::string> names;
  int64_t offset = 0;
  for (int step = 0;; ++step) {
    const OpenDirectory::Rows rows = rows_named(step * 3, 5000 + step * 7);
    const auto read = read_some(rows, offset, 100);
    if (read.empty()) break;
    for (const DirectoryRow* row : read) EXPECT_TRUE(names.insert(row->name).second) << row->name;
    offset = read.back()->offset;
  }
  for (int i = 1000; i < 5000; ++i) EXPECT_TRUE(names.count(fmt::format("IMG_{:05}.jpg", i))) << i;
}

TEST(OpenDirectory, AnOffsetLeadsBackToTheSamePlace) {
  const OpenDirectory::Rows rows = rows_named(0, 1000);
  for (size_t i = 0; i + 1 < rows.size(); ++i) {
    EXPECT_EQ(OpenDirectory::position_after(rows, rows[i].offset), i + 1);
  }
  EXPECT_EQ(OpenDirectory::position_after(rows, 0), 0U);
  EXPECT_EQ(OpenDirectory::position_after(rows, rows.back().offset), rows.size());
}

TEST(OpenDirectory, OffsetsFitASignedOffsetAndLeaveRoomForTheDots) {
  for (const DirectoryRow& row : rows_named(0, 10'000)) EXPECT_GE(row.offset, kFirstNameOffset);
}

}  // namespace
}  // namespace shoebox
