#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "base/error.h"
#include "base/random.h"
#include "http/message.h"
#include "http/request_parser.h"
#include "http/response_head.h"
#include "http/server_accounts.h"
#include "http/server_limits.h"
#include "io/clock.h"
#include "io/websocket.h"

namespace capstan {

// One accepted socket: reads a request, has it answered, writes the answer, and so on until one
// side has had enough. Lives in Listener::serve(). What it borrows is the server's.
class Connection {
 public:
  Connection(asio::ip::tcp::socket socket, Clock& clock, Random& random, const ServerLimits& limits,
             ServerAccounts& accounts, const Handler& handler);

  // The whole life. Throws when it is cancelled, and never else.
  Async<> live();

  // Ends the life after the request that is under way; at once if there is none.
  void finish();

  // Gives up what has waited too long. The server calls this every `watch_interval`: one look at
  // all connections is cheaper than a timer for every read and write.
  void check_deadline(SteadyTime now);

 private:
  // What is still needed of a request once the handler has got it.
  struct Asked {
    std::string id;
    Method method = Method::get;
    std::string path;
    std::string websocket_key;  // empty unless it wants an upgrade
    bool keeps_alive = false;
    bool is_http_1_0 = false;
  };
  enum class Next { request, goodbye, nothing };

  Async<bool> read_request(RequestParser* parser);
  bool make_room_for_body(std::size_t bytes);
  void note_refusal(std::string_view id, int status, std::string_view message);
  Refusal why_not_whole(const RequestParser& parser) const;
  Asked note(const Request& request, const RequestParser& parser) const;
  Async<Next> answer(Request request, Asked asked);
  Async<Response> handle(Request request);
  Async<Next> refuse(Refusal refusal, std::string id);
  Async<Next> answer_with(Response response, Asked asked);
  Async<Next> send_response(Response response, Asked asked);
  Async<bool> send_file(FileBody body, Asked asked, SteadyTime deadline);
  Async<> run_file(FileBody body, SteadyTime deadline);
  Async<bool> send_stream(Response response, Asked asked);
  Async<> run_stream(Response* response, BodyWriter* writer);
  Async<> write_piece(std::string piece);
  Async<> hand_over(Response response, Asked asked);
  Async<> run_upgrade(Response* response, WebSocket::Handshake handshake);
  static void log_failure(std::string_view event, const Asked& asked, const Error& error);
  Async<> linger();

  Async<bool> receive(SteadyTime deadline);
  // Writes both texts, which stay alive meanwhile, until then. False when the client has gone or
  // takes nothing.
  Async<bool> send(std::string_view first, std::string_view second,
                   SteadyTime deadline = SteadyTime::max());
  // Waits until the kernel takes more. False when the client has gone or takes nothing.
  Async<bool> can_send(SteadyTime deadline);
  std::string_view received() const { return {buffer_.data() + begin_, end_ - begin_}; }

  asio::ip::tcp::socket socket_;
  Clock& clock_;
  Random& random_;
  const ServerLimits& limits_;
  ServerAccounts& accounts_;
  const Handler& handler_;
  std::string remote_;

  // Bytes that have come and belong to no request yet: [begin_, end_).
  std::array<char, std::size_t{16} * 1024> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;

  std::size_t requests_ = 0;
  std::shared_ptr<ByteBudget::Share> body_share_;  // of the request that is being read
  bool has_body_room_ = true;
  bool is_idle_ = false;    // waits for the first byte of a request
  bool finishing_ = false;  // the request that is under way is the last one

  // The wait that is going on, and whether it was given up.
  SteadyTime deadline_ = SteadyTime::max();
  bool is_late_ = false;
};

}  // namespace capstan
