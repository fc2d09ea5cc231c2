#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "egress/destination.h"
#include "egress/upstream.h"

namespace capstan {

// The client's side of asking a SOCKS5 proxy for a connection (RFC 1928, RFC 1929); no I/O. Names
// are resolved by the proxy.
class Socks5Handshake {
 public:
  // An upstream that passed check_upstream().
  Socks5Handshake(const Upstream& upstream, Destination destination);

  // What is to be sent now.
  std::string take_output() { return std::exchange(output_, {}); }
  // Takes bytes until it has something to send, or the end has come, and returns how many they
  // were; what is left after the end is the destination's.
  std::size_t feed(std::string_view bytes);

  enum class State { talking, connected, refused };
  State state() const { return state_; }
  // Why, for the client: "does not accept the user name or password".
  const std::string& refusal() const { return refusal_; }

 private:
  enum class Expected { method, login, answer, bound_address };
  void take();
  void take_method();
  void take_login();
  void take_answer();
  void expect(Expected expected, std::size_t bytes);
  void ask();
  void refuse(std::string why);

  std::string username_;
  std::string password_;
  Destination destination_;
  State state_ = State::talking;
  Expected expected_ = Expected::method;
  std::size_t expected_bytes_ = 2;
  std::string received_;
  std::string output_;
  std::string refusal_;
};

}  // namespace capstan
