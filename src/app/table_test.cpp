#include "app/table.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

TEST(Table, aligns_its_columns_by_characters) {
  EXPECT_EQ(to_table({{"NAME", "ID"}, {"Bücher", "1"}, {"a", "22"}}),
            "NAME    ID\n"
            "Bücher  1\n"
            "a       22\n");
}

TEST(Table, takes_rows_of_different_length) {
  EXPECT_EQ(to_table({{"a", "", ""}, {"bb"}, {}, {"c", "d", "e"}}), "a\nbb\n\nc   d  e\n");
  EXPECT_EQ(to_table({}), "");
}

TEST(Table, keeps_a_row_in_its_line) {
  EXPECT_EQ(to_table({{"a\nb", "\x1b[31mred"}}), "a b   [31mred\n");
}

}  // namespace
}  // namespace capstan
