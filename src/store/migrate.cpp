#include "store/migrate.h"

#include <charconv>

#include "base/check.h"
#include "base/embedded.h"
#include "base/error.h"

namespace capstan {

std::vector<EmbeddedFile> embedded_migrations();

namespace {

std::int64_t number_of(const EmbeddedFile& file) {
  std::int64_t number = 0;
  auto [end, error] =
      std::from_chars(file.name.data(), file.name.data() + file.name.size(), number);
  CHECK(error == std::errc() && *end == '_');
  return number;
}

}  // namespace

void migrate(Sqlite& connection) {
  std::int64_t version = connection.query_one("pragma user_version", {})->integer(0);
  std::vector<EmbeddedFile> migrations = embedded_migrations();
  CHECK(!migrations.empty());
  if (version > number_of(migrations.back())) {
    throw Error(ErrorCode::invalid_argument,
                "the database was written by a newer version of Capstan (schema " +
                    std::to_string(version) + "); start that version, or restore a backup");
  }
  for (const EmbeddedFile& migration : migrations) {
    std::int64_t number = number_of(migration);
    if (number <= version) {
      continue;
    }
    connection.run_script("begin immediate;\n" + std::string(migration.text) +
                          "\npragma user_version = " + std::to_string(number) + ";\ncommit;");
  }
}

}  // namespace capstan
