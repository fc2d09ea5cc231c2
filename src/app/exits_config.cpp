#include "app/exits_config.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "app/setting_problem.h"
#include "io/file.h"
#include "io/outcome.h"

namespace capstan {
namespace {

constexpr std::uintmax_t password_file_bytes_max = 4096;

// The fields of one exit, with the lines that they stand in.
class ExitTable {
 public:
  ExitTable(const std::string& file, const toml::table& table) : file_(file), table_(table) {
    constexpr std::array<std::string_view, 7> known = {
        "country", "region", "city", "server", "username", "password", "password_file"};
    for (const auto& [key, node] : table_) {
      if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
        refuse(key.str(), "is not a setting");
      }
    }
  }

  bool has(std::string_view field) const { return table_.contains(field); }

  // Empty if it isn't given.
  std::string text(std::string_view field) const {
    const toml::node* node = table_.get(field);
    auto text = node != nullptr ? node->value_exact<std::string>() : std::string();
    if (!text) {
      refuse(field, "must be a text");
    }
    return std::move(*text);
  }

  [[noreturn]] void refuse(std::string_view field, const std::string& problem) const {
    const toml::node* node = table_.get(field);
    capstan::refuse(place_of(file_, node != nullptr ? node->source() : table_.source()),
                    std::string(exits_setting) + "." + std::string(field), problem);
  }

 private:
  const std::string& file_;
  const toml::table& table_;
};

// The first line of a file, because editors end it with a line break.
std::string read_password_file(const ExitTable& table) {
  std::filesystem::path path = table.text("password_file");
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) ||
      std::filesystem::file_size(path, error) > password_file_bytes_max) {
    table.refuse("password_file", "must be a file of at most 4096 bytes");
  }
  auto text = outcome_of_call([&] { return read_file(path); });
  if (!text.ok()) {
    table.refuse("password_file", "can't be read: " + text.error().message());
  }
  return text.value().substr(0, text.value().find_first_of("\r\n"));
}

Exit read_exit(const ExitTable& table) {
  std::string server = table.text("server");
  if (!table.has("server")) {
    table.refuse("server", "is required");
  }
  auto proxy = parse_upstream(server);
  if (!proxy) {
    table.refuse("server",
                 "must be PROTOCOL://HOST:PORT with http, https or socks5, such as "
                 "\"http://proxy.example:8080\"; a user name and a password have fields of their "
                 "own");
  }
  Exit exit{.place = {table.text("country"), table.text("region"), table.text("city")},
            .proxy = std::move(*proxy)};
  exit.proxy.username = table.text("username");
  if (table.has("password") && table.has("password_file")) {
    table.refuse("password_file", "can't be given beside a password");
  }
  exit.proxy.password =
      table.has("password_file") ? read_password_file(table) : table.text("password");
  if (auto problem = problem_of(exit)) {
    table.refuse(problem->field, problem->problem);
  }
  return exit;
}

}  // namespace

std::vector<Exit> read_exits(const std::string& file, const toml::node& node) {
  const toml::array* tables = node.as_array();
  if (tables == nullptr) {
    refuse(place_of(file, node.source()), std::string(exits_setting),
           "must be tables, each [[egress.exits]]");
  }
  std::vector<Exit> exits;
  for (const toml::node& each : *tables) {
    const toml::table* table = each.as_table();
    if (table == nullptr) {
      refuse(place_of(file, each.source()), std::string(exits_setting),
             "must be tables, each [[egress.exits]]");
    }
    exits.push_back(read_exit(ExitTable(file, *table)));
  }
  return exits;
}

}  // namespace capstan
