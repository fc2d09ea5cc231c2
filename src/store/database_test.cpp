#include "store/database.h"

#include <latch>
#include <thread>

#include "io/file.h"
#include "io/loop_test.h"
#include "io/scope.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;

// A table of the tests' own, beside the schema.
Async<> make_table(Database* database) {
  co_await database->write([](Transaction& tx) {
    tx.execute("create table things (name text unique, number bigint)", {});
  });
}

Async<> add(Database* database, std::string name) {
  co_await database->write([name](Transaction& tx) {
    tx.execute("insert into things (name, number) values ($1, 0)", {name});
  });
}

Async<> add_then_fail(Database* database, std::string name, int* failures) {
  auto outcome = co_await outcome_of(database->write([name](Transaction& tx) {
    tx.execute("insert into things (name, number) values ($1, 0)", {name});
    tx.execute("update things set number = number + 1000", {});
    throw Error(ErrorCode::conflict, "changed its mind");
  }));
  *failures += !outcome.ok() && outcome.error().message() == "changed its mind" ? 1 : 0;
}

// Adds, and once the write has returned looks whether a reader sees it.
Async<> add_and_look(Database* database, std::string name, int* seen) {
  co_await add(database, name);
  *seen += co_await database->read([name](Transaction& tx) {
    return tx.query_one("select 1 from things where name = $1", {name}) ? 1 : 0;
  });
}

Async<std::int64_t> ask(Database* database, std::string sql) {
  co_return co_await database->read(
      [sql](Transaction& tx) { return tx.query_one(sql, {})->integer(0); });
}

// Keeps the writer busy until the gate is open.
Async<> hold_writer(Database* database, std::shared_ptr<std::latch> gate) {
  co_await database->write([gate](Transaction&) { gate->wait(); });
}

// Adds more than a database of 20 pages to spare can take.
Async<> expect_full(Database* database) {
  auto outcome = co_await outcome_of(add(database, std::string(1'000'000, 'x')));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().message(), "the server's disk is full");
}

Async<> count_return(Async<> work, int* count) {
  co_await std::move(work);
  ++*count;
}

std::int64_t schema_of(const fs::path& path) {
  return Sqlite(path, Sqlite::Mode::read_write).query_one("pragma user_version", {})->integer(0);
}

}  // namespace

class DatabaseTest : public LoopTest {
 protected:
  TemporaryFolder folder_{fs::temp_directory_path(), "database-test-"};
  fs::path path_ = folder_.path() / "capstan.db";
};

ASYNC_TEST(DatabaseTest, a_transaction_returns_its_value_and_throws_its_error) {
  Database database(path_);
  EXPECT_EQ(co_await database.write([](Transaction&) { return std::string("value"); }), "value");
  auto moved = co_await database.read([](Transaction&) { return std::make_unique<int>(7); });
  EXPECT_EQ(*moved, 7);
  auto outcome = co_await outcome_of(
      database.read([](Transaction&) -> int { throw Error(ErrorCode::not_found, "no such"); }));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::not_found);
  EXPECT_EQ(outcome.error().message(), "no such");
}

ASYNC_TEST(DatabaseTest, runs_transactions_on_threads_of_its_own) {
  Database database(path_);
  auto self = [](Transaction&) { return std::this_thread::get_id(); };
  auto writing = co_await database.write(self);
  auto reading = co_await database.read(self);
  EXPECT_NE(writing, std::this_thread::get_id());
  EXPECT_NE(reading, std::this_thread::get_id());
  EXPECT_NE(writing, reading);
}

ASYNC_TEST(DatabaseTest, one_that_throws_in_a_crowd_is_undone_alone) {
  for (const fs::path& path : {path_, fs::path()}) {
    Database database(path);
    co_await make_table(&database);
    Scope scope(executor(), "test");
    // While the writer is held, everybody else gathers for the same commit.
    auto gate = std::make_shared<std::latch>(1);
    int failures = 0;
    int returned = 0;
    scope.spawn(hold_writer(&database, gate));
    for (int number = 0; number < 600; ++number) {
      scope.spawn(number % 3 == 0
                      ? add_then_fail(&database, std::to_string(number), &failures)
                      : count_return(add(&database, std::to_string(number)), &returned));
    }
    co_await settle();
    EXPECT_EQ(returned, 0);
    gate->count_down();
    co_await scope.drain();
    EXPECT_EQ(failures, 200);
    EXPECT_EQ(returned, 400);
    EXPECT_EQ(co_await ask(&database, "select count(*) from things"), 400);
    EXPECT_EQ(co_await ask(&database, "select coalesce(sum(number), 0) from things"), 0);
  }
}

ASYNC_TEST(DatabaseTest, a_reader_sees_all_that_write_has_returned_from) {
  Database database(path_);
  co_await make_table(&database);
  Scope scope(executor(), "test");
  int seen = 0;
  for (int number = 0; number < 300; ++number) {
    scope.spawn(add_and_look(&database, std::to_string(number), &seen));
  }
  co_await scope.drain();
  EXPECT_EQ(seen, 300);
}

ASYNC_TEST(DatabaseTest, a_reader_does_not_wait_for_a_write_and_does_not_see_half_of_it) {
  Database database(path_);
  co_await make_table(&database);
  Scope scope(executor(), "test");
  auto gate = std::make_shared<std::latch>(1);
  scope.spawn(hold_writer(&database, gate));
  scope.spawn(add(&database, "a"));
  co_await settle();
  EXPECT_EQ(co_await ask(&database, "select count(*) from things"), 0);
  gate->count_down();
  co_await scope.drain();
  EXPECT_EQ(co_await ask(&database, "select count(*) from things"), 1);
}

ASYNC_TEST(DatabaseTest, a_second_of_the_same_name_is_a_conflict) {
  Database database({});
  co_await make_table(&database);
  co_await add(&database, "a");
  auto outcome = co_await outcome_of(add(&database, "a"));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::conflict);
  co_await add(&database, "b");
  EXPECT_EQ(co_await ask(&database, "select count(*) from things"), 2);
}

ASYNC_TEST(DatabaseTest, a_full_disk_is_told_to_who_filled_it_and_smaller_writes_go_on) {
  Database database(path_);
  co_await make_table(&database);
  co_await database.write([](Transaction& tx) {
    std::int64_t pages = tx.query_one("pragma page_count", {})->integer(0);
    tx.query("pragma max_page_count = " + std::to_string(pages + 20), {});
  });
  co_await expect_full(&database);
  co_await add(&database, "small");
  EXPECT_EQ(co_await ask(&database, "select count(*) from things"), 1);

  // Those that share its commit don't share its failure.
  Scope scope(executor(), "test");
  int returned = 0;
  auto gate = std::make_shared<std::latch>(1);
  scope.spawn(hold_writer(&database, gate));
  scope.spawn(count_return(add(&database, "before"), &returned));
  scope.spawn(expect_full(&database));
  scope.spawn(count_return(add(&database, "after"), &returned));
  co_await settle();
  gate->count_down();
  co_await scope.drain();
  EXPECT_EQ(returned, 2);
  EXPECT_EQ(co_await ask(&database, "select count(*) from things"), 3);
}

ASYNC_TEST(DatabaseTest, a_read_that_writes_is_refused) {
  Database database(path_);
  auto outcome = co_await outcome_of(database.read([](Transaction& tx) {
    return tx.execute("insert into teams (id, name, created_at) values ('a', 'b', 1)", {});
  }));
  EXPECT_FALSE(outcome.ok());
}

ASYNC_TEST(DatabaseTest, what_was_written_is_there_when_it_is_opened_again) {
  {
    Database database(path_);
    co_await make_table(&database);
    co_await add(&database, std::string("a\0b", 3));
  }
  Database database(path_);
  EXPECT_EQ(
      co_await ask(&database, "select count(*) from things where length(cast(name as blob)) = 3"),
      1);
}

ASYNC_TEST(DatabaseTest, finishes_what_was_handed_in_before_it_ends) {
  Scope scope(executor(), "test");
  int returned = 0;
  {
    Database database(path_);
    co_await make_table(&database);
    auto gate = std::make_shared<std::latch>(1);
    scope.spawn(hold_writer(&database, gate));
    for (int number = 0; number < 300; ++number) {
      scope.spawn(count_return(add(&database, std::to_string(number)), &returned));
    }
    co_await settle();
    EXPECT_EQ(returned, 0);
    gate->count_down();
  }
  co_await scope.drain();
  EXPECT_EQ(returned, 300);
  Database database(path_);
  EXPECT_EQ(co_await ask(&database, "select count(*) from things"), 300);
}

ASYNC_TEST(DatabaseTest, a_new_file_gets_the_newest_schema_and_keeps_it) {
  std::int64_t version = 0;
  {
    Database database(path_);
    EXPECT_EQ(co_await ask(&database, "select count(*) from teams"), 0);
    version = co_await ask(&database, "pragma user_version");
    EXPECT_GE(version, 1);
    co_await database.write([](Transaction& tx) {
      tx.execute("insert into teams (id, name, created_at) values ('a', 'b', 1)", {});
    });
  }
  EXPECT_EQ(schema_of(path_), version);
  Database database(path_);
  EXPECT_EQ(co_await ask(&database, "select count(*) from teams"), 1);
}

ASYNC_TEST(DatabaseTest, outputs_that_the_first_schema_kept_with_their_runs_are_moved) {
  {
    Database database(path_);
  }
  Sqlite(path_, Sqlite::Mode::read_write)
      .run_script(
          "pragma foreign_keys = off; pragma user_version = 1; drop table run_outputs;"
          "drop table recordings;"
          "alter table runs add column output text;"
          "insert into runs (id, team_id, task_id, task_version_id, version, status, attempt,"
          " settings, accepted_at, output) values"
          " ('a', 'team', 'task', 'version', '1', 'success', 1, '', 1, '42'),"
          " ('b', 'team', 'task', 'version', '1', 'success', 1, '', 2, null)");
  Database database(path_);
  EXPECT_EQ(co_await ask(&database, "select count(*) from runs"), 2);
  EXPECT_EQ(co_await ask(&database, "select count(*) from run_outputs"), 1);
  EXPECT_EQ(co_await ask(&database,
                         "select count(*) from run_outputs where run_id = 'a' and output = '42'"),
            1);
}

ASYNC_TEST(DatabaseTest, an_empty_file_is_a_new_database) {
  write_private_file(path_, "");
  Database database(path_);
  EXPECT_EQ(co_await ask(&database, "select count(*) from runs"), 0);
}

ASYNC_TEST(DatabaseTest, a_newer_schema_is_refused_and_left_as_it_is) {
  Sqlite(path_, Sqlite::Mode::read_write).run_script("pragma user_version = 1000000");
  auto outcome = outcome_of_call([&] { Database database(path_); });
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
  EXPECT_NE(outcome.error().message().find("newer version"), std::string::npos);
  EXPECT_NE(outcome.error().message().find("1000000"), std::string::npos);
  EXPECT_EQ(schema_of(path_), 1'000'000);
  co_return;
}

ASYNC_TEST(DatabaseTest, a_file_that_cannot_be_used_is_refused) {
  write_private_file(path_, std::string(10'000, 'x'));
  for (const fs::path& path : {path_, folder_.path(), folder_.path() / "missing" / "file"}) {
    auto outcome = outcome_of_call([&] { Database database(path); });
    EXPECT_FALSE(outcome.ok()) << path;
    EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument) << path;
  }
  co_return;
}

}  // namespace capstan
