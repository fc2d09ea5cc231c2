#include "display/x11_keys.h"

#include <gtest/gtest.h>

namespace capstan::x11 {

TEST(X11KeysTest, keys_that_write_nothing_are_known_by_their_place) {
  EXPECT_EQ(key_at("Enter"), 36);
  EXPECT_EQ(key_at("ArrowLeft"), 113);
  EXPECT_EQ(key_at("ShiftLeft"), shift_key);
  EXPECT_FALSE(key_at("KeyA"));  // what it writes depends on the layout
  EXPECT_FALSE(key_at(""));
}

TEST(X11KeysTest, every_character_of_ascii_that_is_printed_has_a_key) {
  for (char32_t character = U' '; character <= U'~'; ++character) {
    EXPECT_TRUE(key_writing(character)) << static_cast<char>(character);
  }
  EXPECT_EQ(key_writing(U'a')->keycode, 38);
  EXPECT_FALSE(key_writing(U'a')->shift);
  EXPECT_EQ(key_writing(U'A')->keycode, 38);
  EXPECT_TRUE(key_writing(U'A')->shift);
  EXPECT_EQ(key_writing(U'`')->keycode, 49);
  EXPECT_EQ(key_writing(U'/')->keycode, 61);
  EXPECT_EQ(key_writing(U'?')->keycode, 61);
  EXPECT_FALSE(key_writing(U'\n'));
  EXPECT_FALSE(key_writing(U'ä'));
}

TEST(X11KeysTest, symbols_are_those_of_latin_or_of_unicode) {
  EXPECT_EQ(symbol_of(U'a'), 0x61U);
  EXPECT_EQ(symbol_of(U'ä'), 0xe4U);
  EXPECT_EQ(symbol_of(U'€'), 0x010020acU);
  EXPECT_EQ(symbol_of(U'字'), 0x01005b57U);
}

}  // namespace capstan::x11
