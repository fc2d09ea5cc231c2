#pragma once

#include "store/sqlite.h"

namespace capstan {

// Brings the schema up to date with src/store/migrations/NNNN_name.sql, each in a transaction of
// its own; the number of the last one is kept in the file. Throws invalid_argument when the file
// has a newer schema than this program knows.
void migrate(Sqlite& connection);

}  // namespace capstan
