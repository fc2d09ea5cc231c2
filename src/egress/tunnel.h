#pragma once

#include "egress/gateway_limits.h"
#include "egress/wire.h"
#include "io/event.h"

namespace capstan {

// One end of what goes on between a client and the outside: its wire, and what has come from it.
struct WireEnd {
  Wire* wire;
  ByteBuffer* received;
};

// Carries bytes between two wires, whatever they are. The end of one direction is passed on, and
// the other one goes on; a failure of either wire is passed on as such. Who takes nothing is not
// read for.
class Tunnel {
 public:
  Tunnel(const Executor& executor, const GatewayLimits& limits, WireEnd client, WireEnd outside);

  // Until both directions have ended, or one has failed.
  Async<> run();

 private:
  Async<> carry(WireEnd from, WireEnd to);

  const GatewayLimits& limits_;
  WireEnd client_;
  WireEnd outside_;
  int directions_ended_ = 0;
  Event never_;
};

}  // namespace capstan
