// A transaction's reads against a std::map: random puts, erases, commits and drops.

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

using Model = std::map<std::string, std::string>;

// Few and alike, so that rows collide, and prefixes of each other.
std::string random_key(std::mt19937& random) {
  std::string key = "m~";  // beside the catalog's own rows
  const size_t length = random() % 4;
  for (size_t i = 0; i < length; ++i) key.push_back("a\xff\0b"[random() % 4]);
  return key;
}

std::vector<std::pair<std::string, std::string>> scan(const CatalogReader& reader, const std::string& prefix,
                                                      const std::string& from) {
  std::vector<std::pair<std::string, std::string>> rows;
  const Status status = reader.scan(prefix, from, [&](std::string_view key, std::string_view value) {
    rows.emplace_back(key, value);
    return true;
  });
  EXPECT_TRUE(status) << status.message();
  return rows;
}

std::vector<std::pair<std::string, std::string>> scan(const Model& model, const std::string& prefix,
                                                      const std::string& from) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (auto row = model.lower_bound(std::max(prefix, from));
       row != model.end() && row->first.starts_with(prefix); ++row) {
    rows.push_back(*row);
  }
  return rows;
}

class TransactionModel : public ::testing::TestWithParam<int> {};

TEST_P(TransactionModel, ReadsAreThoseOfAMap) {
  std::mt19937 random(GetParam());
  auto catalog = Catalog::open("model", Catalog::Options::scratch());
  ASSERT_TRUE(catalog) << catalog.status().message();
  Model committed;
  for (int round = 0; round < 60; ++round) {
    Model now = committed;
    const auto txn = (*catalog)->begin();
    for (int step = 0; step < 25; ++step) {
      const std::string key = random_key(random);
      switch (random() % 5) {
        case 0:
        case 1: {
          const std::string value = std::to_string(random());
          txn->put_raw(key, value);
          now[key] = value;
          break;
        }
        case 2:
          txn->put_raw(key, std::nullopt);
          now.erase(key);
          break;
        case 3: {
          const auto value = txn->get(key);
          ASSERT_TRUE(value);
          const auto expected = now.find(key);
          ASSERT_EQ(value->has_value(), expected != now.end());
          if (*value) {
            ASSERT_EQ(**value, expected->second);
          }
          break;
        }
        default: {
          const std::string prefix = random_key(random);
          ASSERT_EQ(scan(*txn, prefix, key), scan(now, prefix, key));
        }
      }
    }
    ASSERT_EQ(scan(*txn, "m~", "m~"), scan(now, "m~", "m~"));
    ASSERT_EQ(scan(**catalog, "m~", "m~"), scan(committed, "m~", "m~")) << "seen before the commit";
    if (random() % 4 != 0) {
      ASSERT_TRUE(txn->commit());
      committed = now;
    }
  }
  EXPECT_EQ(scan(**catalog, "m~", "m~"), scan(committed, "m~", "m~"));
}

INSTANTIATE_TEST_SUITE_P(Seeds, TransactionModel, ::testing::Range(1, 9));

TEST(Transaction, RowsErasedDuringAScanAreNotSeenAndRowsPutBehindItAre) {
  auto catalog = Catalog::open("scan", Catalog::Options::scratch());
  ASSERT_TRUE(catalog);
  {
    const auto txn = (*catalog)->begin();
    for (const char* key : {"m~1", "m~2", "m~3", "m~5"}) txn->put_raw(key, "x");
    ASSERT_TRUE(txn->commit());
  }
  const auto txn = (*catalog)->begin();
  std::vector<std::string> seen;
  ASSERT_TRUE(txn->scan("m~", "m~", [&](std::string_view key, std::string_view) {
    seen.emplace_back(key);
    if (key == "m~1") {
      txn->put_raw("m~1", "again");
      txn->put_raw("m~2", std::nullopt);
      txn->put_raw("m~4", "new");
      txn->put_raw("m~0", "too late");
    }
    return true;
  }));
  EXPECT_EQ(seen, (std::vector<std::string>{"m~1", "m~3", "m~4", "m~5"}));
}

}  // namespace
}  // namespace shoebox
