#include <cstdlib>
#include <random>

#include "base/log.h"
#include "egress/gateway_test.h"
#include "io/scope.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// What a client may say first, and what a server may answer: sound, cut or senseless.
std::string opening(const std::string& place, std::mt19937& random) {
  const std::string url = "http://" + place + "/";
  switch (random() % 6) {
    case 0:
      return "CONNECT " + place + " HTTP/1.1\r\nHost: x\r\n\r\n";
    case 1:
      return "POST " + url + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
    case 2:
      return "POST " + url +
             " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    case 3:
      return get_request(url, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    case 4:
      return get_request(url).substr(0, random() % 60);
    default:
      return get_request(url) + get_request(url);
  }
}

std::string answer(std::mt19937& random) {
  switch (random() % 6) {
    case 0:
      return "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n";
    case 1:
      return "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(50'000, 'x');
    case 2:
      return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    case 3:
      return "HTTP/1.0 200 OK\r\n\r\n" + std::string(random() % 100'000, 'x');
    case 4:
      return "HTTP/1.1 100 Continue\r\n\r\n";
    default:
      return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  }
}

}  // namespace

class GatewayPropertyTest : public GatewayTest {
 public:
  // Says something, listens for a while, and leaves one way or another.
  Async<> behave(RawClient client, std::string first, unsigned seed) {
    std::mt19937 random(seed);
    co_await client.send(std::move(first));
    for (unsigned turn = random() % 4; turn > 0; --turn) {
      if (client.socket().available() > 0) {
        co_await client.read_bytes(1 + random() % client.socket().available());
      }
      if (random() % 3 == 0) {
        co_await client.send(std::string(random() % 20'000, 'y'));
      }
      co_await settle();
    }
    switch (random() % 3) {
      case 0:
        client.reset();
        break;
      case 1: {
        boost::system::error_code gone;
        client.socket().shutdown(asio::ip::tcp::socket::shutdown_send, gone);
        co_await settle();
        break;
      }
      default:
        break;
    }
  }
  Async<> serve_all(PlayedServer* server, unsigned seed) {
    std::mt19937 random(seed);
    while (true) {
      RawClient line = co_await server->accept();
      scope_.spawn(behave(std::move(line), answer(random), static_cast<unsigned>(random())));
    }
  }

  Scope scope_{executor(), "test"};
};

ASYNC_TEST(GatewayPropertyTest, nothing_is_left_of_clients_and_servers_that_do_anything) {
  // CAPSTAN_SEED repeats a run. The log has it even if the process ends here.
  const char* given = std::getenv("CAPSTAN_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                         : std::random_device()();
  log_info("seed_chosen", {{"seed", seed}});
  std::mt19937 random(seed);
  for (int round = 0; round < 10; ++round) {
    open();
    auto server = std::make_unique<PlayedServer>(executor());
    scope_.spawn(serve_all(server.get(), static_cast<unsigned>(random())));
    for (int i = 0; i < 30; ++i) {
      scope_.spawn(
          behave(connect(), opening(server->place(), random), static_cast<unsigned>(random())));
      for (unsigned turns = random() % 3; turns > 0; --turns) {
        co_await settle();
      }
    }
    // Some rounds end in the middle of everything, the others with the last deadline.
    if (round % 2 == 0) {
      co_await let_run_out(limits_.silence_max);
      co_await let_run_out(limits_.lingering_time_max);
      co_await let_run_out(limits_.silence_max);
      EXPECT_EQ(gateway_->connection_count(), 0U) << "seed " << seed;
    }
    co_await gateway_->close();
    EXPECT_EQ(gateway_->connection_count(), 0U) << "seed " << seed;
    co_await scope_.close();
  }
}

}  // namespace capstan
