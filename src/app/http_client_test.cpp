#include "app/http_client.h"

#include "http/server_test.h"
#include "io/workers.h"

namespace capstan {

using namespace std::chrono_literals;

// The client blocks, so it has a thread of its own while the loop serves it.
class HttpClientTest : public ServerTest {
 protected:
  std::string url(const std::string& path) {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  Async<Outcome<HttpAnswer>> send(HttpCall call, BodySink sink = {}) {
    co_return co_await outcome_of(
        workers_.run([call, sink] { return HttpClient().send(call, sink); }));
  }
  Async<Outcome<HttpAnswer>> get(const std::string& path, BodySink sink = {}) {
    return send({.url = url(path), .headers = {}, .body = {}, .limit = 10s}, std::move(sink));
  }

  SystemClock real_clock_;
  Workers workers_{1};
};

namespace {

ErrorCode code_of(const Outcome<HttpAnswer>& outcome) {
  EXPECT_FALSE(outcome.ok());
  return outcome.ok() ? ErrorCode::internal : outcome.error().code();
}

Async<> write_pieces(BodyWriter* writer, bool breaks_off) {
  co_await writer->write("one ");
  if (breaks_off) {
    throw Error(ErrorCode::unavailable, "broken off");
  }
  co_await writer->write("two");
}

Async<Response> pieces(Request request) {
  bool breaks_off = request.path == "/broken";
  Response response;
  response.status = request.path == "/missing" ? 404 : 200;
  response.stream = [breaks_off](BodyWriter& writer) { return write_pieces(&writer, breaks_off); };
  co_return response;
}

Async<> trickle(BodyWriter* writer, Clock* clock) {
  while (true) {
    co_await writer->write("drop ");
    co_await clock->sleep(7ms);
  }
}

}  // namespace

ASYNC_TEST(HttpClientTest, sends_what_it_is_told_and_returns_what_came) {
  serve(echoing());
  auto answer = co_await send({.method = Method::post,
                               .url = url("/a?b=c"),
                               .headers = {{"x-mine", "1"}},
                               .body = std::string("a\0b", 3),
                               .limit = 10s});
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().status, 200);
  EXPECT_EQ(answer.value().body, std::string("POST /a: a\0b", 12));
  EXPECT_EQ(requests_.size(), 1U);
  EXPECT_EQ(answer.value().request_id, requests_[0].id);
  EXPECT_EQ(requests_[0].header("x-mine"), "1");
  EXPECT_EQ(requests_[0].query_value("b"), "c");
  co_await server_->close();
}

ASYNC_TEST(HttpClientTest, sends_no_body_with_get_and_an_empty_one_with_delete) {
  serve(echoing());
  EXPECT_EQ((co_await get("/a")).value().body, "GET /a: ");
  auto deleted = co_await send(
      {.method = Method::del, .url = url("/a"), .headers = {}, .body = {}, .limit = 10s});
  EXPECT_EQ(deleted.value().body, "DELETE /a: ");
  co_await server_->close();
}

ASYNC_TEST(HttpClientTest, hands_on_a_good_body_as_it_comes) {
  serve(pieces);
  std::string taken;
  auto answer = co_await get("/", [&](std::string_view piece) { taken += piece; });
  EXPECT_EQ(taken, "one two");
  EXPECT_EQ(answer.value().body, "");

  taken.clear();
  auto missing = co_await get("/missing", [&](std::string_view piece) { taken += piece; });
  EXPECT_EQ(missing.value().status, 404);
  EXPECT_EQ(missing.value().body, "one two");
  EXPECT_EQ(taken, "");
  co_await server_->close();
}

ASYNC_TEST(HttpClientTest, passes_on_what_its_sink_throws) {
  serve(pieces);
  auto answer = co_await get(
      "/", [](std::string_view) { throw Error(ErrorCode::unprocessable, "not for me"); });
  EXPECT_EQ(code_of(answer), ErrorCode::unprocessable);
  co_await server_->close();
}

ASYNC_TEST(HttpClientTest, tells_when_an_answer_breaks_off) {
  serve(pieces);
  EXPECT_EQ(code_of(co_await get("/broken")), ErrorCode::unavailable);
  co_await server_->close();
}

// Where a call goes over a full second, libcurl takes it for up to a millisecond longer than it is;
// what trickles in has it look at its clock at such a time.
ASYNC_TEST(HttpClientTest, waits_as_long_as_its_limit_and_no_longer) {
  serve([this](Request) -> Async<Response> {
    Response response;
    response.status = 200;
    response.stream = [this](BodyWriter& writer) { return trickle(&writer, &real_clock_); };
    co_return response;
  });
  for (int round = 0; round < 2; ++round) {
    SteadyTime begin = real_clock_.now();
    auto answer = co_await send({.url = url("/"), .headers = {}, .body = {}, .limit = 1s});
    EXPECT_GE(real_clock_.now() - begin, 1s);
    EXPECT_EQ(code_of(answer), ErrorCode::deadline_exceeded);
  }
  co_await server_->close();
}

ASYNC_TEST(HttpClientTest, follows_no_redirect) {
  Response response;
  response.status = 302;
  response.headers = {{"location", "/elsewhere"}};
  serve(answering(response));
  EXPECT_EQ((co_await get("/")).value().status, 302);
  EXPECT_EQ(requests_.size(), 1U);
  co_await server_->close();
}

ASYNC_TEST(HttpClientTest, tells_a_server_that_is_not_there_from_an_address_that_is_none) {
  serve(echoing());
  std::string nobody = url("/");
  co_await server_->close();
  EXPECT_EQ(code_of(co_await send({.url = nobody, .headers = {}, .body = {}, .limit = 10s})),
            ErrorCode::unavailable);
  for (const char* address : {"", "127.0.0.1:x", "file:///etc/hostname", "gopher://127.0.0.1/"}) {
    auto answer = co_await send({.url = address, .headers = {}, .body = {}, .limit = 10s});
    EXPECT_EQ(code_of(answer), ErrorCode::invalid_argument) << address;
  }
}

TEST(HttpClient, encodes_what_stands_in_a_path) {
  EXPECT_EQ(encode_percent("a/b c?d%\xc3\xbc-._~"), "a%2Fb%20c%3Fd%25%C3%BC-._~");
  EXPECT_EQ(encode_percent(""), "");
}

}  // namespace capstan
