#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.h"

namespace capstan {

// What one caged browser may ask of its gateway. Browsers keep their own, smaller bounds; these are
// for those that don't.
struct GatewayLimits {
  std::size_t connections_max = 256;                            // more wait in the kernel's queue
  std::size_t request_head_bytes_max = std::size_t{64} * 1024;  // cookies
  std::size_t answer_head_bytes_max = std::size_t{256} * 1024;  // what Chromium takes
  std::size_t headers_max = 1000;                               // in either
  std::size_t buffer_bytes = std::size_t{64} * 1024;            // for each direction

  Duration idle_time_max = std::chrono::seconds(310);  // Chromium closes first, after 300 s
  Duration head_time_max = std::chrono::seconds(30);   // for a request's head
  // From the name to a connection that can be used; with a proxy on the way, which has to do the
  // same, all of it.
  Duration dial_time_max = std::chrono::seconds(10);
  Duration upstream_time_max = std::chrono::seconds(30);
  Duration next_address_time = std::chrono::seconds(2);  // before another address gets its turn
  Duration answer_time_max = std::chrono::minutes(5);    // for an answer's head: long polls
  // Without a byte in any direction. Live connections may say nothing for long; dead ones are
  // found by TCP's own probes.
  Duration silence_max = std::chrono::hours(1);
  Duration half_closed_silence_max = std::chrono::minutes(2);   // when one side has ended
  Duration late_upload_time_max = std::chrono::seconds(30);     // after the answer is through
  Duration lingering_time_max = std::chrono::seconds(2);        // for a last answer to arrive
  Duration accept_retry_time = std::chrono::milliseconds(100);  // when descriptors have run out
  // How often deadlines are looked at, and so how late a connection may be closed.
  Duration watch_interval = std::chrono::milliseconds(500);
};

}  // namespace capstan
