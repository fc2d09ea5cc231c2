#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "egress/address_policy.h"
#include "egress/gateway.h"
#include "egress/resolver.h"

namespace capstan {

struct EgressSettings {
  // What may be reached besides the public internet; see AddressPolicy.
  std::vector<std::string> allow = {};
  GatewayLimits limits = {};
  ResolverLimits resolver = {};
};

// Opens gateways, and keeps what they share. One for the server; outlives its gateways.
class Gateways {
 public:
  // Throws invalid_argument for an entry of `allow` that can't be read.
  Gateways(Executor executor, Clock& clock, Metrics& metrics, EgressSettings settings,
           Resolver::LookUp look_up = look_up_with_system);

  // A gateway that has yet to be started. Throws invalid_argument for a proxy that
  // check_upstream() would refuse.
  std::unique_ptr<Gateway> open(Gateway::Order order);

  const AddressPolicy& policy() const { return policy_; }

 private:
  GatewayLimits limits_;
  AddressPolicy policy_;
  EgressMetrics metrics_;
  Resolver resolver_;
  TlsTrust trust_;
  WayOut way_;
};

}  // namespace capstan
