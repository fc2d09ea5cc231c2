#pragma once

#include "base/byte_budget.h"
#include "base/log_budget.h"
#include "http/server_limits.h"

namespace capstan {

// What all connections of one server use up together. Owned by Server.
struct ServerAccounts {
  explicit ServerAccounts(const ServerLimits& limits)
      : bodies(limits.bodies_bytes_max),
        answers(limits.answers_bytes_max),
        messages(limits.messages_bytes_max),
        refusals_told(limits.refusals_told_per_minute_max) {}

  ByteBudget bodies;
  ByteBudget answers;
  ByteBudget messages;
  LogBudget refusals_told;
};

}  // namespace capstan
