#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.h"
#include "io/websocket.h"

namespace capstan {

// What a client may ask of the server before anybody knows who it is.
struct ServerLimits {
  std::size_t request_line_bytes_max = std::size_t{8} * 1024;  // RFC 9112 asks for 8000 at least
  std::size_t header_bytes_max = std::size_t{16} * 1024;       // request line included
  std::size_t header_count_max = 100;                          // browsers send about 20
  std::size_t body_bytes_max = std::size_t{8} * 1024 * 1024;   // a task's code with its source map
  std::size_t bodies_bytes_max = std::size_t{256} * 1024 * 1024;   // of all requests together
  std::size_t answers_bytes_max = std::size_t{256} * 1024 * 1024;  // until they are read
  std::size_t small_bytes_max = std::size_t{16} * 1024;   // such bodies and answers don't count
  std::size_t messages_bytes_max = std::size_t{1} << 30;  // of all WebSockets, while they are read
  std::size_t connections_max = 4096;                     // more wait in the kernel's queue
  std::size_t refusals_told_per_minute_max = 100;         // in the log
  std::size_t requests_per_connection_max = 100'000;      // then balancers may spread anew

  Duration header_time_max = std::chrono::seconds(10);          // from a request's first byte
  Duration body_time_max = std::chrono::seconds(30);            // for all of the body
  Duration body_silence_max = std::chrono::seconds(10);         // between two pieces of it
  Duration idle_time_max = std::chrono::seconds(75);            // browsers reuse for a minute
  Duration write_silence_max = std::chrono::seconds(60);        // a reader that takes nothing
  Duration answer_time_max = std::chrono::minutes(10);          // for all of an answer's body
  Duration lingering_time_max = std::chrono::seconds(2);        // for a last answer to arrive
  Duration accept_retry_time = std::chrono::milliseconds(100);  // when descriptors have run out
  // How often deadlines are looked at, and so how late a connection may be closed.
  Duration watch_interval = std::chrono::milliseconds(250);

  WebSocketLimits websocket;
};

}  // namespace capstan
