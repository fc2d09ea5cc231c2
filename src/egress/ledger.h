#pragma once

#include <cstdint>
#include <string>

#include "base/log_budget.h"
#include "base/metrics.h"
#include "io/clock.h"

namespace capstan {

// The counters of all gateways together.
struct EgressMetrics {
  explicit EgressMetrics(Metrics& metrics);

  prometheus::Counter& received;
  prometheus::Counter& sent;
  prometheus::Counter& refused;
  prometheus::Counter& upstream_failures;
};

// The accounts of one gateway: bytes, and what it refused. A page can have as much refused as it
// likes, so only so much of it is told in the log.
class Ledger {
 public:
  // `owner` names the gateway in the log.
  Ledger(Clock& clock, EgressMetrics& metrics, std::string owner);

  void add_received(std::size_t bytes);
  void add_sent(std::size_t bytes);
  std::uint64_t bytes() const { return bytes_; }

  // A destination that nobody may reach.
  void note_refusal(const std::string& destination, const std::string& reason);
  // A proxy that does not do what it is there for.
  void note_upstream_failure(const std::string& reason);
  void note_failure(const std::string& message, const std::string& cause);

 private:
  Clock& clock_;
  EgressMetrics& metrics_;
  std::string owner_;
  std::uint64_t bytes_ = 0;
  LogBudget log_budget_;
};

}  // namespace capstan
