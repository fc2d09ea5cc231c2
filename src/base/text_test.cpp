#include "base/text.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace capstan {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view replacement = "\xef\xbf\xbd";

std::string random_bytes(Random& random, std::size_t count) {
  std::string bytes(count, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

struct Utf8Case {
  std::string_view bytes;
  bool is_valid;
  std::string_view what;
};

// The edges of Unicode's table of well-formed byte sequences, from both sides.
constexpr Utf8Case utf8_cases[] = {
    {""sv, true, "nothing"},
    {"\x00"sv, true, "U+0000"},
    {"\x7f"sv, true, "U+007F"},
    {"\xc2\x80"sv, true, "U+0080"},
    {"\xdf\xbf"sv, true, "U+07FF"},
    {"\xe0\xa0\x80"sv, true, "U+0800"},
    {"\xec\xbf\xbf"sv, true, "U+CFFF"},
    {"\xed\x9f\xbf"sv, true, "U+D7FF"},
    {"\xee\x80\x80"sv, true, "U+E000"},
    {"\xef\xbb\xbf"sv, true, "U+FEFF"},
    {"\xef\xbf\xbf"sv, true, "U+FFFF"},
    {"\xf0\x90\x80\x80"sv, true, "U+10000"},
    {"\xf3\xbf\xbf\xbf"sv, true, "U+FFFFF"},
    {"\xf4\x8f\xbf\xbf"sv, true, "U+10FFFF"},
    {"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"sv, true, "one of each length"},

    {"\x80"sv, false, "a continuation alone"},
    {"\xbf"sv, false, "the last continuation alone"},
    {"\xc0\x80"sv, false, "an overlong U+0000"},
    {"\xc1\xbf"sv, false, "an overlong U+007F"},
    {"\xe0\x80\x80"sv, false, "an overlong U+0000 in three bytes"},
    {"\xe0\x9f\xbf"sv, false, "an overlong U+07FF"},
    {"\xf0\x80\x80\x80"sv, false, "an overlong U+0000 in four bytes"},
    {"\xf0\x8f\xbf\xbf"sv, false, "an overlong U+FFFF"},
    {"\xed\xa0\x80"sv, false, "the first surrogate"},
    {"\xed\xbf\xbf"sv, false, "the last surrogate"},
    {"\xed\xa0\xbd\xed\xb8\x80"sv, false, "a pair of surrogates"},
    {"\xf4\x90\x80\x80"sv, false, "U+110000"},
    {"\xf5\x80\x80\x80"sv, false, "U+140000"},
    {"\xf8\x88\x80\x80\x80"sv, false, "five bytes"},
    {"\xfc\x84\x80\x80\x80\x80"sv, false, "six bytes"},
    {"\xfe"sv, false, "FE"},
    {"\xff"sv, false, "FF"},
    {"\xc2"sv, false, "one of two"},
    {"\xe2\x82"sv, false, "two of three"},
    {"\xf0\x9f\x98"sv, false, "three of four"},
    {"\xc2\x41"sv, false, "a letter for a continuation"},
    {"\xc2\xc2\x80"sv, false, "a beginning for a continuation"},
    {"\xe2\x28\xa1"sv, false, "a letter for the second of three"},
    {"\xe2\x82\x28"sv, false, "a letter for the third of three"},
    {"\xf0\x28\x8c\xbc"sv, false, "a letter for the second of four"},
    {"\xf0\x90\x28\xbc"sv, false, "a letter for the third of four"},
    {"\xf0\x90\x8c\x28"sv, false, "a letter for the fourth of four"},
};

}  // namespace

TEST(Hex, writes_two_lower_case_digits_per_byte) {
  constexpr std::byte bytes[] = {std::byte{0}, std::byte{0x0f}, std::byte{0xa9}, std::byte{0xff}};
  EXPECT_EQ(to_hex(bytes), "000fa9ff");
  EXPECT_EQ(to_hex({}), "");
}

TEST(Base64, knows_the_vectors_of_rfc_4648) {
  constexpr std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xff\xfe", "+//+"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
}

TEST(Base64, brings_any_bytes_back) {
  constexpr std::uint64_t seed = 64;
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes = random_bytes(random, size);
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes) << size << " bytes";
  }
}

TEST(Base64, refuses_everything_else) {
  for (std::string_view text :
       {"Z"sv,        "Zg"sv,         "Zg="sv,        "Zm9"sv,   "Zg==="sv,    "===="sv,
        "="sv,        "Z==="sv,       "Zg==Zg=="sv,   "Zm=v"sv,  "=m9v"sv,     "Zm9v\n"sv,
        "Zm9v\r\n"sv, "Zm9v\nZm9v"sv, "Zm9vZg==\n"sv, " Zm9v"sv, "Zm9v    "sv, "    "sv,
        "Zm 9"sv,     "Zm9-"sv,       "Zm9_"sv,       "Zm9\0"sv, "Zm9\x80"sv,  "Zm9."sv}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << testing::PrintToString(text);
  }
}

TEST(Utf8, knows_the_edges_of_the_well_formed_sequences) {
  for (const Utf8Case& each : utf8_cases) {
    EXPECT_EQ(is_utf8(each.bytes), each.is_valid) << each.what;
    EXPECT_EQ(is_utf8("a" + std::string(each.bytes) + "z"), each.is_valid) << each.what;
  }
}

TEST(Utf8, agrees_with_arithmetic_about_every_code_point) {
  for (std::uint32_t point = 0; point < 0x120000; point += point < 0x11000 ? 1 : 61) {
    auto continuation = [&](unsigned shift) {
      return static_cast<char>(0x80U | ((point >> shift) & 0x3fU));
    };
    std::string text;
    if (point < 0x80) {
      text = {static_cast<char>(point)};
    } else if (point < 0x800) {
      text = {static_cast<char>(0xc0U | (point >> 6U)), continuation(0)};
    } else if (point < 0x10000) {
      text = {static_cast<char>(0xe0U | (point >> 12U)), continuation(6), continuation(0)};
    } else {
      text = {static_cast<char>(0xf0U | (point >> 18U)), continuation(12), continuation(6),
              continuation(0)};
    }
    bool is_character = (point < 0xd800 || point > 0xdfff) && point <= 0x10ffff;
    ASSERT_EQ(is_utf8(text), is_character) << std::hex << point;
  }
}

TEST(ToValidUtf8, keeps_what_is_valid_and_replaces_each_other_byte) {
  for (const Utf8Case& each : utf8_cases) {
    std::string valid = to_valid_utf8(each.bytes);
    EXPECT_TRUE(is_utf8(valid)) << each.what;
    EXPECT_EQ(valid == each.bytes, each.is_valid) << each.what;
  }
  EXPECT_EQ(to_valid_utf8("a\xff\xc3\xa4\x80z"),
            "a" + std::string(replacement) + "\xc3\xa4" + std::string(replacement) + "z");
  // A broken sequence doesn't swallow what follows it.
  EXPECT_EQ(to_valid_utf8("\xe2\x82(\xf0\x9f"),
            std::string(replacement) + std::string(replacement) + "(" + std::string(replacement) +
                std::string(replacement));
}

TEST(ToValidUtf8, makes_any_bytes_valid) {
  constexpr std::uint64_t seed = 8;
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (std::size_t size = 0; size < 300; ++size) {
    EXPECT_TRUE(is_utf8(to_valid_utf8(random_bytes(random, size)))) << size << " bytes";
  }
}

TEST(ClipUtf8, keeps_as_much_as_fits_without_cutting_a_character) {
  constexpr std::string_view text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
  constexpr std::size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t bytes_max = 0; bytes_max < std::size(kept); ++bytes_max) {
    EXPECT_EQ(clip_utf8(text, bytes_max), text.substr(0, kept[bytes_max])) << bytes_max;
  }
  EXPECT_EQ(clip_utf8("", 0), "");
}

TEST(ClipUtf8, does_not_go_back_further_than_one_character_in_what_is_not_utf8) {
  std::string text(100, '\x80');
  EXPECT_GE(clip_utf8(text, 50).size(), 47U);
  EXPECT_LE(clip_utf8(text, 50).size(), 50U);
}

TEST(Trim, takes_spaces_and_tabs_from_both_ends_alone) {
  EXPECT_EQ(trim(" \t a \t b\t "), "a \t b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim("\r\na\n"), "\r\na\n") << "line ends are no blanks";
}

TEST(EqualIgnoringCase, knows_the_case_of_ascii_letters_alone) {
  EXPECT_TRUE(equal_ignoring_case("", ""));
  EXPECT_TRUE(equal_ignoring_case("Anchor-API-Key", "aNCHOR-api-kEY"));
  EXPECT_TRUE(equal_ignoring_case("AZ09", "az09"));
  EXPECT_FALSE(equal_ignoring_case("anchor-api-key", "anchor-api-ke"));
  EXPECT_FALSE(equal_ignoring_case("anchor-api-ke", "anchor-api-key"));
  EXPECT_FALSE(equal_ignoring_case("@[", "`{")) << "the neighbours of the letters";
  EXPECT_FALSE(equal_ignoring_case("\xc3\x84", "\xc3\xa4")) << "an umlaut";
}

TEST(ToLower, changes_ascii_letters_alone) {
  EXPECT_EQ(to_lower("AZaz09@[`{"), "azaz09@[`{");
  EXPECT_EQ(to_lower("\xc3\x84"), "\xc3\x84") << "an umlaut";
}

TEST(DecodePercent, decodes_escapes_and_leaves_the_rest_alone) {
  EXPECT_EQ(decode_percent(""), "");
  EXPECT_EQ(decode_percent("a+b%20c%2Fd%2fe"), "a+b c/d/e");
  EXPECT_EQ(decode_percent("%C3%A4%25"), "\xc3\xa4%");
  EXPECT_EQ(decode_percent("%2541"), "%41") << "once only";
  EXPECT_EQ(decode_percent("%01"), "\x01");
}

TEST(DecodePercent, refuses_broken_escapes_and_nul) {
  for (std::string_view text :
       {"%", "a%", "%4", "%4g", "%g4", "%%41", "% 41", "%-1", "%+1", "%00", "a%00b", "%u0041"}) {
    EXPECT_EQ(decode_percent(text), std::nullopt) << text;
  }
}

}  // namespace capstan
