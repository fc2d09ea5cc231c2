#include "store/sqlite.h"

#include <sqlite3.h>

#include "base/check.h"
#include "base/error.h"
#include "io/outcome.h"

namespace capstan {
namespace {

Error to_error(sqlite3* connection, std::string_view doing) {
  int code = sqlite3_extended_errcode(connection);
  std::string cause = std::string(doing) + ": " + sqlite3_errmsg(connection);
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return Error(ErrorCode::conflict, "it exists already", std::move(cause));
    default:
      break;
  }
  if ((code & 0xff) == SQLITE_FULL) {
    return Error(ErrorCode::unavailable, "the server's disk is full", std::move(cause));
  }
  return Error(ErrorCode::unavailable, "the server's database failed", std::move(cause));
}

// Of a file that is to be opened, told to who starts the server.
Error to_opening_error(sqlite3* connection, const std::string& name) {
  std::string problem = "can't use the database " + name;
  std::string cause = sqlite3_errmsg(connection);
  switch (sqlite3_errcode(connection) & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return Error(ErrorCode::invalid_argument,
                   problem + "; restore a backup of it, or move it away to begin anew", cause);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return Error(ErrorCode::invalid_argument, problem, cause);
    default:
      return Error(ErrorCode::unavailable, problem, cause);
  }
}

Value column_value(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(statement, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    }
    default:
      return nullptr;
  }
}

// $1, $2 are names to SQLite, numbered by first appearance, so they are looked up.
void bind(sqlite3_stmt* statement, std::initializer_list<Value> values) {
  int number = 0;
  for (const Value& value : values) {
    int index = sqlite3_bind_parameter_index(statement, ("$" + std::to_string(++number)).c_str());
    CHECK(index > 0);
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(statement, index, *integer);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT,
                          SQLITE_UTF8);
    } else {
      sqlite3_bind_null(statement, index);
    }
  }
  CHECK(sqlite3_bind_parameter_count(statement) == number);
}

}  // namespace

Value maybe(const std::optional<std::string>& text) { return text ? Value(*text) : Value(nullptr); }

Value maybe(std::optional<std::int64_t> number) { return number ? Value(*number) : Value(nullptr); }

const std::string& Row::text(std::size_t column) const {
  const auto* text = std::get_if<std::string>(&values_.at(column));
  CHECK(text != nullptr);
  return *text;
}

std::int64_t Row::integer(std::size_t column) const {
  const auto* integer = std::get_if<std::int64_t>(&values_.at(column));
  CHECK(integer != nullptr);
  return *integer;
}

std::optional<std::string> Row::optional_text(std::size_t column) const {
  const auto* text = std::get_if<std::string>(&values_.at(column));
  return text != nullptr ? std::optional(*text) : std::nullopt;
}

std::optional<std::int64_t> Row::optional_integer(std::size_t column) const {
  const auto* integer = std::get_if<std::int64_t>(&values_.at(column));
  return integer != nullptr ? std::optional(*integer) : std::nullopt;
}

std::optional<Row> Transaction::query_one(std::string_view sql,
                                          std::initializer_list<Value> values) {
  std::vector<Row> rows = query(sql, values);
  CHECK(rows.size() <= 1);
  return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

Sqlite::Sqlite(const std::filesystem::path& path, Mode mode) {
  int flags =
      mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  std::string name = path.empty() ? ":memory:" : path.string();
  sqlite3* connection = nullptr;
  int result = sqlite3_open_v2(name.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  connection_.reset(connection);  // it is there after most failures too
  if (result != SQLITE_OK || !outcome_of_call([&] { settle(mode); }).ok()) {
    throw to_opening_error(connection, name);
  }
}

void Sqlite::settle(Mode mode) {
  sqlite3_extended_result_codes(connection_.get(), 1);
  run_script("pragma busy_timeout = 5000; pragma foreign_keys = on;");
  if (mode == Mode::read_only) {
    run_script("pragma wal_autocheckpoint = 0; pragma query_only = on;");
  } else {
    // FULL: an acknowledged write must survive the loss of power.
    run_script("pragma journal_mode = wal; pragma synchronous = full;");
  }
  // A file that is none of SQLite's, or is damaged where the tables are described, shows it here.
  run_script("select count(*) from sqlite_schema;");
}

void Sqlite::Closer::operator()(sqlite3* connection) const { sqlite3_close(connection); }

void Sqlite::Closer::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Sqlite::run_script(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw to_error(connection_.get(), "script");
  }
}

sqlite3_stmt* Sqlite::prepare(std::string_view sql) {
  auto known = statements_.find(sql);
  if (known != statements_.end()) {
    return known->second.get();
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    throw to_error(connection_.get(), sql);
  }
  statements_[std::string(sql)].reset(statement);
  return statement;
}

std::vector<Row> Sqlite::step_all(std::string_view sql, std::initializer_list<Value> values) {
  sqlite3_stmt* statement = prepare(sql);
  bind(statement, values);
  std::vector<Row> rows;
  int result = 0;
  while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
    std::vector<Value> row;
    int columns = sqlite3_column_count(statement);
    row.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      row.push_back(column_value(statement, column));
    }
    rows.emplace_back(std::move(row));
  }
  std::optional<Error> failure;
  if (result != SQLITE_DONE) {
    failure = to_error(connection_.get(), sql);
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (failure) {
    throw Error(std::move(*failure));
  }
  return rows;
}

std::vector<Row> Sqlite::query(std::string_view sql, std::initializer_list<Value> values) {
  return step_all(sql, values);
}

std::int64_t Sqlite::execute(std::string_view sql, std::initializer_list<Value> values) {
  step_all(sql, values);
  return sqlite3_changes64(connection_.get());
}

}  // namespace capstan
