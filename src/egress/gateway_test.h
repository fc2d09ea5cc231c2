#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "egress/gateways.h"
#include "http/server_test.h"
#include "io/loop_test.h"

namespace capstan {

// A server of the outside world on a loopback port of its own. The test's body plays it.
class PlayedServer {
 public:
  explicit PlayedServer(const Executor& executor);

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::string place() const { return "127.0.0.1:" + std::to_string(port()); }
  // The next connection.
  Async<RawClient> accept();
  // Whether somebody has connected whom nobody accepted.
  bool was_touched();

 private:
  asio::ip::tcp::acceptor acceptor_;
};

// A gateway on a loopback port of its own, with the test's clock. A test's body opens it, and
// awaits `gateway_->close()` at its end. Loopback may be reached, names are those that it
// tells, and stuck.test, whose lookup never ends.
class GatewayTest : public LoopTest {
 public:
  ~GatewayTest() override;

 protected:
  void open(std::optional<Upstream> upstream = std::nullopt);
  RawClient connect() { return RawClient(executor(), port_); }
  void tell(const std::string& name, const std::vector<std::string>& addresses);
  // Lets pass what a limit allows, and the time until somebody looks.
  Async<> let_run_out(Duration limit) { return let_pass(limit + limits_.watch_interval); }
  // Sends a GET for the server through a new connection and returns the answer.
  Async<std::string> get(std::string url);
  // The client's and the server's end of a tunnel.
  Async<std::pair<RawClient, RawClient>> make_tunnel();
  Upstream upstream(Upstream::Protocol protocol, const std::string& username = "",
                    const std::string& password = "");

  PlayedServer server_{executor()};
  std::vector<std::string> allow_ = {"127.0.0.1"};
  GatewayLimits limits_;
  Metrics metrics_;
  std::unique_ptr<Gateways> gateways_;
  std::unique_ptr<Gateway> gateway_;
  std::uint16_t port_ = 0;

 private:
  struct Names {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_over = false;
    std::map<std::string, Addresses> addresses;
  };
  std::shared_ptr<Names> names_ = std::make_shared<Names>();
};

std::string get_request(const std::string& url, const std::string& headers = "");

}  // namespace capstan
