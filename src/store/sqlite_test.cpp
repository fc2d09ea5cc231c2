#include "store/sqlite.h"

#include <fstream>

#include <gtest/gtest.h>

#include "io/file.h"
#include "io/outcome.h"

namespace capstan {

class SqliteTest : public testing::Test {
 public:
  SqliteTest() { connection_.run_script("create table things (name text unique, number bigint)"); }

  std::int64_t count() {
    return connection_.query_one("select count(*) from things", {})->integer(0);
  }

 protected:
  Sqlite connection_{{}, Sqlite::Mode::read_write};
};

TEST_F(SqliteTest, brings_every_value_back_as_it_was) {
  const std::string texts[] = {"",
                               "plain",
                               std::string("a\0b\0", 4),
                               std::string("\0", 1),
                               "quote ' and \" and -- ; $1",
                               "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                               std::string(3'000'000, 'x')};
  for (const std::string& text : texts) {
    auto row = connection_.query_one("select cast($1 as text)", {text});
    ASSERT_TRUE(row);
    EXPECT_TRUE(row->text(0) == text) << text.size() << " bytes";
    EXPECT_TRUE(row->optional_text(0) == text);
  }
  for (std::int64_t number : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
    auto row = connection_.query_one("select $1", {number});
    EXPECT_EQ(row->integer(0), number);
    EXPECT_EQ(row->optional_integer(0), number);
  }
  auto row = connection_.query_one("select $1", {nullptr});
  EXPECT_EQ(row->optional_text(0), std::nullopt);
  EXPECT_EQ(row->optional_integer(0), std::nullopt);
}

TEST_F(SqliteTest, keeps_values_in_a_table_too) {
  std::string text("nul \0 inside", 12);
  connection_.execute("insert into things values ($1, $2)", {text, INT64_MAX});
  connection_.execute("insert into things values ($1, $2)", {"", nullptr});
  auto rows = connection_.query("select name, number from things order by number desc", {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].text(0), text);
  EXPECT_EQ(rows[0].integer(1), INT64_MAX);
  EXPECT_EQ(rows[1].text(0), "");
  EXPECT_EQ(rows[1].optional_integer(1), std::nullopt);
  EXPECT_EQ(connection_.query_one("select number from things where name = $1", {text})->integer(0),
            INT64_MAX);
}

TEST_F(SqliteTest, placeholders_mean_their_number_whatever_order_they_stand_in) {
  auto row = connection_.query_one(
      "select $3, $1, $2, $1, $10, $4, $5, $6, $7, $8, $9",
      {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"});
  std::string words;
  for (std::size_t column = 0; column < 11; ++column) {
    words += row->text(column) + " ";
  }
  EXPECT_EQ(words, "three one two one ten four five six seven eight nine ");
}

TEST_F(SqliteTest, a_statement_forgets_the_values_of_its_last_time) {
  for (std::int64_t number : {1, 2, 3}) {
    EXPECT_EQ(connection_.query_one("select $1 + 1", {number})->integer(0), number + 1);
  }
  EXPECT_EQ(connection_.query_one("select $1 + 1", {nullptr})->optional_integer(0), std::nullopt);
}

TEST_F(SqliteTest, maybe_is_the_value_or_null) {
  auto row = connection_.query_one(
      "select $1, $2, $3, $4",
      {maybe(std::optional<std::string>("")), maybe(std::optional<std::string>()),
       maybe(std::optional<std::int64_t>(0)), maybe(std::optional<std::int64_t>())});
  EXPECT_EQ(row->optional_text(0), "");
  EXPECT_EQ(row->optional_text(1), std::nullopt);
  EXPECT_EQ(row->optional_integer(2), 0);
  EXPECT_EQ(row->optional_integer(3), std::nullopt);
}

TEST_F(SqliteTest, a_flag_is_a_number) {
  auto row = connection_.query_one("select 0, 1", {});
  EXPECT_FALSE(row->flag(0));
  EXPECT_TRUE(row->flag(1));
}

TEST_F(SqliteTest, execute_tells_how_many_rows_it_changed) {
  EXPECT_EQ(connection_.execute("insert into things values ($1, 1), ($2, 1)", {"a", "b"}), 2);
  EXPECT_EQ(connection_.execute("update things set number = $1", {2}), 2);
  EXPECT_EQ(connection_.execute("update things set number = 3 where name = $1", {"c"}), 0);
  EXPECT_EQ(
      connection_.execute("insert into things values ($1, 1) on conflict (name) do nothing", {"a"}),
      0);
  EXPECT_EQ(connection_.execute("delete from things where name = $1", {"a"}), 1);
}

TEST_F(SqliteTest, a_broken_unique_constraint_is_a_conflict) {
  connection_.execute("insert into things values ($1, 1)", {"a"});
  auto outcome =
      outcome_of_call([&] { connection_.execute("insert into things values ($1, 2)", {"a"}); });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::conflict);
  EXPECT_EQ(outcome.error().message().find("things"), std::string::npos)
      << "a caller learns no table's name";
  EXPECT_EQ(connection_.execute("insert into things values ($1, 2)", {"b"}), 1)
      << "the same statement works again";
  EXPECT_EQ(count(), 2);
}

TEST_F(SqliteTest, other_failures_are_unavailable_and_tell_the_log_why) {
  for (const char* sql : {"select nothing from nowhere", "selec", "select * from things where"}) {
    auto outcome = outcome_of_call([&] { connection_.query(sql, {}); });
    ASSERT_FALSE(outcome.ok()) << sql;
    EXPECT_EQ(outcome.error().code(), ErrorCode::unavailable) << sql;
    EXPECT_FALSE(outcome.error().cause().empty()) << sql;
    EXPECT_EQ(outcome.error().message().find(sql), std::string::npos) << sql;
  }
}

TEST_F(SqliteTest, a_full_disk_is_told_as_such) {
  connection_.run_script("pragma max_page_count = 20");
  auto outcome = outcome_of_call([&] {
    connection_.execute("insert into things values ($1, 1)", {std::string(1'000'000, 'x')});
  });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::unavailable);
  EXPECT_EQ(outcome.error().message(), "the server's disk is full");
}

// How a file fails to open: what the operator reads, and why.
Error problem_of(const std::filesystem::path& path) {
  auto outcome = outcome_of_call([&] { Sqlite(path, Sqlite::Mode::read_write); });
  EXPECT_FALSE(outcome.ok()) << path;
  return outcome.ok() ? Error() : outcome.error();
}

TEST(SqliteFile, what_cannot_be_opened_is_named) {
  TemporaryFolder folder(std::filesystem::temp_directory_path(), "sqlite-test-");
  for (const auto& bad : {folder.path(), folder.path() / "missing" / "file"}) {
    Error problem = problem_of(bad);
    EXPECT_EQ(problem.code(), ErrorCode::invalid_argument);
    EXPECT_EQ(problem.message(), "can't use the database " + bad.string());
    EXPECT_EQ(problem.cause(), "unable to open database file");
  }
}

TEST(SqliteFile, what_is_no_database_or_damaged_is_named_with_its_mend) {
  TemporaryFolder folder(std::filesystem::temp_directory_path(), "sqlite-test-");
  std::filesystem::path foreign = folder.path() / "foreign";
  std::ofstream(foreign) << std::string(10'000, 'x');
  std::filesystem::path damaged = folder.path() / "damaged";
  Sqlite(damaged, Sqlite::Mode::read_write).run_script("create table things (name text)");
  // Behind the header, where the first page describes the tables.
  std::fstream(damaged).seekp(100) << std::string(3'000, 'x');
  for (const auto& [path, cause] : {std::pair(foreign, "file is not a database"),
                                    std::pair(damaged, "database disk image is malformed")}) {
    Error problem = problem_of(path);
    EXPECT_EQ(problem.code(), ErrorCode::invalid_argument);
    EXPECT_EQ(problem.message(), "can't use the database " + path.string() +
                                     "; restore a backup of it, or move it away to begin anew");
    EXPECT_EQ(problem.cause(), cause);
  }
}

TEST(SqliteFile, a_reader_writes_nothing) {
  TemporaryFolder folder(std::filesystem::temp_directory_path(), "sqlite-test-");
  Sqlite writer(folder.path() / "file", Sqlite::Mode::read_write);
  writer.run_script("create table things (name text)");
  Sqlite reader(folder.path() / "file", Sqlite::Mode::read_only);
  EXPECT_FALSE(
      outcome_of_call([&] { reader.execute("insert into things values ('a')", {}); }).ok());
  writer.execute("insert into things values ('a')", {});
  EXPECT_EQ(reader.query_one("select count(*) from things", {})->integer(0), 1);
}

TEST_F(SqliteTest, a_row_or_value_that_cannot_be_is_a_broken_invariant) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(connection_.query_one("select 1", {})->text(0), "text");
  EXPECT_DEATH(connection_.query_one("select 'a'", {})->integer(0), "integer");
  EXPECT_DEATH(connection_.query_one("select 1 union select 2", {}), "rows.size");
  EXPECT_DEATH(connection_.query("select $1, $2", {1}), "number");
  EXPECT_DEATH(connection_.query("select $1", {1, 2}), "index");
}

}  // namespace capstan
