#include "egress/socks5.h"

#include <algorithm>
#include <array>

namespace capstan {
namespace {

constexpr char version = 5;
constexpr char login_version = 1;
constexpr char no_login = 0;
constexpr char login_by_password = 2;
constexpr char connect_command = 1;
constexpr char ipv4 = 1;
constexpr char domain_name = 3;
constexpr char ipv6 = 4;

// In the order of their numbers, from 1 on.
constexpr std::array<std::string_view, 8> reply_texts = {
    "failed to connect",
    "does not allow this connection",
    "can't reach the network",
    "can't reach the host",
    "says that the destination refused the connection",
    "gave up: the time to live ran out",
    "does not know the command",
    "does not know this kind of address"};

std::string with_length(std::string_view text) {
  return static_cast<char>(text.size()) + std::string(text);
}

}  // namespace

Socks5Handshake::Socks5Handshake(const Upstream& upstream, Destination destination)
    : username_(upstream.username),
      password_(upstream.password),
      destination_(std::move(destination)) {
  output_ = username_.empty() ? std::string{version, 1, no_login}
                              : std::string{version, 2, no_login, login_by_password};
}

std::size_t Socks5Handshake::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (state_ == State::talking && output_.empty() && taken < bytes.size()) {
    std::size_t count = std::min(bytes.size() - taken, expected_bytes_ - received_.size());
    received_ += bytes.substr(taken, count);
    taken += count;
    if (received_.size() == expected_bytes_) {
      take();
    }
  }
  return taken;
}

void Socks5Handshake::take() {
  switch (expected_) {
    case Expected::method:
      return take_method();
    case Expected::login:
      return take_login();
    case Expected::answer:
      return take_answer();
    case Expected::bound_address:  // of no use to a client of CONNECT
      state_ = State::connected;
      return;
  }
}

void Socks5Handshake::take_method() {
  char method = received_[1];
  if (received_[0] != version) {
    refuse("does not speak SOCKS5");
  } else if (method == no_login) {
    ask();
  } else if (method == login_by_password && !username_.empty()) {
    output_ = login_version + with_length(username_) + with_length(password_);
    expect(Expected::login, 2);
  } else {
    refuse(username_.empty() ? "wants a user name and password"
                             : "does not take a user name and password");
  }
}

void Socks5Handshake::take_login() {
  if (received_[0] == login_version && received_[1] == 0) {
    ask();
  } else {
    refuse("does not accept the user name or password");
  }
}

void Socks5Handshake::ask() {
  output_ = {version, connect_command, 0};
  const Host& host = destination_.host;
  if (!host.address) {
    output_ += domain_name + with_length(host.name());
  } else if (host.address->is_v4()) {
    output_ += ipv4;
    for (unsigned char byte : host.address->to_v4().to_bytes()) {
      output_ += static_cast<char>(byte);
    }
  } else {
    output_ += ipv6;
    for (unsigned char byte : host.address->to_v6().to_bytes()) {
      output_ += static_cast<char>(byte);
    }
  }
  output_ += static_cast<char>(destination_.port >> 8);
  output_ += static_cast<char>(destination_.port & 0xff);
  // Version, reply, reserved, kind of address, and the address's first byte: its length if it is a
  // name.
  expect(Expected::answer, 5);
}

void Socks5Handshake::take_answer() {
  auto reply = static_cast<unsigned char>(received_[1]);
  char kind = received_[3];
  auto first = static_cast<unsigned char>(received_[4]);
  if (received_[0] != version) {
    refuse("does not speak SOCKS5");
  } else if (reply != 0) {
    refuse(std::string(reply <= reply_texts.size() ? reply_texts[reply - 1] : reply_texts[0]));
  } else if (kind == ipv4) {
    expect(Expected::bound_address, 3 + 2);
  } else if (kind == ipv6) {
    expect(Expected::bound_address, 15 + 2);
  } else if (kind == domain_name) {
    expect(Expected::bound_address, std::size_t{first} + 2);
  } else {
    refuse("gives an answer that can't be understood");
  }
}

void Socks5Handshake::expect(Expected expected, std::size_t bytes) {
  expected_ = expected;
  expected_bytes_ = bytes;
  received_.clear();
}

void Socks5Handshake::refuse(std::string why) {
  state_ = State::refused;
  refusal_ = std::move(why);
}

}  // namespace capstan
