#include "egress/exchange.h"

#include "io/race.h"

namespace capstan {
namespace {

// Servers send one or two.
constexpr int interim_answers_max = 20;

}  // namespace

Exchange::Exchange(const Executor& executor, Clock& clock, const GatewayLimits& limits, Order order)
    : clock_(clock), limits_(limits), order_(order), upload_ended_(executor), never_(executor) {}

Async<Exchange::Result> Exchange::run(std::string head) {
  head_ = std::move(head);
  order_.client.wire->allow_silence(limits_.silence_max);
  order_.origin.wire->allow_silence(limits_.answer_time_max);
  std::vector<Async<>> works;
  works.push_back(upload());
  works.push_back(download());
  co_await first_of(std::move(works));
  co_return result_.value_or(Result::abandoned);
}

// Once one way has ended, the other is broken off, and what it finds then is of no account.
void Exchange::end(Result result) {
  if (!result_) {
    result_ = result;
  }
}

void Exchange::fail(int status, std::string message) {
  if (!result_) {
    result_ = is_answering_ ? Result::cut_short : Result::faulty;
    fault_ = {status, std::move(message)};
  }
}

// The first bytes of a body go out together with the head, in one packet if they fit.
Async<bool> Exchange::send_after_head(Wire* wire, std::string* head, std::string_view body) {
  if (head->empty()) {
    co_return co_await wire->write(body);
  }
  std::string bytes = std::exchange(*head, {});
  bytes += body;
  co_return co_await wire->write(bytes);
}

// Returns only when there is nothing more to wait for, the answer included.
Async<> Exchange::upload() {
  ByteBuffer& received = *order_.client.received;
  BodyMeter meter(order_.request.body);
  bool is_taken = true;
  while (is_taken) {
    std::string_view body = received.bytes().substr(0, meter.feed(received.bytes()));
    if (meter.state() == BodyMeter::State::malformed) {
      fail(400, "the chunks of the request's body are malformed");
      co_return;
    }
    is_taken = co_await send_after_head(order_.origin.wire, &head_, body);
    received.drop(body.size());
    if (meter.state() == BodyMeter::State::done) {
      break;
    }
    if (received.is_empty() &&
        co_await order_.client.wire->read(&received) != Wire::Reading::bytes) {
      end(Result::abandoned);
      co_return;
    }
  }
  // An origin that takes no more may still have said why.
  is_uploaded_ = is_taken;
  upload_ended_.set();
  co_await watch_client();
}

// The client may leave while the answer is waited for. That it has ended its side alone is no
// reason to give up, but one to be less patient.
Async<> Exchange::watch_client() {
  if (order_.client.received->is_empty()) {
    co_await order_.client.wire->wait_readable();
    auto peeking = order_.client.wire->peek();
    if (peeking == Wire::Peeking::broken) {
      end(Result::abandoned);
      co_return;
    }
    if (peeking == Wire::Peeking::end) {
      is_client_done_ = true;
      order_.origin.wire->allow_silence(limits_.half_closed_silence_max);
    }
  }
  co_await never_.wait();
}

Async<> Exchange::download() {
  OriginResponse response;
  for (int interims = 0; co_await read_head(&response); ++interims) {
    if (response.status == 407 && order_.is_proxy) {
      end(Result::proxy_refused);
      co_return;
    }
    if (!response.is_interim()) {
      co_await pass_answer(std::move(response));
      co_return;
    }
    if (interims == interim_answers_max) {
      fail(502, "the server gives interim answers only");
      co_return;
    }
    if (!order_.request.is_http_1_0) {
      is_answering_ = true;
      if (!co_await order_.client.wire->write(client_head(response, true))) {
        end(Result::abandoned);
        co_return;
      }
    }
  }
}

// False, with the result set, if there is none.
Async<bool> Exchange::read_head(OriginResponse* response) {
  ByteBuffer& received = *order_.origin.received;
  HeadReader reader(HeadReader::Manner::lenient,
                    {limits_.answer_head_bytes_max, limits_.headers_max});
  while (reader.state() == HeadReader::State::reading) {
    if (received.is_empty() &&
        co_await order_.origin.wire->read(&received) != Wire::Reading::bytes) {
      if (order_.origin.wire->is_late()) {
        fail(504, "the server does not answer in time");
      } else if (reader.has_begun() || is_answering_) {
        fail(502, "the server's answer ends within its header");
      } else {
        end(Result::unanswered);
      }
      co_return false;
    }
    received.drop(reader.feed(received.bytes()));
  }
  if (reader.state() != HeadReader::State::done) {
    fail(502, reader.state() == HeadReader::State::too_large
                  ? "the header of the server's answer is too long"
                  : "the header of the server's answer is malformed");
    co_return false;
  }
  auto reading = read_origin_response(reader.head(), order_.request);
  if (auto* trouble = std::get_if<std::string>(&reading)) {
    fail(502, std::move(*trouble));
    co_return false;
  }
  *response = std::get<OriginResponse>(std::move(reading));
  co_return true;
}

Async<> Exchange::pass_answer(OriginResponse response) {
  bool ends_with_wire = response.has_body && response.body.kind == BodyFraming::Kind::until_close;
  client_goes_on_ = order_.request.keeps_alive && is_uploaded_ && !ends_with_wire;
  origin_goes_on_ = response.keeps_alive && !ends_with_wire;
  if (!is_client_done_) {
    order_.origin.wire->allow_silence(limits_.silence_max);
  }
  std::string head = client_head(response, client_goes_on_);
  BodyFraming framing = response.has_body ? response.body : BodyFraming{};
  if (!co_await pass_body(std::move(head), framing)) {
    co_return;
  }
  end(response.status == 101 ? Result::switched : Result::done);
  if (result_ == Result::done && !upload_ended_.is_set()) {
    // The client was told that this answer is the last one.
    auto outcome = co_await outcome_of(
        within(clock_, limits_.late_upload_time_max, upload_ended_.wait(), "too late"));
    (void)outcome;
  }
}

// False, with the result set, if it doesn't pass whole.
Async<bool> Exchange::pass_body(std::string head, BodyFraming framing) {
  ByteBuffer& received = *order_.origin.received;
  BodyMeter meter(framing);
  while (true) {
    std::string_view body = received.bytes().substr(0, meter.feed(received.bytes()));
    if (meter.state() == BodyMeter::State::malformed) {
      fail(502, "the chunks of the server's answer are malformed");
      co_return false;
    }
    is_answering_ = true;
    if (!co_await send_after_head(order_.client.wire, &head, body)) {
      end(Result::abandoned);
      co_return false;
    }
    received.drop(body.size());
    if (meter.state() == BodyMeter::State::done) {
      co_return true;
    }
    if (!received.is_empty()) {
      continue;
    }
    auto reading = co_await order_.origin.wire->read(&received);
    if (reading != Wire::Reading::bytes) {
      bool is_whole =
          reading == Wire::Reading::end && framing.kind == BodyFraming::Kind::until_close;
      if (!is_whole) {
        end(reading == Wire::Reading::end ? Result::cut_short : Result::cut_off);
      }
      co_return is_whole;
    }
  }
}

}  // namespace capstan
