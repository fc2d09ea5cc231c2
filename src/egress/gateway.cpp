#include "egress/gateway.h"

#include <chrono>
#include <sys/socket.h>

#include "egress/proxy_connection.h"

namespace capstan {
namespace {

// Shorter than that, and a newcomer could be ended before it has said what it wants.
constexpr Duration idle_time_min = std::chrono::seconds(1);

asio::ip::tcp::acceptor to_acceptor(const Executor& executor, Fd listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  bool is_known = ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
  CHECK(is_known);
  auto protocol = address.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
  return asio::ip::tcp::acceptor(executor, protocol, listener.release());
}

}  // namespace

Gateway::Gateway(const WayOut& way, EgressMetrics& metrics, GatewayLimits limits, Order order)
    : way_(way),
      limits_(limits),
      ledger_(way_.clock, metrics, std::move(order.owner)),
      is_proxied_(order.upstream.has_value()),
      dialer_(way_, limits_, std::move(order.upstream), ledger_),
      listener_(to_acceptor(way_.executor, std::move(order.listener)), way_.clock, "egress",
                {.connections_max = limits_.connections_max,
                 .accept_retry_time = limits_.accept_retry_time},
                [this](asio::ip::tcp::socket socket) {
                  return std::make_unique<ProxyConnection>(std::move(socket), way_, limits_,
                                                           dialer_, ledger_);
                }),
      scope_(way_.executor, "egress") {}

Gateway::~Gateway() = default;

void Gateway::start() {
  scope_.spawn(watch());
  listener_.start();
}

Async<> Gateway::close() {
  co_await listener_.close();
  co_await scope_.close();
}

// One look at all connections is cheaper than a timer for every read and write.
Async<> Gateway::watch() {
  while (true) {
    co_await way_.clock.sleep(limits_.watch_interval);
    const SteadyTime now = way_.clock.now();
    for (ProxyConnection* connection : listener_.connections()) {
      connection->check_deadlines(now);
    }
    if (listener_.is_full()) {
      end_an_idle_one(now);
    }
  }
}

// Browsers keep connections that they may need again. They must not keep out those that are
// needed now.
void Gateway::end_an_idle_one(SteadyTime now) {
  ProxyConnection* longest = nullptr;
  for (ProxyConnection* connection : listener_.connections()) {
    auto since = connection->idle_since();
    if (since && (longest == nullptr || *since < *longest->idle_since())) {
      longest = connection;
    }
  }
  if (longest != nullptr && now - *longest->idle_since() >= idle_time_min) {
    longest->end();
  }
}

}  // namespace capstan
