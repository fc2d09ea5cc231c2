#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace capstan {

// What a column can hold: TEXT and BIGINT only, so that one schema serves two engines.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string>;

// A value from something that may not be there.
Value maybe(const std::optional<std::string>& text);
Value maybe(std::optional<std::int64_t> number);

class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}

  // A column that is not of the wanted type is a broken invariant of the schema.
  const std::string& text(std::size_t column) const;
  std::int64_t integer(std::size_t column) const;
  std::optional<std::string> optional_text(std::size_t column) const;
  std::optional<std::int64_t> optional_integer(std::size_t column) const;
  bool flag(std::size_t column) const { return integer(column) != 0; }

 private:
  std::vector<Value> values_;
};

// What a transaction may do. Statements use $1, $2, ... and SQL that SQLite and PostgreSQL share.
class Transaction {
 public:
  virtual ~Transaction() = default;
  // Runs one statement and returns its rows. Throws conflict where a UNIQUE constraint is broken,
  // unavailable when the disk is full, or for anything else that goes wrong.
  virtual std::vector<Row> query(std::string_view sql, std::initializer_list<Value> values) = 0;
  // Runs one statement and returns how many rows it changed.
  virtual std::int64_t execute(std::string_view sql, std::initializer_list<Value> values) = 0;

  std::optional<Row> query_one(std::string_view sql, std::initializer_list<Value> values);
};

// One connection to an SQLite file; belongs to one thread.
class Sqlite final : public Transaction {
 public:
  enum class Mode { read_write, read_only };

  // Throws invalid_argument, naming the path, when the file can't be used or is damaged.
  Sqlite(const std::filesystem::path& path, Mode mode);

  std::vector<Row> query(std::string_view sql, std::initializer_list<Value> values) override;
  std::int64_t execute(std::string_view sql, std::initializer_list<Value> values) override;
  // Several statements without values, for the schema and for BEGIN, COMMIT and the like.
  void run_script(const std::string& sql);

 private:
  void settle(Mode mode);
  sqlite3_stmt* prepare(std::string_view sql);
  std::vector<Row> step_all(std::string_view sql, std::initializer_list<Value> values);

  struct Closer {
    void operator()(sqlite3* connection) const;
    void operator()(sqlite3_stmt* statement) const;
  };

  std::unique_ptr<sqlite3, Closer> connection_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Closer>, std::less<>> statements_;
};

}  // namespace capstan
