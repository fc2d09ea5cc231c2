#include "egress/gateways.h"

namespace capstan {

Gateways::Gateways(Executor executor, Clock& clock, Metrics& metrics, EgressSettings settings,
                   Resolver::LookUp look_up)
    : limits_(settings.limits),
      policy_(settings.allow),
      metrics_(metrics),
      resolver_(executor, clock, settings.resolver, std::move(look_up)),
      way_{std::move(executor), clock, resolver_, policy_, trust_} {}

std::unique_ptr<Gateway> Gateways::open(Gateway::Order order) {
  return std::make_unique<Gateway>(way_, metrics_, limits_, std::move(order));
}

}  // namespace capstan
