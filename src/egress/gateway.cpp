#include "egress/gateway.h"

#include <chrono>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>

#include "base/log.h"
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
      acceptor_(to_acceptor(way_.executor, std::move(order.listener))),
      room_(way_.executor),
      scope_(way_.executor, "egress") {}

Gateway::~Gateway() = default;

void Gateway::start() {
  scope_.spawn(watch());
  scope_.spawn(accept_all());
}

Async<> Gateway::close() {
  is_closing_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  co_await scope_.close();
}

Async<> Gateway::accept_all() {
  bool is_failing = false;
  while (!is_closing_) {
    if (connections_.size() >= limits_.connections_max) {
      room_.clear();
      co_await room_.wait();
      continue;
    }
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!error) {
      is_failing = false;
      scope_.spawn(serve(std::move(socket)));
    } else if (!is_closing_ && error != asio::error::connection_aborted) {
      // The kernel goes on reporting the waiting client: trying again at once would be a hot loop.
      if (!is_failing) {
        log_warning("egress_accept_failed", {{"cause", error.message()}});
      }
      is_failing = true;
      co_await way_.clock.sleep(limits_.accept_retry_time);
    }
  }
}

Async<> Gateway::serve(asio::ip::tcp::socket socket) {
  ProxyConnection connection(std::move(socket), way_, limits_, dialer_, ledger_);
  struct Entry {
    Gateway* gateway;
    std::list<ProxyConnection*>::iterator place;
    ~Entry() {
      gateway->connections_.erase(place);
      gateway->room_.set();
    }
  };
  Entry entry{this, connections_.insert(connections_.end(), &connection)};
  co_await connection.live();
}

// One look at all connections is cheaper than a timer for every read and write.
Async<> Gateway::watch() {
  while (true) {
    co_await way_.clock.sleep(limits_.watch_interval);
    const SteadyTime now = way_.clock.now();
    for (ProxyConnection* connection : connections_) {
      connection->check_deadlines(now);
    }
    if (connections_.size() >= limits_.connections_max) {
      end_an_idle_one(now);
    }
  }
}

// Browsers keep connections that they may need again. They must not keep out those that are
// needed now.
void Gateway::end_an_idle_one(SteadyTime now) {
  ProxyConnection* longest = nullptr;
  for (ProxyConnection* connection : connections_) {
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
