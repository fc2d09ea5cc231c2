#pragma once

#include <optional>
#include <string>

#include "egress/gateway_limits.h"
#include "egress/origin_response.h"
#include "egress/proxy_request.h"
#include "egress/tunnel.h"
#include "io/clock.h"
#include "io/event.h"

namespace capstan {

// One request in plain HTTP and its answer. Both bodies pass at the same time, unchanged and never
// more than a buffer of each: an origin may answer before the upload is through, and one that
// reads slowly holds the client back, as a slow client holds back the origin.
class Exchange {
 public:
  // `request` and what the ends point to outlive it. The destination's `is_proxy` when it is an
  // HTTP proxy on the way there.
  struct Order {
    WireEnd client;
    WireEnd origin;
    const ProxyRequest& request;
    bool is_proxy = false;
  };
  Exchange(const Executor& executor, Clock& clock, const GatewayLimits& limits, Order order);

  enum class Result {
    done,           // the client has got the whole answer
    switched,       // it has got a 101; from here on it is a tunnel
    unanswered,     // the origin has gone without a word
    faulty,         // nothing was passed on: the client is to be told fault()
    proxy_refused,  // nothing was passed on: the proxy on the way wants other credentials
    cut_short,      // the answer's end is missing, as the client will see
    cut_off,        // it broke off, and the client must see that it did
    abandoned,      // the client has gone
  };
  // Sends the head and what follows. Once.
  Async<Result> run(std::string head);

  // Whether another request may follow on that wire.
  bool client_goes_on() const { return client_goes_on_; }
  bool origin_goes_on() const { return origin_goes_on_ && is_uploaded_; }
  const ProxyFault& fault() const { return fault_; }

 private:
  static Async<bool> send_after_head(Wire* wire, std::string* head, std::string_view body);
  Async<> upload();
  Async<> watch_client();
  Async<> download();
  Async<bool> read_head(OriginResponse* response);
  Async<> pass_answer(OriginResponse response);
  Async<bool> pass_body(std::string head, BodyFraming framing);
  void end(Result result);
  void fail(int status, std::string message);

  Clock& clock_;
  const GatewayLimits& limits_;
  Order order_;
  std::string head_;
  std::optional<Result> result_;  // the first that was found
  ProxyFault fault_{502, {}};
  bool is_client_done_ = false;  // it has ended its side, and may still be reading
  bool is_uploaded_ = false;
  bool is_answering_ = false;  // something of the answer was passed on
  bool client_goes_on_ = false;
  bool origin_goes_on_ = false;
  Event upload_ended_;
  Event never_;
};

}  // namespace capstan
