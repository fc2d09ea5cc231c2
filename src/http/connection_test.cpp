#include "http/connection.h"

#include "http/server_test.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr const char* request = "GET /x HTTP/1.1\r\nhost: a\r\n\r\n";

// More than the kernel's buffers take, where it matters.
std::string many_bytes(std::size_t count) {
  std::string bytes;
  bytes.resize(count, 'x');
  return bytes;
}

Async<Response> wait_and_respond(Event* event, bool* ended) {
  co_await event->wait();
  *ended = true;
  co_return text_response("late");
}

Async<Response> fail_later(Clock* clock) {
  co_await clock->sleep(0s);
  throw Error(ErrorCode::not_found, "a message for nobody", "a secret cause");
}

Async<Response> fail_now() { throw Error(ErrorCode::internal, "at once"); }

Async<> stream_three(BodyWriter* writer) {
  co_await writer->write("one");
  co_await writer->write("");
  co_await writer->write("two!");
  co_await writer->write(std::string(100'000, 'x'));
}

Async<> stream_and_fail(BodyWriter* writer) {
  co_await writer->write("one");
  throw Error(ErrorCode::internal, "no more");
}

Async<> stream_until_gone(BodyWriter* writer, std::string* ending) {
  while (true) {
    auto outcome = co_await outcome_of(writer->write(std::string(100'000, 'x')));
    if (!outcome.ok()) {
      *ending = outcome.error().message();
      co_return;
    }
  }
}

Response streaming(std::function<Async<>(BodyWriter&)> stream) {
  Response response;
  response.headers.push_back({"content-type", "text/event-stream"});
  response.stream = std::move(stream);
  return response;
}

}  // namespace

class ConnectionTest : public ServerTest {};

ASYNC_TEST(ConnectionTest, answers_and_goes_on) {
  serve(echoing());
  RawClient client = connect();
  co_await client.send(
      "POST /a%20b?k=v HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n"
      "content-length: 4\r\n\r\nbody");
  std::string answer = co_await client.read_answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nPOST /a%20b: body")) << answer;
  EXPECT_NE(answer.find("\r\nx-request-id: mine\r\n"), std::string::npos);
  co_await client.send(request);
  answer = co_await client.read_answer();
  EXPECT_TRUE(answer.ends_with("GET /x: ")) << answer;
  EXPECT_EQ(requests_.at(0).query_value("k"), "v");
  EXPECT_TRUE(requests_.at(0).remote.starts_with("127.0.0.1:"));
  EXPECT_EQ(requests_.at(1).id.size(), 36U);
  EXPECT_NE(answer.find("x-request-id: " + requests_.at(1).id), std::string::npos);
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, answers_a_thousand_pipelined_requests_in_order) {
  serve(echoing());
  RawClient client = connect();
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nhost: a\r\n\r\n";
  }
  co_await client.send(all);
  for (int i = 0; i < 1000; ++i) {
    std::string answer = co_await client.read_answer();
    EXPECT_TRUE(answer.ends_with("\r\n\r\nGET /" + std::to_string(i) + ": ")) << answer;
  }
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, closes_when_it_is_told_or_has_served_enough) {
  limits_.requests_per_connection_max = 2;
  serve(echoing());
  auto answers_to = [](std::string first) { return first + request + request; };
  RawClient told = connect();
  std::string told_answers =
      co_await told.ask(answers_to("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"));
  EXPECT_EQ(count_of(told_answers, "HTTP/1.1 200"), 1U);
  EXPECT_EQ(count_of(told_answers, "connection: close"), 1U);
  RawClient old = connect();
  EXPECT_EQ(count_of(co_await old.ask(answers_to("GET / HTTP/1.0\r\n\r\n")), "HTTP/1.1 200"), 1U);
  RawClient many = connect();
  std::string many_answers = co_await many.ask(answers_to(request));
  EXPECT_EQ(count_of(many_answers, "HTTP/1.1 200"), 2U);
  EXPECT_EQ(count_of(many_answers, "connection: close"), 1U);
  RawClient kept = connect();
  co_await kept.send("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
  EXPECT_NE((co_await kept.read_answer()).find("connection: keep-alive"), std::string::npos);
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, answers_head_without_a_body) {
  serve(echoing());
  RawClient client = connect();
  std::string answers = co_await client.ask(
      "HEAD /x HTTP/1.1\r\nhost: a\r\n\r\n"
      "GET /y HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  EXPECT_NE(answers.find("content-length: 9\r\n"), std::string::npos) << answers;
  EXPECT_EQ(answers.find("HEAD /x: "), std::string::npos);
  EXPECT_TRUE(answers.ends_with("GET /y: "));
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, asks_for_the_body_that_is_held_back) {
  serve(echoing());
  RawClient client = connect();
  const std::string head =
      "PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
  co_await client.send(head);
  EXPECT_EQ(co_await client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  co_await client.send("ab");
  EXPECT_TRUE((co_await client.read_answer()).ends_with("PUT /: ab"));
  co_await client.send(head + "cd");  // who doesn't wait isn't told
  std::string answer = co_await client.read_answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200") && answer.ends_with("PUT /: cd")) << answer;
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, takes_large_bodies_in_both_forms) {
  serve(echoing());
  const std::string large(5'000'000, 'x');
  RawClient client = connect();
  co_await client.send("PUT /plain HTTP/1.1\r\nhost: a\r\ncontent-length: 5000000\r\n\r\n" + large);
  EXPECT_TRUE((co_await client.read_answer()).ends_with("PUT /plain: " + large));
  std::string chunks;
  for (int i = 0; i < 50; ++i) {
    chunks += "186a0\r\n" + large.substr(0, 100'000) + "\r\n";
  }
  co_await client.send("PUT /chunks HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" +
                       chunks + "0\r\n\r\n");
  EXPECT_TRUE((co_await client.read_answer()).ends_with("PUT /chunks: " + large));
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, answers_who_has_ended_sending) {
  serve(echoing());
  RawClient client = connect();
  co_await client.send(request);
  client.end_sending();
  EXPECT_TRUE((co_await client.read_to_end()).ends_with("GET /x: "));
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, lets_the_handler_end_when_the_client_has_gone) {
  Event answer(executor());
  bool ended = false;
  serve([&](Request) { return wait_and_respond(&answer, &ended); });
  RawClient client = connect();
  co_await client.send(request);
  co_await settle();
  client.reset();
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 1U);
  answer.set();
  co_await settle();
  EXPECT_TRUE(ended);
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

Async<Response> hold_and_wait(Request asked, Event* answer, bool* ended) {
  Response response = co_await wait_and_respond(answer, ended);
  response.body += " after " + std::to_string(asked.body.size()) + " bytes";
  co_return response;
}

ASYNC_TEST(ConnectionTest, refuses_a_body_that_there_is_no_room_for) {
  limits_.bodies_bytes_max = 1000;
  limits_.small_bytes_max = 500;
  Event answer(executor());
  bool ended = false;
  serve([&](Request asked) {
    return asked.path == "/slow" ? hold_and_wait(std::move(asked), &answer, &ended)
                                 : echoing()(std::move(asked));
  });
  auto post = [](std::string_view path) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nhost: a\r\ncontent-length: 600\r\n\r\n" +
           many_bytes(600);
  };
  RawClient holder = connect();
  co_await holder.send(post("/slow"));
  co_await settle();
  RawClient late = connect();
  std::string refusal = co_await late.ask(post("/quick"));
  EXPECT_TRUE(refusal.starts_with("HTTP/1.1 503 ")) << refusal;
  EXPECT_NE(refusal.find("\r\nretry-after: 1\r\n"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("too many large bodies"), std::string::npos) << refusal;
  RawClient small = connect();
  co_await small.send("POST /quick HTTP/1.1\r\nhost: a\r\ncontent-length: 500\r\n\r\n" +
                      many_bytes(500));
  std::string accepted = co_await small.read_answer();
  EXPECT_TRUE(accepted.starts_with("HTTP/1.1 200 ")) << accepted;
  answer.set();
  co_await holder.read_answer();
  EXPECT_TRUE(ended);
  RawClient next = connect();
  co_await next.send(post("/quick"));
  std::string taken = co_await next.read_answer();
  EXPECT_TRUE(taken.starts_with("HTTP/1.1 200 ")) << taken;
  co_await server_->close();
}

Async<Response> drop_and_wait(Request asked, Event* answer, bool* ended) {
  asked.drop_body();
  co_return co_await wait_and_respond(answer, ended);
}

ASYNC_TEST(ConnectionTest, holds_no_room_for_a_body_that_was_dropped) {
  limits_.bodies_bytes_max = 1000;
  limits_.small_bytes_max = 500;
  Event answer(executor());
  bool ended = false;
  serve([&](Request asked) { return drop_and_wait(std::move(asked), &answer, &ended); });
  std::string post = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 600\r\n\r\n" + many_bytes(600);
  RawClient first = connect();
  RawClient second = connect();
  co_await first.send(post);
  co_await settle();
  co_await second.send(post);
  co_await settle();
  answer.set();
  for (RawClient* client : {&first, &second}) {
    std::string taken = co_await client->read_answer();
    EXPECT_TRUE(taken.starts_with("HTTP/1.1 200 ")) << taken;
  }
  co_await server_->close();
}

// More than the kernel takes in for a client that doesn't read.
Response long_response() {
  Response response = text_response(many_bytes(16 << 20));
  response.headers.push_back({"x-execution-id", "the-run"});
  return response;
}

ASYNC_TEST(ConnectionTest, refuses_a_long_answer_while_others_are_not_read) {
  limits_.answers_bytes_max = std::size_t{20} << 20;
  serve(answering(long_response()));
  RawClient slow = connect();
  co_await slow.send("GET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  std::string begun = co_await slow.read_until("\r\n\r\n");
  EXPECT_TRUE(begun.starts_with("HTTP/1.1 200 ")) << begun;
  RawClient late = connect();
  co_await late.send(request);
  std::string refusal = co_await late.read_answer();
  EXPECT_TRUE(refusal.starts_with("HTTP/1.1 503 ")) << refusal;
  EXPECT_NE(refusal.find("too many long answers"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("\r\nretry-after: 1\r\n"), std::string::npos) << refusal;
  EXPECT_EQ(count_of(refusal, "content-type"), 1U) << refusal;
  co_await late.send("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  refusal = co_await late.read_answer();
  EXPECT_NE(refusal.find("the request is done"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("\r\nx-should-retry: false\r\n"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("\r\nx-execution-id: the-run\r\n"), std::string::npos) << refusal;
  co_await slow.read_to_end();
  co_await late.send(request);
  std::string taken = co_await late.read_answer();
  EXPECT_TRUE(taken.starts_with("HTTP/1.1 200 ")) << taken.substr(0, 500);
  co_await server_->close();
}

Async<> stream_long(BodyWriter* writer) {
  co_await writer->write("begun");
  co_await writer->write(many_bytes(16 << 20));
}

ASYNC_TEST(ConnectionTest, counts_the_long_pieces_of_streams_too) {
  limits_.answers_bytes_max = std::size_t{20} << 20;
  serve(answering(streaming([](BodyWriter& writer) { return stream_long(&writer); })));
  RawClient slow = connect();
  co_await slow.send(request);
  co_await slow.read_until("begun");
  RawClient late = connect();
  std::string cut = co_await late.ask(request);
  EXPECT_TRUE(cut.ends_with("\r\n\r\n5\r\nbegun\r\n")) << cut.substr(0, 500);
  std::string whole = co_await slow.read_bytes(16 << 20);
  EXPECT_EQ(whole.size(), 16U << 20);
  RawClient next = connect();
  co_await next.send(request);
  co_await next.read_until("begun");
  EXPECT_EQ((co_await next.read_bytes(16 << 20)).size(), 16U << 20);
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, gives_up_an_answer_that_takes_too_long) {
  limits_.answer_time_max = limits_.write_silence_max / 2;
  serve(answering(long_response()));
  RawClient slow = connect();
  co_await slow.send(request);
  co_await let_pass(limits_.answer_time_max - 1s);
  EXPECT_EQ(server_->connection_count(), 1U);
  co_await let_run_out(1s);
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, tells_nothing_of_a_handlers_failure) {
  serve([this](Request asked) {
    return asked.path == "/now" ? throw Error(ErrorCode::internal, "outside any coroutine")
           : asked.path == "/x" ? fail_later(&clock_)
                                : fail_now();
  });
  for (const char* path : {"/x", "/now", "/soon"}) {
    RawClient client = connect();
    std::string answer = co_await client.ask("GET " + std::string(path) +
                                             " HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 Internal Server Error\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with(R"({"error":{"code":500,"message":"internal error"}})"));
  }
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, sends_no_header_that_could_be_two) {
  Response response = text_response("body");
  response.headers.push_back({"location", "/a\r\nset-cookie: evil"});
  serve(answering(response));
  RawClient client = connect();
  co_await client.send(request);
  std::string answer = co_await client.read_answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500")) << answer;
  EXPECT_EQ(answer.find("evil"), std::string::npos);
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, streams_in_chunks) {
  serve(answering(streaming([](BodyWriter& writer) { return stream_three(&writer); })));
  RawClient client = connect();
  co_await client.send(request);
  std::string head = co_await client.read_until("\r\n\r\n");
  EXPECT_NE(head.find("transfer-encoding: chunked"), std::string::npos) << head;
  EXPECT_EQ(co_await client.read_until("0\r\n\r\n"),
            "3\r\none\r\n4\r\ntwo!\r\n186a0\r\n" + std::string(100'000, 'x') + "\r\n0\r\n\r\n");
  std::string rest =
      co_await client.ask("HEAD /x HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(count_of(rest, "transfer-encoding"), 1U) << "HTTP/1.0 knows no chunks";
  EXPECT_TRUE(rest.ends_with("\r\n\r\nonetwo!" + std::string(100'000, 'x')));
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, cuts_a_stream_off_that_fails) {
  serve(answering(streaming([](BodyWriter& writer) { return stream_and_fail(&writer); })));
  RawClient client = connect();
  std::string answer = co_await client.ask(request);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n3\r\none\r\n")) << answer;
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, tells_a_stream_that_its_client_has_gone) {
  std::string ending;
  serve(answering(
      streaming([&ending](BodyWriter& writer) { return stream_until_gone(&writer, &ending); })));
  RawClient client = connect();
  co_await client.send(request);
  co_await client.read_until("\r\n\r\n");
  client.reset();
  co_await settle();
  EXPECT_EQ(ending, "the client has gone");
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, gives_up_a_reader_that_takes_nothing) {
  serve(answering(text_response(many_bytes(50'000'000))));
  RawClient client = connect();
  co_await client.send(request);
  co_await let_run_out(limits_.write_silence_max - 1s);
  EXPECT_EQ(server_->connection_count(), 1U);
  co_await let_run_out(1s);
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, closes_an_idle_connection_without_a_word) {
  serve(echoing());
  RawClient fresh = connect();
  RawClient used = connect();
  co_await used.send(request);
  co_await used.read_answer();
  co_await let_run_out(limits_.idle_time_max);
  EXPECT_EQ(co_await fresh.read_to_end(), "");
  EXPECT_EQ(co_await used.read_to_end(), "");
  co_await server_->close();
}

// Who keeps sending, but too little, gets no more time than who sends nothing.
ASYNC_TEST(ConnectionTest, answers_408_to_what_comes_too_slowly) {
  serve(echoing());
  RawClient head = connect();
  RawClient body = connect();
  RawClient silent_body = connect();
  RawClient expectant = connect();
  co_await head.send("GET / HT");
  co_await body.send("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n");
  co_await silent_body.send("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\nx");
  co_await expectant.send(
      "PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n");
  for (int second = 0; second < 30; second += 5) {
    co_await let_pass(5s);
    co_await head.send("x");
    co_await body.send("x");
  }
  co_await let_run_out(0s);
  std::string answer = co_await head.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n")) << answer;
  EXPECT_NE(answer.find("header"), std::string::npos);
  for (RawClient* client : {&body, &silent_body}) {
    answer = co_await client->read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n")) << answer;
    EXPECT_NE(answer.find("body"), std::string::npos);
  }
  answer = co_await expectant.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 ")) << answer;
  EXPECT_TRUE(requests_.empty());
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, answers_400_to_what_ends_too_early) {
  serve(echoing());
  for (const char* begun : {"GET / HT", "GET / HTTP/1.1\r\nhost: a\r\n",
                            "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nabc",
                            "PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
                            "3\r\nabc\r\n"}) {
    RawClient client = connect();
    co_await client.send(begun);
    client.end_sending();
    EXPECT_TRUE((co_await client.read_to_end()).starts_with("HTTP/1.1 400 ")) << begun;
  }
  EXPECT_TRUE(requests_.empty());
  co_await server_->close();
}

// The answer arrives although the client is still sending, and has more to send than fits.
ASYNC_TEST(ConnectionTest, answers_413_before_the_body_has_come) {
  serve(echoing());
  RawClient client = connect();
  co_await client.send("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 20000000\r\n\r\n" +
                       many_bytes(20'000'000));
  std::string answer = co_await client.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 Content Too Large\r\n")) << answer.substr(0, 100);
  EXPECT_NE(answer.find("8388608 bytes"), std::string::npos);
  EXPECT_FALSE(answer.ends_with("(reset)"));
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, hangs_up_on_who_doesnt_stop_sending) {
  serve(echoing());
  RawClient client = connect();
  co_await client.send("NONSENSE\r\n");
  co_await client.read_to_end();
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 1U);
  co_await let_run_out(limits_.lingering_time_max);
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(ConnectionTest, answers_426_where_only_websocket_is_spoken) {
  Response response;
  response.upgrade = [](std::unique_ptr<WebSocket>) -> Async<> { co_return; };
  serve(answering(response));
  RawClient client = connect();
  co_await client.send(request);
  EXPECT_TRUE((co_await client.read_answer()).starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
  co_await server_->close();
}

}  // namespace capstan
