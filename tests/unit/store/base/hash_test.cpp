#include "store/base/hash.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

TEST(Hash, Sha256OfKnownText) {
  EXPECT_EQ(sha256("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hash, PiecesAndWholeAgree) {
  Sha256 running;
  running.update("ab", 2);
  running.update("c", 1);
  EXPECT_EQ(running.finish(), sha256("abc"));
  running.update("abc", 3);
  EXPECT_EQ(running.finish(), sha256("abc")) << "starts anew after finish";
}

TEST(Hash, BlocksAreHashedWhereverThePiecesEnd) {
  const std::string bytes(2 * kBlockBytes + 17, 'x');
  BlockHasher hasher;
  for (size_t at = 0; at < bytes.size(); at += 99'991) {
    hasher.update(bytes.data() + at, std::min<size_t>(99'991, bytes.size() - at));
  }
  const ContentHashes hashes = hasher.finish();
  EXPECT_EQ(hashes.size, bytes.size());
  EXPECT_EQ(hashes.whole, sha256(bytes));
  ASSERT_EQ(hashes.blocks.size(), 3U);
  EXPECT_EQ(hashes.blocks[0], sha256(std::string(kBlockBytes, 'x')));
  EXPECT_EQ(hashes.blocks[2], sha256(std::string(17, 'x')));
}

TEST(Hash, NothingHasNoBlocks) {
  BlockHasher hasher;
  EXPECT_TRUE(hasher.finish().blocks.empty());
}

TEST(Hash, OnlySixtyFourHexDigitsAreAHash) {
  const std::string text = sha256("x").hex();
  ASSERT_TRUE(parse_hash(text));
  EXPECT_EQ(*parse_hash(text), sha256("x"));
  EXPECT_FALSE(parse_hash(text.substr(1)));
  EXPECT_FALSE(parse_hash(text + "0"));
  EXPECT_FALSE(parse_hash("g" + text.substr(1)));
}

}  // namespace
}  // namespace shoebox
