#include "http/server.h"

#include "base/error.h"
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
    : clock_(clock),
      random_(random),
      limits_(limits),
      port_(acceptor.local_endpoint().port()),
      handler_(std::move(handler)),
      accounts_(limits_),
      listener_(
          std::move(acceptor), clock_, "http",
          {.connections_max = limits_.connections_max,
           .accept_retry_time = limits_.accept_retry_time},
          [this](asio::ip::tcp::socket socket) { return make_connection(std::move(socket)); }),
      scope_(executor, "http") {}

Server::~Server() = default;

void Server::start() {
  scope_.spawn(watch_deadlines());
  listener_.start();
}

void Server::stop_accepting() {
  listener_.stop_accepting();
  for (Connection* connection : listener_.connections()) {
    connection->finish();
  }
}

Async<> Server::close() {
  stop_accepting();
  co_await listener_.close();
  co_await scope_.close();
}

std::unique_ptr<Connection> Server::make_connection(asio::ip::tcp::socket socket) {
  auto connection = std::make_unique<Connection>(std::move(socket), clock_, random_, limits_,
                                                 accounts_, handler_);
  if (listener_.is_stopping()) {
    connection->finish();
  }
  return connection;
}

Async<> Server::watch_deadlines() {
  while (true) {
    co_await clock_.sleep(limits_.watch_interval);
    const SteadyTime now = clock_.now();
    for (Connection* connection : listener_.connections()) {
      connection->check_deadline(now);
    }
  }
}

}  // namespace capstan
