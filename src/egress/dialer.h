#pragma once

#include <memory>
#include <optional>
#include <string>

#include "egress/address_policy.h"
#include "egress/destination.h"
#include "egress/gateway_limits.h"
#include "egress/ledger.h"
#include "egress/resolver.h"
#include "egress/upstream.h"
#include "egress/wire.h"

namespace capstan {

// What it takes to get out of a gateway, shared by all of them.
struct WayOut {
  Executor executor;
  Clock& clock;
  Resolver& resolver;
  const AddressPolicy& policy;
  TlsTrust& trust;
};

// Makes the connections of one gateway to the outside: directly, or through the proxy that it was
// given, and then never past it. What is dialled is an address that was judged before; a name is
// looked up once for both.
class Dialer {
 public:
  // `upstream` has passed check_upstream().
  Dialer(const WayOut& way, const GatewayLimits& limits, std::optional<Upstream> upstream,
         Ledger& ledger);

  // A wire whose other end is the destination. Throws permission_denied for one that nobody may
  // reach, not_found or unavailable for one that can't be reached, deadline_exceeded; the message
  // is for the client.
  Async<std::unique_ptr<Wire>> dial(Destination destination);
  // The same for requests in plain HTTP: the other end may be a proxy, which wants to be told all
  // of the target.
  Async<std::unique_ptr<Wire>> dial_for_http(Destination destination);
  bool is_http_proxied() const;

  // The value of Proxy-Authorization for is_http_proxied(); may be empty.
  const std::string& authorization() const { return authorization_; }
  // A failure that the proxy is to blame for: "the proxy proxy.example.com:3128 `trouble`".
  Error upstream_error(const std::string& trouble, std::string cause = {}) const;

 private:
  enum class Purpose { tunnel, requests };
  enum class Judging { by_policy, nothing };
  Async<std::unique_ptr<Wire>> dial_through_upstream(Destination destination, Purpose purpose);
  Async<std::unique_ptr<Wire>> reach_upstream(Destination destination, Purpose purpose);
  Async<> start_tls(Wire* wire);
  Async<> ask_by_http(Wire* wire, Destination destination);
  Async<> ask_by_socks(Wire* wire, Destination destination);
  Async<std::unique_ptr<Wire>> connect(Destination destination, Judging judging);
  Async<Addresses> find_addresses(Destination destination, Judging judging);
  Async<std::unique_ptr<Wire>> connect_to(asio::ip::address address, Destination destination);
  void judge(const Destination& destination, const Addresses& addresses) const;
  void judge_unresolved(const Destination& destination) const;

  WayOut way_;
  const GatewayLimits& limits_;
  std::optional<Upstream> upstream_;
  std::optional<Destination> upstream_place_;
  std::string authorization_;
  Ledger& ledger_;
  Resolver::Asker asker_;
};

// Whether the address is one of this machine's own, and so leads past its firewall.
bool is_own_address(const asio::ip::address& address);

}  // namespace capstan
