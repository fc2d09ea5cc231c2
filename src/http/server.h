#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "base/random.h"
#include "http/message.h"
#include "http/server_accounts.h"
#include "http/server_limits.h"
#include "io/clock.h"
#include "io/listener.h"
#include "io/scope.h"

namespace capstan {

class Connection;

// Opens a listening socket. Port 0 lets the kernel choose. Throws unavailable, naming the address
// and the reason ("127.0.0.1:8700 is in use by another program"), and invalid_argument for a host
// that isn't an address or "localhost".
asio::ip::tcp::acceptor listen_on(const Executor& executor, const std::string& host,
                                  std::uint16_t port);

// One listening socket and every connection that came in through it. Its owner awaits close()
// before it dies.
class Server {
 public:
  // `clock`, `random` and whatever `handler` uses outlive the server.
  Server(Executor executor, Clock& clock, Random& random, ServerLimits limits,
         asio::ip::tcp::acceptor acceptor, Handler handler);
  ~Server();

  std::uint16_t port() const { return port_; }
  std::size_t connection_count() const { return listener_.connections().size(); }

  void start();

  // Closes the listening socket and every connection that is between two requests. A request
  // that is under way is answered, with "connection: close". WebSockets go on.
  void stop_accepting();

  // Ends everything and waits until it is gone: handlers are cancelled, WebSockets are told 1001.
  Async<> close();

 private:
  std::unique_ptr<Connection> make_connection(asio::ip::tcp::socket socket);
  Async<> watch_deadlines();

  Clock& clock_;
  Random& random_;
  ServerLimits limits_;
  std::uint16_t port_;
  Handler handler_;
  ServerAccounts accounts_;
  Listener<Connection> listener_;
  Scope scope_;
};

}  // namespace capstan
