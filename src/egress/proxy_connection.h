#pragma once

#include <memory>
#include <optional>

#include "egress/dialer.h"
#include "egress/exchange.h"
#include "egress/gateway_limits.h"
#include "egress/head_reader.h"
#include "egress/ledger.h"
#include "egress/proxy_request.h"
#include "egress/wire.h"

namespace capstan {

// One connection of a client to its gateway, and the one to the outside that belongs to it: a
// tunnel, or requests one after the other, which share the connection to an origin while they are
// for the same one. Lives in Listener::serve(). What it borrows is the gateway's.
class ProxyConnection {
 public:
  ProxyConnection(asio::ip::tcp::socket socket, const WayOut& way, const GatewayLimits& limits,
                  Dialer& dialer, Ledger& ledger);

  // The whole life. Throws when it is cancelled, and never else.
  Async<> live();

  // Since when it has waited for a request; nothing while it serves one.
  std::optional<SteadyTime> idle_since() const { return idle_since_; }
  // Ends a life that is idle.
  void end();
  // Gives up what has waited too long. The gateway calls this every `watch_interval`.
  void check_deadlines(SteadyTime now);

 private:
  // What comes after a request has been dealt with.
  enum class Next { request, goodbye, nothing };
  Async<Next> serve_one();
  Async<bool> read_head(HeadReader* reader);
  Async<Next> serve_tunnel(ProxyRequest request);
  Async<Next> serve_request(ProxyRequest request);
  Async<Exchange::Result> exchange(ProxyRequest request, ProxyFault* fault);
  Async<Next> end_exchange(ProxyRequest request, Exchange::Result result, ProxyFault fault);
  bool can_reuse(const Destination& destination);
  Async<Next> refuse(ProxyFault fault, bool is_head);
  ProxyFault fault_of_dialling(const Destination& destination, const Error& error);
  Async<> run_tunnel();
  Async<> linger();

  const WayOut& way_;
  const GatewayLimits& limits_;
  Dialer& dialer_;
  Ledger& ledger_;

  Wire client_;
  ByteBuffer from_client_;
  std::optional<SteadyTime> idle_since_;

  // The connection to the outside, and whose it is.
  std::unique_ptr<Wire> outside_;
  ByteBuffer from_outside_;
  std::string outside_place_;
  bool client_goes_on_ = false;
};

}  // namespace capstan
