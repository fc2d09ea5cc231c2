#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cage/level.h"
#include "cage/order.h"

namespace capstan {

// What is known of one cage when its program is about to be started.
struct Plan {
  IsolationLevel level = IsolationLevel::none;
  std::optional<std::uint32_t> user;  // its own; only a server that runs as root can give one
  Interior interior;
  std::vector<std::uint16_t> door_ports;
  bool bounds_processes = false;  // by setrlimit, for want of a control group
  bool bounds_memory = false;
};

// The launcher's command line (launcher/instructions.h) that puts these walls around the command.
std::vector<std::string> launcher_words(const Plan& plan, const ChildOrder& order,
                                        const Command& command);

}  // namespace capstan
