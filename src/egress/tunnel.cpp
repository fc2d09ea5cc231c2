#include "egress/tunnel.h"

#include "io/race.h"

namespace capstan {

Tunnel::Tunnel(const Executor& executor, const GatewayLimits& limits, WireEnd client,
               WireEnd outside)
    : limits_(limits), client_(client), outside_(outside), never_(executor) {}

Async<> Tunnel::run() {
  client_.wire->allow_silence(limits_.silence_max);
  outside_.wire->allow_silence(limits_.silence_max);
  std::vector<Async<>> directions;
  directions.push_back(carry(client_, outside_));
  directions.push_back(carry(outside_, client_));
  co_await first_of(std::move(directions));
}

Async<> Tunnel::carry(WireEnd from, WireEnd to) {
  auto reading = Wire::Reading::bytes;
  while (reading == Wire::Reading::bytes) {
    if (!from.received->is_empty()) {
      if (!co_await to.wire->write(from.received->bytes())) {
        from.wire->reset();
        co_return;
      }
      from.received->drop(from.received->bytes().size());
    }
    reading = co_await from.wire->read(from.received);
  }
  if (reading == Wire::Reading::broken) {
    to.wire->reset();
    co_return;
  }
  co_await to.wire->end_writing();
  if (++directions_ended_ < 2) {
    client_.wire->allow_silence(limits_.half_closed_silence_max);
    outside_.wire->allow_silence(limits_.half_closed_silence_max);
    co_await never_.wait();
  }
}

}  // namespace capstan
