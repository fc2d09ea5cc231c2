#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "egress/dialer.h"
#include "egress/gateway_limits.h"
#include "egress/ledger.h"
#include "egress/upstream.h"
#include "io/file.h"
#include "io/listener.h"
#include "io/scope.h"

namespace capstan {

class ProxyConnection;

// The way out of one cage: an HTTP proxy on a listening socket that the cage alone can reach, and
// every connection that came in through it. It checks every destination, and goes through the
// proxy that it was given and never around it. Its owner awaits close() before it dies.
//
// A cage may have its listener long before it gets a gateway, as a warm browser does: whoever
// connects meanwhile waits in the kernel's queue.
class Gateway {
 public:
  struct Order {
    Fd listener = {};                       // bound and listening
    std::optional<Upstream> upstream = {};  // checked here, as check_upstream() does
    std::string owner = {};                 // whose way out this is, for the log: a session's id
  };
  // What `way` and `metrics` lead to outlives the gateway.
  Gateway(const WayOut& way, EgressMetrics& metrics, GatewayLimits limits, Order order);
  ~Gateway();

  void start();
  // Ends everything, at once, and waits until it is gone.
  Async<> close();

  // To and from the outside so far, and those of them that went through the proxy.
  std::uint64_t bytes() const { return ledger_.bytes(); }
  std::uint64_t upstream_bytes() const { return is_proxied_ ? ledger_.bytes() : 0; }
  std::size_t connection_count() const { return listener_.connections().size(); }

 private:
  Async<> watch();
  void end_an_idle_one(SteadyTime now);

  WayOut way_;
  GatewayLimits limits_;
  Ledger ledger_;
  bool is_proxied_;
  Dialer dialer_;
  Listener<ProxyConnection> listener_;
  Scope scope_;
};

}  // namespace capstan
