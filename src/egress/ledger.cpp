#include "egress/ledger.h"

#include <prometheus/counter.h>

#include "base/log.h"

namespace capstan {
namespace {

constexpr std::size_t lines_per_minute_max = 20;

prometheus::Counter& bytes_counter(Metrics& metrics, std::string_view direction) {
  return metrics.counter("capstan_egress_bytes_total",
                         "Bytes between gateways and the outside world",
                         {{"direction", direction}});
}

}  // namespace

EgressMetrics::EgressMetrics(Metrics& metrics)
    : received(bytes_counter(metrics, "received")),
      sent(bytes_counter(metrics, "sent")),
      refused(metrics.counter("capstan_egress_refused_total",
                              "Connections that gateways refused to make")),
      upstream_failures(metrics.counter("capstan_egress_upstream_failures_total",
                                        "Connections that failed because of a session's proxy")) {}

Ledger::Ledger(Clock& clock, EgressMetrics& metrics, std::string owner)
    : clock_(clock),
      metrics_(metrics),
      owner_(std::move(owner)),
      log_budget_(lines_per_minute_max) {}

void Ledger::add_received(std::size_t bytes) {
  bytes_ += bytes;
  metrics_.received.Increment(static_cast<double>(bytes));
}

void Ledger::add_sent(std::size_t bytes) {
  bytes_ += bytes;
  metrics_.sent.Increment(static_cast<double>(bytes));
}

void Ledger::note_refusal(const std::string& destination, const std::string& reason) {
  metrics_.refused.Increment();
  if (log_budget_.may_tell(clock_.now())) {
    log_info("egress_refused", {{"owner", owner_},
                                {"destination", destination},
                                {"reason", reason},
                                {"untold", log_budget_.take_untold()}});
  }
}

void Ledger::note_upstream_failure(const std::string& reason) {
  metrics_.upstream_failures.Increment();
  if (log_budget_.may_tell(clock_.now())) {
    log_warning("upstream_failed",
                {{"owner", owner_}, {"reason", reason}, {"untold", log_budget_.take_untold()}});
  }
}

void Ledger::note_failure(const std::string& message, const std::string& cause) {
  if (log_budget_.may_tell(clock_.now())) {
    log_error("egress_failed", {{"owner", owner_},
                                {"message", message},
                                {"cause", cause},
                                {"untold", log_budget_.take_untold()}});
  }
}

}  // namespace capstan
