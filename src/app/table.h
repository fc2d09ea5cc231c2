#pragma once

#include <string>
#include <vector>

namespace capstan {

using TableRow = std::vector<std::string>;

// One line per row, the columns aligned and two blanks apart, nothing behind the last one. Control
// characters, which could end a line or steer a terminal, become blanks.
std::string to_table(const std::vector<TableRow>& rows);

}  // namespace capstan
