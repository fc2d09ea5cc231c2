#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "egress/exits.h"

namespace capstan {

inline constexpr std::string_view exits_setting = "egress.exits";

// The exits of a configuration file, each a table [[egress.exits]] with `server` and, as they are
// wanted, `country`, `region`, `city`, `username`, `password` or `password_file`. Throws
// invalid_argument, naming the line, for what is unknown, missing or bad; a password is in no
// message.
std::vector<Exit> read_exits(const std::string& file, const toml::node& node);

}  // namespace capstan
