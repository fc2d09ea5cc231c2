#include "http/server.h"

#include <boost/asio/as_tuple.hpp>

#include "base/error.h"
#include "base/log.h"
#include "http/connection.h"

namespace capstan {
namespace {

std::string reason_of(const boost::system::error_code& error) {
  if (error == asio::error::address_in_use) {
    return "is in use by another program";
  }
  if (error == asio::error::access_denied) {
    return "needs rights that this user doesn't have";
  }
  return "can't be listened on: " + error.message();
}

}  // namespace

asio::ip::tcp::acceptor listen_on(const Executor& executor, const std::string& host,
                                  std::uint16_t port) {
  boost::system::error_code error;
  auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) {
    throw Error(ErrorCode::invalid_argument,
                "'" + host + "' is no address to listen on: give an IP address or 'localhost'");
  }
  asio::ip::tcp::endpoint endpoint(address, port);
  asio::ip::tcp::acceptor acceptor(executor);
  acceptor.open(endpoint.protocol(), error);
  if (!error) {
    // Without this a server couldn't start again for a minute after it was stopped.
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    std::string name = address.is_v6() ? "[" + host + "]" : host;
    throw Error(ErrorCode::unavailable, name + ":" + std::to_string(port) + " " + reason_of(error));
  }
  return acceptor;
}

Server::Server(Executor executor, Clock& clock, Random& random, ServerLimits limits,
               asio::ip::tcp::acceptor acceptor, Handler handler)
    : executor_(std::move(executor)),
      clock_(clock),
      random_(random),
      limits_(limits),
      acceptor_(std::move(acceptor)),
      port_(acceptor_.local_endpoint().port()),
      handler_(std::move(handler)),
      room_(executor_),
      scope_(executor_, "http") {}

Server::~Server() = default;

void Server::start() {
  scope_.spawn(watch_deadlines());
  scope_.spawn(accept_all());
}

void Server::stop_accepting() {
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  room_.set();
  for (Connection* connection : connections_) {
    connection->finish();
  }
}

Async<> Server::close() {
  stop_accepting();
  co_await scope_.close();
}

Async<> Server::accept_all() {
  bool is_failing = false;
  while (!stopping_) {
    if (connections_.size() >= limits_.connections_max) {
      room_.clear();
      co_await room_.wait();
      continue;
    }
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!error) {
      is_failing = false;
      scope_.spawn(serve(std::move(socket)));
    } else if (!stopping_ && error != asio::error::connection_aborted) {
      // The kernel goes on reporting the waiting client: trying again at once would be a hot loop.
      if (!is_failing) {
        log_warning("accept_failed", {{"port", port_}, {"cause", error.message()}});
      }
      is_failing = true;
      co_await clock_.sleep(limits_.accept_retry_time);
    }
  }
}

Async<> Server::serve(asio::ip::tcp::socket socket) {
  Connection connection(std::move(socket), clock_, random_, limits_, handler_);
  if (stopping_) {
    connection.finish();
  }
  struct Entry {
    Server* server;
    std::list<Connection*>::iterator place;
    ~Entry() {
      server->connections_.erase(place);
      server->room_.set();
    }
  };
  Entry entry{this, connections_.insert(connections_.end(), &connection)};
  co_await connection.live();
}

Async<> Server::watch_deadlines() {
  while (true) {
    co_await clock_.sleep(limits_.watch_interval);
    const SteadyTime now = clock_.now();
    for (Connection* connection : connections_) {
      connection->check_deadline(now);
    }
  }
}

}  // namespace capstan
