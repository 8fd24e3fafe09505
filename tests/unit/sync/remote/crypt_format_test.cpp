// The format, against what the real rclone (1.60.1) made of the same names and bytes:
//
//   rclone config create one crypt remote=/tmp/r1 password="$(rclone obscure 'correct horse battery staple')"
//   rclone config create two crypt remote=/tmp/r2 password=… password2="$(rclone obscure 'salt and pepper')"
//   rclone cryptdecode --reverse one: NAME
//   printf 'hello, shoebox\n' | rclone rcat one:hello.txt; xxd -p /tmp/r1/…
//   rclone copyto big one:big.bin; head -c 32 /tmp/r1/… | xxd -p; sha256sum /tmp/r1/…
#include <gtest/gtest.h>

#include "store/base/hash.h"
#include "sync/remote/crypt_blocks.h"
#include "sync/remote/crypt_names.h"

namespace shoebox {
namespace {

constexpr std::string_view kPassphrase = "correct horse battery staple";
constexpr std::string_view kSalt = "salt and pepper";

std::shared_ptr<const CryptKeys> keys(std::string_view salt = "") {
  auto made = CryptKeys::derive(kPassphrase, salt);
  EXPECT_TRUE(made) << made.status().message();
  return *made;
}

std::string unhex(std::string_view text) {
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return out;
}

// Seals as an upload does.
std::string sealed(const CryptKeys& with, const CryptNonce& nonce, std::string_view plain) {
  std::string out = crypt_header(nonce);
  for (size_t at = 0; at < plain.size(); at += kCryptPlainBlock) {
    crypt_seal(with, nonce, at / kCryptPlainBlock, plain.substr(at, kCryptPlainBlock), out);
  }
  return out;
}

struct NameVector {
  std::string plain;
  std::string without_salt;
  std::string with_salt;
};

const std::vector<NameVector>& names() {
  static const std::vector<NameVector> all = {
      {"a", "ec246hukqi06hebpl4i8l4e250", "m1ntthi8bfiaufpov882btmin8"},
      {"IMG_1.jpg", "bim8mf7vgij6grumpkh1mu8f1g", "95h85jr8ftrvbfo3brb2ejsguk"},
      {"0123456789abcde", "uduvevjfnjhboaki3fo42m0jgg", "92a1ub8q8879f9l8cvlloptlnc"},
      {"0123456789abcdef", "dja6ahrf0tbnflclagbgncihn0dgaebeg66dbps0mn2brqrgvh30",
       "6ptt2v9p16imue2i4c7mn2j2sj9cs6diifmigne8htv845m7bjrg"},
      {"Library/2023/07/M\xc3\xbcnchen \xe2\x98\x83.jpg",
       "q0s3u3cc3v7hqq94s74ls9hav8/pb6ae1dk5phhf70ij7b4fsnmrk/aaqv9amkmd50ovsha3vp2v15ug/"
       "8jstkesspvjqpsg42chijgui69ve9uue1smfpcm0j3lo02e05cf0",
       "1aor1jd9ks25gauvv94sco1ik8/d35gpq8es2krve9nlbnsmg8onk/tnnepmbpa7dq1n6nt7am57opis/"
       "v2u2d9fvpm5rh3jbkmud9mkgsrt9r7gclm7fdit4pjjsiu5f6j8g"},
      {std::string(143, 'x'),
       "dq60nv1u9lngj9g8cm7r1mm948me96nfhs4u27pljp8e663kpeqh0uf653gpqhohmrfd98fq0vlgmmmhtj0qdob06d6gkiclsfsjo"
       "ie"
       "2fi6ss9il2dvfp62h0f5ju16v06amrsam3860d7uhn6qomsv0k5llgjba9e0irnordhu81136qp92fdcvg7jicjhl5ugacfncqmi3"
       "0b"
       "5f3ei2rp4sva1a6tc5qea6m0o",
       "6uo7juro4qc4ncilclbojm8826i1a4gp9t65e08cqmce5bqudvfejn5avd8551rfbjdhhc97joeagnfn9donpvioli9493t5gvd3n"
       "no"
       "racvn7353p3phm17mlu9qoek1ipg1ds0t7rg1i9l1redf68tb335bel6v2bvafhi0dig6tlt54ame86rth9gvk5ukla310h81cbco"
       "lt"
       "lkv87uakqolcvo2onhs1idpj0"},
      {std::string(255, 'y'),
       "gudemdneoglrj6ianid6pr873vfn2rr6phpiokfjjcee8ecd14irqdi9i6u8u9enuc84j18hdbgbe0fhv59vvfv1ca9mbehd55g2i"
       "95"
       "ukl24gcscoms0g1e3qns6vm4obq78u9u61op3k4cv66i32g10nuquhk772v4bbuc5oj783084qjg88pocr00kin8pj37pgl9qnd2i"
       "6f"
       "gd6f6rvq5t0ffaaajg1vcnl67dm1jqf1mk9u7stb2tps49nji5ddvtgi2ief8u61dgu72kmdbn5nslbl7nhoid8g09dsd7q2rvq2o"
       "89"
       "2637emimlfcfj8rpflqg6fv5kmpr20dlmkst2297kvhcrqki19cq6nj1lv43dr00i15tqjg0hqb84msjrdjc3soetbpjuj7dlusm"
       "k",
       "v1o523pmqe1dt8vgtcqmam63alf0qc3sqt3t2l7ujfp434ahv80l32e9lbuj45jgo3j836hd7bchf4r19o6hek6vatse9j3i315k6"
       "9c"
       "aqtdkaaqe12hbqlph2s9rpmehrf16lm8cdndlatcqjqu20a88hdievks7pahkinmic84abpkvf0pj5depmj9edopauurm0f9dt475"
       "o9"
       "di5hegnnq75ohrbrcmt7ghqte40vglouk9cb6tc8r2l1kpulhq111g5kus3nmu5ivmie3n6s9tp83bihodfen2jfhk8pqbu62rd20"
       "me"
       "1hs1p2v73l0287bg2l0dhrf9dqki4cvansthg9ht5mrohsr416ff878n5um7btcpfhdvq24rbg71ioqkreluujrgctd3f09ubrau"
       "k"},
      // rclone leaves versions in the clear, and only what is a time counts as one.
      {"IMG-v2023-07-14-101112-123.jpg", "rvcj3gnpl9bru41gelpavasj68-v2023-07-14-101112-123",
       "u15rqcm3l1pcbillo9g1s7megk-v2023-07-14-101112-123"},
      {"IMG-v2023-13-14-101112-123.jpg", "nti4r80m2r3rmpt5947nvq8p3pnqkgsed71gi70u58bhd1i085mg",
       "7tlcht9oqn7j5fvueu45t5faecea1ljphq3uu6dig1t4chrv77fg"},
      {"v-v2023-07-14-101112-123", "484lomtjbo9l18t0738b9alk0g-v2023-07-14-101112-123",
       "s9k5drnbccjr576tu2bvqke1us-v2023-07-14-101112-123"},
      {".hidden", "0nkoc1ijmpcr9vlp57b39cao9k", "13p8cp3hhakhv6ig4tmckt546s"},
  };
  return all;
}

TEST(CryptFormat, NamesAreThoseThatRcloneWrites) {
  const CryptNames plain_salt(keys());
  const CryptNames own_salt(keys(kSalt));
  for (const NameVector& name : names()) {
    EXPECT_EQ(*plain_salt.encrypt(name.plain), name.without_salt);
    EXPECT_EQ(*own_salt.encrypt(name.plain), name.with_salt);
    auto back = plain_salt.decrypt(name.without_salt);
    ASSERT_TRUE(back) << name.plain;
    EXPECT_EQ(*back, name.plain);
  }
}

TEST(CryptFormat, NamesThatThisPassphraseDidNotMakeAreNone) {
  const CryptNames mine(keys());
  for (const std::string foreign :
       {"README.txt", "lost+found", "ec246hukqi06hebpl4i8l4e25", "ec246hukqi06hebpl4i8l4e251",
        "m1ntthi8bfiaufpov882btmin8", "ec246hukqi06hebpl4i8l4e250/a.jpg"}) {
    EXPECT_EQ(mine.decrypt(foreign).code(), Code::kInvalid) << foreign;
  }
  EXPECT_EQ(*mine.decrypt("EC246HUKQI06HEBPL4I8L4E250"), "a") << "some file systems fold the case";
}

TEST(CryptFormat, ANameIsTooLongOnlyForTheCipherItself) {
  const CryptNames mine(keys());
  const std::string longest(2047, 'z');
  auto name = mine.encrypt(longest);
  ASSERT_TRUE(name);
  EXPECT_EQ(*mine.decrypt(*name), longest);
  EXPECT_EQ(mine.encrypt(longest + "z").code(), Code::kNameTooLong);
}

TEST(CryptFormat, FoldersAreEncryptedAsTheKeysBelowThem) {
  const CryptNames mine(keys());
  const std::string folders = *mine.encrypt_folders("Library/2023/");
  EXPECT_TRUE(mine.encrypt("Library/2023/a.jpg")->starts_with(folders));
  EXPECT_TRUE(folders.ends_with('/'));
  EXPECT_EQ(*mine.encrypt_folders(""), "");
}

TEST(CryptFormat, FilesThatRcloneWroteOpen) {
  const struct {
    std::string salt;
    std::string hex;
  } files[] = {
      {"",
       "52434c4f4e4500002a4326d89273a4cf4ca60c2dadde814809b3e10e3f127da405ef551803cd733b7c1b3d8ef5327ee6a817f"
       "7a65"
       "a0795bc4d40431cf96018"},
      {std::string(kSalt),
       "52434c4f4e45000026463533e2c20b2db56164c60ae6446934f17c9c0910d81734f164613e29372789b4e857a18d05b461974"
       "dd9a"
       "ba8481e36bf570ff9f1b6"},
  };
  for (const auto& file : files) {
    const auto with = keys(file.salt);
    const std::string bytes = unhex(file.hex);
    ASSERT_EQ(bytes.size(), 63u);
    const auto nonce = parse_crypt_header(std::string_view(bytes).substr(0, 32));
    ASSERT_TRUE(nonce);
    EXPECT_EQ(crypt_open(*with, *nonce, 0, std::string_view(bytes).substr(32)), "hello, shoebox\n");
    EXPECT_TRUE(sealed(*with, *nonce, "hello, shoebox\n") == bytes);
    EXPECT_FALSE(crypt_open(*keys("other"), *nonce, 0, std::string_view(bytes).substr(32)));
  }
}

TEST(CryptFormat, BytesAreThoseThatRcloneWrites) {
  std::string plain(200'000, '\0');
  for (uint32_t i = 0; i < plain.size(); ++i) {
    plain[i] = static_cast<char>((i * 7 + (i >> 8) * 13 + (i >> 16) * 101) & 255);
  }
  const auto nonce = CryptNonce::from_hex("60cff2a04656ddfc1426781228acdd8009a9b4c85abd595e");
  ASSERT_TRUE(nonce);
  const std::string bytes = sealed(*keys(), *nonce, plain);
  EXPECT_EQ(bytes.size(), 200'096u);
  EXPECT_EQ(sha256(bytes).hex(), "b8e9e8e6c6acacd0d51253969d47a7fdda409e2d758db9559aba60a3d0d85b35");
}

TEST(CryptFormat, SizesGoBothWays) {
  EXPECT_EQ(crypt_sealed_size(0), 32u);
  EXPECT_EQ(crypt_sealed_size(1), 49u);
  EXPECT_EQ(crypt_sealed_size(65536), 32u + 16 + 65536);
  EXPECT_EQ(crypt_sealed_size(65537), 32u + 16 + 65536 + 16 + 1);
  for (const uint64_t size : {0ULL, 1ULL, 15ULL, 65535ULL, 65536ULL, 65537ULL, 5'000'000'000ULL}) {
    EXPECT_EQ(crypt_plain_size(crypt_sealed_size(size)), size);
  }
  for (const uint64_t none : {0ULL, 31ULL, 33ULL, 48ULL, 32ULL + 65552 + 1, 32ULL + 65552 + 16}) {
    EXPECT_EQ(crypt_plain_size(none), std::nullopt) << none;
  }
}

TEST(CryptFormat, TheNonceOfABlockIsCarriedLittleEndian) {
  const auto nonce = CryptNonce::from_hex("ffffffffffffffffff0000000000000000000000000000ab");
  ASSERT_TRUE(nonce);
  EXPECT_EQ(nonce->of_block(0).hex(), nonce->hex());
  EXPECT_EQ(nonce->of_block(1).hex(),
            "00000000000000000001000000000000000000000000"
            "00ab");
  EXPECT_EQ(nonce->of_block(0x10203).hex(),
            "02020100000000000001000000000000000000000000"
            "00ab");
  EXPECT_EQ(CryptNonce::from_hex(std::string(48, 'f'))->of_block(1).hex(), std::string(48, '0'));
  EXPECT_EQ(CryptNonce::from_hex("00"), std::nullopt);
  EXPECT_EQ(CryptNonce::from_hex(std::string(48, 'g')), std::nullopt);
}

TEST(CryptFormat, AnEmptyPassphraseIsNone) {
  EXPECT_EQ(CryptKeys::derive("", "").code(), Code::kUnauthorized);
}

TEST(CryptFormat, ASecretIsWipedWhereItCameFrom) {
  std::string typed = "hunter2 and more than fits into the object itself";
  const char* memory = typed.data();
  SecretText secret(std::move(typed));
  EXPECT_EQ(secret.view().substr(0, 7), "hunter2");
  EXPECT_TRUE(typed.empty());  // NOLINT(bugprone-use-after-move): that it is wiped is what is tested
  EXPECT_EQ(std::string_view(memory, 7), std::string_view("\0\0\0\0\0\0\0", 7));
}

}  // namespace
}  // namespace shoebox
