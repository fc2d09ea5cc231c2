#include "egress/dialer.h"

#include <algorithm>
#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/udp.hpp>

#include "egress/origin_response.h"
#include "egress/socks5.h"
#include "io/file.h"
#include "io/race.h"

namespace capstan {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr HeadLimits connect_answer_limits{std::size_t{16} * 1024, 100};

// Names that mean something else to everybody, and that a proxy would resolve in its own network.
bool is_local_name(std::string_view name) {
  if (name.find('.') == std::string_view::npos) {
    return true;
  }
  constexpr std::array<std::string_view, 5> zones = {".localhost", ".local", ".internal",
                                                     ".localdomain", ".home.arpa"};
  return std::any_of(zones.begin(), zones.end(),
                     [&](std::string_view zone) { return name.ends_with(zone); });
}

Error refused(const Destination& destination) {
  return Error(ErrorCode::permission_denied,
               destination.text() +
                   " is not on the public internet, and this server's setting egress.allow does "
                   "not list it");
}

Error connect_error(const Destination& destination, const boost::system::error_code& error) {
  std::string who = destination.text();
  if (error == asio::error::connection_refused) {
    return Error(ErrorCode::unavailable, who + " refuses the connection");
  }
  if (error == asio::error::timed_out) {
    return Error(ErrorCode::deadline_exceeded, who + " does not answer");
  }
  return Error(ErrorCode::unavailable, who + " can't be reached", error.message());
}

// A peer that has died without a word is found within 2 minutes.
void probe_when_idle(asio::ip::tcp::socket& socket) {
  constexpr int yes = 1;
  constexpr int idle_s = 60;
  constexpr int interval_s = 15;
  constexpr int probes = 4;
  int fd = socket.native_handle();
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

}  // namespace

bool is_own_address(const asio::ip::address& address) {
  // Nothing is sent: the kernel only says from where it would. To what is ours it goes from there.
  asio::ip::udp::endpoint there(address, 9);
  Fd probe(::socket(there.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) {
    return true;  // no descriptors are left to find out with
  }
  if (::connect(probe.get(), there.data(), static_cast<socklen_t>(there.size())) != 0) {
    return false;
  }
  asio::ip::udp::endpoint here;
  auto size = static_cast<socklen_t>(here.capacity());
  if (::getsockname(probe.get(), here.data(), &size) != 0) {
    return false;
  }
  here.resize(size);
  return here.address() == address;
}

Dialer::Dialer(const WayOut& way, const GatewayLimits& limits, std::optional<Upstream> upstream,
               Ledger& ledger)
    : way_(way),
      limits_(limits),
      upstream_(std::move(upstream)),
      ledger_(ledger),
      asker_(way_.resolver.new_asker()) {
  if (upstream_) {
    check_upstream(*upstream_);
    upstream_place_ = Destination{*read_lone_host(upstream_->host), upstream_->port};
    authorization_ = basic_authorization(*upstream_);
  }
}

bool Dialer::is_http_proxied() const {
  return upstream_ && upstream_->protocol != Upstream::Protocol::socks5;
}

Error Dialer::upstream_error(const std::string& trouble, std::string cause) const {
  return Error(ErrorCode::unavailable, "the proxy " + upstream_place_->text() + " " + trouble,
               std::move(cause));
}

Async<std::unique_ptr<Wire>> Dialer::dial(Destination destination) {
  if (upstream_) {
    return dial_through_upstream(std::move(destination), Purpose::tunnel);
  }
  auto message = destination.text() + " takes too long to answer";
  return within(way_.clock, limits_.dial_time_max,
                connect(std::move(destination), Judging::by_policy), std::move(message));
}

Async<std::unique_ptr<Wire>> Dialer::dial_for_http(Destination destination) {
  return is_http_proxied() ? dial_through_upstream(std::move(destination), Purpose::requests)
                           : dial(std::move(destination));
}

Async<std::unique_ptr<Wire>> Dialer::dial_through_upstream(Destination destination,
                                                           Purpose purpose) {
  judge_unresolved(destination);
  auto outcome = co_await outcome_of(
      within(way_.clock, limits_.upstream_time_max, reach_upstream(destination, purpose),
             "the proxy " + upstream_place_->text() + " takes too long to answer"));
  if (!outcome.ok() && outcome.error().code() != ErrorCode::cancelled) {
    ledger_.note_upstream_failure(outcome.error().message());
  }
  co_return std::move(outcome).take();
}

Async<std::unique_ptr<Wire>> Dialer::reach_upstream(Destination destination, Purpose purpose) {
  Judging judging = upstream_->is_trusted ? Judging::nothing : Judging::by_policy;
  auto outcome = co_await outcome_of(connect(*upstream_place_, judging));
  if (!outcome.ok() && outcome.error().code() != ErrorCode::cancelled) {
    throw Error(outcome.error().code(), "the proxy " + outcome.error().message(),
                outcome.error().cause());
  }
  auto wire = std::move(outcome).take();
  if (upstream_->protocol == Upstream::Protocol::https) {
    co_await start_tls(wire.get());
  }
  if (purpose == Purpose::tunnel && upstream_->protocol == Upstream::Protocol::socks5) {
    co_await ask_by_socks(wire.get(), std::move(destination));
  } else if (purpose == Purpose::tunnel) {
    co_await ask_by_http(wire.get(), std::move(destination));
  }
  co_return wire;
}

Async<> Dialer::start_tls(Wire* wire) {
  auto outcome = co_await outcome_of(wire->start_tls(&way_.trust, upstream_place_->host));
  if (!outcome.ok() && outcome.error().code() != ErrorCode::cancelled) {
    throw upstream_error("can't be talked to by TLS: " + outcome.error().message(),
                         outcome.error().cause());
  }
  std::move(outcome).take();
}

Async<> Dialer::ask_by_http(Wire* wire, Destination destination) {
  std::string request =
      "CONNECT " + destination.text() + " HTTP/1.1\r\nHost: " + destination.text() + "\r\n";
  if (!authorization_.empty()) {
    request += "Proxy-Authorization: " + authorization_ + "\r\n";
  }
  request += "\r\n";
  bool is_sent = co_await wire->write(request);
  ByteBuffer buffer(connect_answer_limits.bytes_max);
  while (true) {
    HeadReader reader(HeadReader::Manner::lenient, connect_answer_limits);
    while (is_sent && reader.state() == HeadReader::State::reading) {
      if (buffer.is_empty() && co_await wire->read(&buffer) != Wire::Reading::bytes) {
        break;
      }
      buffer.drop(reader.feed(buffer.bytes()));
    }
    if (!is_sent || reader.state() == HeadReader::State::reading) {
      throw upstream_error("hangs up instead of making the connection");
    }
    auto line = reader.state() == HeadReader::State::done
                    ? read_status_line(reader.head().start_line)
                    : std::nullopt;
    if (!line || line->status == 101) {
      throw upstream_error("gives an answer that is not HTTP/1.1");
    }
    // Nobody but the proxy answers here, and tinyproxy says 401 to a wrong password.
    if (line->status == 407 || line->status == 401) {
      throw upstream_error(authorization_.empty() ? "wants a user name and password"
                                                  : "does not accept the user name or password");
    }
    if (line->status >= 300) {
      throw upstream_error("does not make the connection: it answers " +
                           std::to_string(line->status));
    }
    if (line->status >= 200) {
      wire->unread(buffer.bytes());
      co_return;
    }
  }
}

Async<> Dialer::ask_by_socks(Wire* wire, Destination destination) {
  Socks5Handshake handshake(*upstream_, std::move(destination));
  ByteBuffer buffer(512);
  while (handshake.state() == Socks5Handshake::State::talking) {
    std::string output = handshake.take_output();
    bool is_alive = co_await wire->write(output);
    if (is_alive && buffer.is_empty()) {
      is_alive = co_await wire->read(&buffer) == Wire::Reading::bytes;
    }
    if (!is_alive) {
      throw upstream_error("hangs up instead of making the connection");
    }
    buffer.drop(handshake.feed(buffer.bytes()));
  }
  if (handshake.state() == Socks5Handshake::State::refused) {
    throw upstream_error(handshake.refusal());
  }
  wire->unread(buffer.bytes());
}

// One address after the other, until one can be connected to.
Async<std::unique_ptr<Wire>> Dialer::connect(Destination destination, Judging judging) {
  Addresses addresses = co_await find_addresses(destination, judging);
  Outcome<std::unique_ptr<Wire>> outcome;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    auto attempt = connect_to(addresses[i], destination);
    if (i + 1 < addresses.size()) {
      attempt = within(way_.clock, limits_.next_address_time, std::move(attempt),
                       destination.text() + " takes too long to answer");
    }
    outcome = co_await outcome_of(std::move(attempt));
    if (outcome.ok() || outcome.error().code() == ErrorCode::cancelled) {
      break;
    }
  }
  co_return std::move(outcome).take();
}

// All that may be dialled for the destination. If one of a name's addresses may not, none may:
// the name is not what it seems.
Async<Addresses> Dialer::find_addresses(Destination destination, Judging judging) {
  Addresses addresses;
  if (destination.host.address) {
    addresses.push_back(*destination.host.address);
  } else {
    addresses = co_await way_.resolver.resolve(asker_, std::string(destination.host.name()));
  }
  if (judging == Judging::by_policy &&
      !way_.policy.lists_name(destination.host, destination.port)) {
    judge(destination, addresses);
  }
  co_return addresses;
}

Async<std::unique_ptr<Wire>> Dialer::connect_to(asio::ip::address address,
                                                Destination destination) {
  asio::ip::tcp::endpoint endpoint(address, destination.port);
  asio::ip::tcp::socket socket(way_.executor);
  boost::system::error_code error;
  socket.open(endpoint.protocol(), error);
  if (!error) {
    std::tie(error) = co_await socket.async_connect(endpoint, as_result);
  }
  if (error == asio::error::operation_aborted) {
    throw Error(ErrorCode::cancelled, "cancelled");
  }
  if (error) {
    throw connect_error(destination, error);
  }
  probe_when_idle(socket);
  co_return std::make_unique<Wire>(std::move(socket), way_.clock, &ledger_);
}

void Dialer::judge(const Destination& destination, const Addresses& addresses) const {
  for (const asio::ip::address& address : addresses) {
    bool is_listed = way_.policy.lists(address, destination.port);
    if (!is_listed && (!is_public_address(address) || is_own_address(address))) {
      throw refused(destination);
    }
  }
}

// What the proxy will resolve, or dial as it is.
void Dialer::judge_unresolved(const Destination& destination) const {
  const Host& host = destination.host;
  if (host.address) {
    judge(destination, {*host.address});
  } else if (is_local_name(host.name()) && !way_.policy.lists_name(host, destination.port)) {
    throw refused(destination);
  }
}

}  // namespace capstan
