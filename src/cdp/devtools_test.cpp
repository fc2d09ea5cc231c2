#include "cdp/devtools_test.h"

#include <signal.h>

#include <boost/asio/post.hpp>

#include "io/race.h"
#include "io/stream_pair.h"

namespace capstan {

using namespace std::chrono_literals;

DevToolsTest::DevToolsTest() : scope_(executor(), "devtools_test") {
  ::signal(SIGPIPE, SIG_IGN);
  StreamPair to_browser = make_input_pipe();
  StreamPair from_browser = make_output_pipe();
  browser_in_.emplace(executor(), std::move(to_browser.theirs));
  devtools_out_ = std::move(to_browser.ours);
  devtools_in_ = std::move(from_browser.ours);
  browser_out_.emplace(executor(), std::move(from_browser.theirs));
  browser_reader_.emplace(*browser_in_, '\0', std::size_t{1} << 30);
}

void DevToolsTest::make(DevToolsLimits limits) {
  devtools_.emplace(executor(), clock_, Stream(executor(), std::move(devtools_out_)),
                    Stream(executor(), std::move(devtools_in_)), accounts_, limits);
}

void DevToolsTest::open(DevToolsLimits limits) {
  make(limits);
  scope_.spawn(live());
}

Async<> DevToolsTest::live() { ending_ = co_await outcome_of(devtools_->live()); }

Async<> DevToolsTest::close() {
  hang_up();
  co_await scope_.close();
}

Async<std::string> DevToolsTest::hear() {
  std::optional<std::string> message = co_await browser_reader_->next();
  EXPECT_TRUE(message) << "nothing more comes";
  co_return message.value_or("");
}

Async<> DevToolsTest::say(std::string message) {
  message.push_back('\0');
  co_await say_bytes(std::move(message));
}

Async<> DevToolsTest::say_bytes(std::string bytes) { co_await browser_out_->write(bytes); }

void DevToolsTest::hang_up() { browser_out_->close(); }
void DevToolsTest::stop_listening() { browser_in_->close(); }

Async<> DevToolsTest::play() {
  while (std::optional<std::string> text = co_await browser_reader_->next()) {
    std::optional<DevToolsMessage> command = parse_message(*text);
    EXPECT_TRUE(command) << *text;
    if (command->method.starts_with("\"Test.") || command->method.starts_with("\"Page.")) {
      heard_.push_back(*text);
    }
    for (std::string& answer : answers_to(*command)) {
      co_await say(std::move(answer));
    }
  }
}

std::vector<std::string> DevToolsTest::answers_to(const DevToolsMessage& command) {
  std::string id(command.id);
  std::string session;
  if (!command.session_id.empty()) {
    session = ",\"sessionId\":" + std::string(command.session_id);
  }
  auto result = [&](const std::string& text) {
    return "{\"id\":" + id + ",\"result\":" + text + session + "}";
  };
  if (is_string(command.method, "Test.silent")) {
    return {};
  }
  bool attaches_page = is_string(command.method, "Target.attachToTarget");
  if (attaches_page && command.params.find("\"page\"") == std::string_view::npos) {
    return {"{\"id\":" + id +
            R"(,"error":{"code":-32602,"message":"No target with given id found"})" + session +
            "}"};
  }
  if (attaches_page || is_string(command.method, "Target.attachToBrowserTarget")) {
    std::string attached = R"("sessionId":"S)" + std::to_string(++sessions_) + "\"";
    return {R"({"method":"Target.attachedToTarget","params":{)" + attached + "}" + session + "}",
            result("{" + attached + "}")};
  }
  if (is_string(command.method, "Target.detachFromTarget")) {
    heard_.push_back("detach " + std::string(command.params));
    return {R"({"method":"Target.detachedFromTarget","params":)" + std::string(command.params) +
                session + "}",
            result("{}")};
  }
  return {result("{\"method\":" + std::string(command.method) + session + "}")};
}

namespace {

std::string command(int id, const std::string& method) {
  return "{\"id\":" + std::to_string(id) + ",\"method\":\"" + method + "\"}";
}

std::string event(const std::string& session, const std::string& padding = {}) {
  return R"({"method":"Test.event","params":{"a":")" + padding + R"("},"sessionId":")" + session +
         "\"}";
}

Async<> note_end(Async<> work, bool* ended) {
  co_await std::move(work);
  *ended = true;
}

Async<> in_vain(Async<> work) { EXPECT_FALSE((co_await outcome_of(std::move(work))).ok()); }

Async<> call_in_vain(DevTools* devtools, std::string method) {
  EXPECT_FALSE((co_await outcome_of(devtools->call(std::move(method)))).ok());
}

Async<> send_many(Party* party, std::string message, int count, int* sent) {
  for (int i = 0; i < count; ++i) {
    co_await party->send(message);
    ++*sent;
  }
}

Async<> receive_all(Party* party, std::vector<std::string>* received, bool* ended) {
  while (auto message = co_await party->receive()) {
    received->push_back(std::move(*message));
  }
  *ended = true;
}

Async<> note_call(DevTools* devtools, std::optional<Outcome<json::object>>* outcome) {
  *outcome = co_await outcome_of(devtools->call("Test.silent"));
}

Async<> note_join(DevTools* devtools, std::optional<Outcome<std::unique_ptr<Party>>>* outcome) {
  *outcome = co_await outcome_of(devtools->join_browser());
}

}  // namespace

ASYNC_TEST(DevToolsTest, a_call_returns_the_result) {
  open();
  scope_.spawn(play());
  json::object result = co_await devtools_->call("Test.a", {{"b", 1}});
  EXPECT_EQ(result["method"], "Test.a");
  EXPECT_EQ(heard_.at(0), R"({"id":1,"method":"Test.a","params":{"b":1}})");
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_call_speaks_in_a_session_of_ours) {
  open();
  scope_.spawn(play());
  json::object attached =
      co_await devtools_->call("Target.attachToTarget", {{"targetId", "page"}, {"flatten", true}});
  EXPECT_EQ(attached["sessionId"], "S1");
  json::object result = co_await devtools_->call("Test.a", {}, "S1");
  EXPECT_EQ(result["sessionId"], "S1");
  auto outcome = co_await outcome_of(devtools_->call("Test.a", {}, "S2"));
  EXPECT_EQ(outcome.error().code(), ErrorCode::not_found);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_call_throws_what_the_browser_refuses_with) {
  open();
  scope_.spawn(play());
  auto outcome =
      co_await outcome_of(devtools_->call("Target.attachToTarget", {{"targetId", "none"}}));
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
  EXPECT_EQ(outcome.error().message(), "Target.attachToTarget: No target with given id found");
  co_await close();
}

ASYNC_TEST(DevToolsTest, an_answer_without_a_result_is_an_error) {
  for (std::string rest : {"", R"(,"result":5)", R"(,"error":5)", R"(,"error":{"code":"x"})"}) {
    if (!devtools_) {
      open();
    }
    std::optional<Outcome<json::object>> outcome;
    scope_.spawn(note_call(&*devtools_, &outcome));
    std::string heard = co_await hear();
    co_await say("{\"id\":" + std::string(parse_message(heard)->id) + rest + "}");
    co_await settle();
    EXPECT_TRUE(outcome && outcome->error().code() == ErrorCode::internal) << rest;
  }
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_cancelled_call_forgets_its_answer) {
  open();
  scope_.spawn(let_pass(1s));
  auto outcome = co_await outcome_of(within(clock_, 1s, devtools_->call("Test.a"), "too slow"));
  EXPECT_EQ(outcome.error().code(), ErrorCode::deadline_exceeded);
  std::uint64_t dropped = devtools_->dropped_count();
  co_await say(R"({"id":1,"result":{}})");
  co_await settle();
  EXPECT_EQ(devtools_->dropped_count(), dropped + 1);
  EXPECT_FALSE(has_ended());
  co_await close();
}

ASYNC_TEST(DevToolsTest, parties_talk_each_as_if_it_were_alone) {
  open();
  scope_.spawn(play());
  auto one = co_await join();
  auto two = co_await join();
  EXPECT_EQ(devtools_->party_count(), 2U);
  co_await one->send(command(1, "Test.a"));
  co_await two->send(command(1, "Test.b"));
  co_await two->send("garbage");
  EXPECT_EQ(*co_await one->receive(), R"({"id":1,"result":{"method":"Test.a","sessionId":"S1"}})");
  EXPECT_TRUE((*co_await two->receive()).starts_with(R"({"error":{"code":-32700)"));
  EXPECT_EQ(*co_await two->receive(), R"({"id":1,"result":{"method":"Test.b","sessionId":"S2"}})");
  co_await say(event("S2"));
  EXPECT_EQ(*co_await two->receive(), R"({"method":"Test.event","params":{"a":""}})");
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_party_that_leaves_is_detached) {
  open();
  scope_.spawn(play());
  auto party = co_await join();
  co_await party->send(command(1, "Test.silent"));
  party.reset();
  EXPECT_EQ(devtools_->party_count(), 0U);
  co_await settle();
  EXPECT_EQ(heard_.back(), R"(detach {"sessionId":"S1"})");
  auto next = co_await join();
  EXPECT_EQ(devtools_->party_count(), 1U);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_party_joins_one_target_and_ends_with_it) {
  open();
  scope_.spawn(play());
  auto unknown = co_await outcome_of(devtools_->join_target("none"));
  EXPECT_EQ(unknown.error().code(), ErrorCode::not_found);
  auto party = co_await devtools_->join_target("page");
  co_await say(event("S1"));
  co_await say(R"({"method":"Target.detachedFromTarget","params":{"sessionId":"S1"}})");
  co_await settle();
  EXPECT_EQ(devtools_->party_count(), 0U);
  EXPECT_TRUE(co_await party->receive());
  EXPECT_FALSE(co_await party->receive());
  co_await party->send(command(1, "Test.a"));
  party.reset();
  co_await settle();
  EXPECT_TRUE(heard_.empty());  // there is nothing to detach
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_join_that_is_given_up_leaves_no_session) {
  open();
  scope_.spawn(let_pass(1s));
  auto outcome = co_await outcome_of(within(clock_, 1s, devtools_->join_browser(), "too slow"));
  EXPECT_EQ(outcome.error().code(), ErrorCode::deadline_exceeded);
  scope_.spawn(play());
  co_await settle();
  EXPECT_EQ(heard_.at(0), R"(detach {"sessionId":"S1"})");
  EXPECT_EQ(devtools_->party_count(), 0U);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_join_that_is_given_up_as_the_answer_comes_leaves_no_session) {
  open();
  std::optional<Outcome<std::unique_ptr<Party>>> joined;
  Scope impatient(executor(), "impatient");
  impatient.spawn(note_join(&*devtools_, &joined));
  co_await hear();
  // The third message is nobody's, and is dropped in the turn of the loop that reads the others.
  std::uint64_t dropped = devtools_->dropped_count();
  using namespace std::string_literals;
  co_await say_bytes(R"({"method":"Target.attachedToTarget","params":{"sessionId":"S1"}})"
                     "\0"
                     R"({"id":1,"result":{"sessionId":"S1"}})"
                     "\0"
                     R"({"id":99,"result":{}})"
                     "\0"s);
  while (devtools_->dropped_count() == dropped) {
    co_await asio::post(executor(), asio::use_awaitable);
  }
  EXPECT_FALSE(joined) << "the answer is there, and the join has not had its turn yet";
  co_await impatient.close();
  joined.reset();
  EXPECT_EQ(co_await hear(), R"({"id":2,"method":"Target.detachFromTarget",)"
                             R"("params":{"sessionId":"S1"}})");
  EXPECT_EQ(devtools_->party_count(), 0U);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_join_that_is_answered_with_the_browsers_last_words_ends) {
  open();
  std::optional<Outcome<std::unique_ptr<Party>>> joined;
  scope_.spawn(note_join(&*devtools_, &joined));
  co_await hear();
  using namespace std::string_literals;
  co_await say_bytes(R"({"method":"Target.attachedToTarget","params":{"sessionId":"S1"}})"
                     "\0"
                     R"({"id":1,"result":{"sessionId":"S1"}})"
                     "\0nonsense\0"s);
  while (!has_ended()) {
    co_await asio::post(executor(), asio::use_awaitable);
  }
  devtools_.reset();
  co_await settle();
  EXPECT_TRUE(joined);
  if (joined->ok()) {
    EXPECT_FALSE(co_await std::move(*joined).take()->receive());
  } else {
    EXPECT_EQ(joined->error().code(), ErrorCode::unavailable);
  }
  co_await close();
}

ASYNC_TEST(DevToolsTest, no_more_parties_join_than_allowed) {
  open({.parties_max = 2});
  scope_.spawn(play());
  auto one = co_await join();
  // Two at once, of which one can stay.
  std::optional<Outcome<std::unique_ptr<Party>>> two;
  std::optional<Outcome<std::unique_ptr<Party>>> three;
  scope_.spawn(note_join(&*devtools_, &two));
  scope_.spawn(note_join(&*devtools_, &three));
  co_await settle();
  EXPECT_TRUE(two && two->ok());
  EXPECT_TRUE(three && three->error().code() == ErrorCode::resource_exhausted);
  EXPECT_EQ(heard_.at(0), R"(detach {"sessionId":"S3"})");
  auto four = co_await outcome_of(join());
  EXPECT_EQ(four.error().code(), ErrorCode::resource_exhausted);
  one.reset();
  auto five = co_await join();
  EXPECT_EQ(devtools_->party_count(), 2U);
  co_await close();
}

ASYNC_TEST(DevToolsTest, browser_close_is_a_wish_that_is_told_once) {
  open();
  scope_.spawn(play());
  int wishes = 0;
  devtools_->on_close_request([&] { ++wishes; });
  auto party = co_await join();
  co_await party->send(command(1, "Browser.close"));
  co_await party->send(command(2, "Browser.close"));
  EXPECT_EQ(*co_await party->receive(), R"({"id":1,"result":{}})");
  EXPECT_EQ(*co_await party->receive(), R"({"id":2,"result":{}})");
  EXPECT_EQ(wishes, 1);
  EXPECT_FALSE(has_ended());
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_party_that_takes_nothing_is_put_out_and_the_rest_goes_on) {
  open({.party_queue_bytes_max = 2000, .stall_limit = 30s});
  scope_.spawn(play());
  auto deaf = co_await join();
  auto other = co_await join();
  bool expelled = false;
  scope_.spawn(note_end(deaf->expelled(), &expelled));
  co_await say(event("S1", std::string(3000, 'x')));  // full
  co_await say(event("S1"));                          // holds up the pipe
  co_await say(event("S2"));
  std::vector<std::string> received;
  bool ended = false;
  scope_.spawn(receive_all(other.get(), &received, &ended));
  co_await let_pass(29s);
  EXPECT_FALSE(expelled);
  EXPECT_TRUE(received.empty());
  co_await let_pass(1s);
  EXPECT_TRUE(expelled);
  EXPECT_EQ(received.size(), 1U);
  EXPECT_FALSE(co_await deaf->receive());
  EXPECT_EQ(heard_.back(), R"(detach {"sessionId":"S1"})");
  EXPECT_EQ(devtools_->party_count(), 1U);
  co_await close();
}

ASYNC_TEST(DevToolsTest, the_party_that_holds_most_goes_when_there_is_no_room) {
  open();
  scope_.spawn(play());
  auto deaf = co_await join();
  auto other = co_await join();
  co_await say(event("S1", std::string(messages_bytes_max / 2, 'x')));
  co_await say(event("S2", std::string(messages_bytes_max / 3, 'x')));
  EXPECT_TRUE(co_await other->receive());  // on its way, and still held
  co_await say(event("S2", std::string(messages_bytes_max / 3, 'x')));
  co_await settle();
  EXPECT_EQ(deaf->expulsion(), std::nullopt) << "the larger one has to go";
  EXPECT_EQ(other->expulsion(), Party::Expulsion::no_room);
  other.reset();
  auto quick = co_await join();
  std::vector<std::string> received;
  bool ended = false;
  scope_.spawn(receive_all(quick.get(), &received, &ended));
  for (int i = 0; i < 4; ++i) {
    co_await say(event("S3", std::string(messages_bytes_max / 3, 'x')));
  }
  co_await settle();
  EXPECT_EQ(received.size(), 4U) << "what has arrived holds nothing";
  auto slow = co_await join();
  co_await say(event("S4", std::string(messages_bytes_max / 3, 'x')));
  EXPECT_TRUE(co_await slow->receive());
  auto small = co_await join();
  co_await say(event("S5", std::string(messages_bytes_max / 4, 'x')));
  EXPECT_TRUE(co_await small->receive());
  EXPECT_EQ(slow->expulsion(), std::nullopt);
  EXPECT_EQ(deaf->expulsion(), Party::Expulsion::no_room) << "it keeps a smaller one out";
  EXPECT_FALSE(co_await deaf->receive());
  co_await close();
}

ASYNC_TEST(DevToolsTest, who_holds_little_always_has_room) {
  open();
  scope_.spawn(play());
  auto holder = co_await join();
  auto other = co_await join();
  co_await say(event("S1", std::string(messages_bytes_max - 1000, 'x')));
  for (int i = 0; i < 3; ++i) {
    co_await say(event("S2", std::string(3000, 'x')));
  }
  EXPECT_TRUE(co_await other->receive());
  EXPECT_EQ(holder->expulsion(), std::nullopt);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_message_that_there_is_no_room_for_ends_the_browsers_life) {
  open({.from_browser_free_bytes = messages_bytes_max / 2});
  // It hangs up in the middle.
  auto said = co_await outcome_of(say(event("S1", std::string(2 * messages_bytes_max, 'x'))));
  EXPECT_FALSE(said.ok());
  co_await settle();
  EXPECT_TRUE(has_ended() && ending().error().code() == ErrorCode::resource_exhausted);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_message_longer_than_the_browser_takes_is_refused_and_the_party_stays) {
  std::string longest = command(1, "Test.longest");
  open({.to_browser_bytes_max = longest.size()});
  scope_.spawn(play());
  auto party = co_await join();
  auto sent = co_await outcome_of(party->send(longest + " "));
  EXPECT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code(), ErrorCode::resource_exhausted);
  EXPECT_TRUE(heard_.empty());
  co_await party->send(longest);
  co_await settle();
  EXPECT_EQ(heard_.size(), 1U);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_browser_that_stops_reading_is_taken_for_dead) {
  open({.write_limit = 60s});
  std::optional<Outcome<json::object>> outcome;
  scope_.spawn(note_call(&*devtools_, &outcome));
  // More than a pipe holds, to a browser that reads nothing.
  scope_.spawn(call_in_vain(&*devtools_, std::string(1'000'000, 'x')));
  co_await settle();
  co_await let_pass(59s);
  EXPECT_FALSE(has_ended());
  co_await let_pass(30s);
  EXPECT_TRUE(has_ended() && ending().error().code() == ErrorCode::unavailable);
  EXPECT_TRUE(outcome && outcome->error().code() == ErrorCode::unavailable);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_party_that_takes_something_in_time_stays) {
  open({.party_queue_bytes_max = 1000, .stall_limit = 30s});
  scope_.spawn(play());
  auto slow = co_await join();
  for (int i = 0; i < 5; ++i) {
    co_await say(event("S1", std::string(1000, 'x')));
  }
  for (int i = 0; i < 5; ++i) {
    co_await let_pass(29s);
    EXPECT_TRUE(co_await slow->receive());
  }
  EXPECT_EQ(devtools_->party_count(), 1U);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_party_that_leaves_frees_those_it_held_up) {
  open({.party_queue_bytes_max = 1000});
  scope_.spawn(play());
  auto deaf = co_await join();
  auto other = co_await join();
  co_await say(event("S1", std::string(1000, 'x')));
  co_await say(event("S1"));
  co_await say(event("S2"));
  co_await settle();
  deaf.reset();
  EXPECT_TRUE(co_await other->receive());
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_flood_stays_in_the_pipe) {
  open({.party_queue_bytes_max = 10'000});
  scope_.spawn(play());
  auto party = co_await join();
  bool all_said = false;
  // More than the pipe, what is read from it at once and the party's queue hold together, which is
  // 64 KiB, 64 KiB and 10 kB.
  constexpr int count = 160;
  std::string flood;
  for (int i = 0; i < count; ++i) {
    flood += event("S1", std::string(1000, 'x')) + '\0';
  }
  scope_.spawn(note_end(say_bytes(std::move(flood)), &all_said));
  co_await settle();
  EXPECT_FALSE(all_said);
  for (int i = 0; i < count; ++i) {
    EXPECT_TRUE(co_await party->receive());
  }
  EXPECT_TRUE(all_said);
  co_await close();
}

ASYNC_TEST(DevToolsTest, whoever_sends_waits_for_a_browser_that_does_not_read) {
  open({.pipe_queue_bytes_max = 10'000});
  std::optional<Outcome<std::unique_ptr<Party>>> joined;
  scope_.spawn(note_join(&*devtools_, &joined));
  co_await hear();
  co_await say(R"({"method":"Target.attachedToTarget","params":{"sessionId":"S1"}})");
  co_await say(R"({"id":1,"result":{"sessionId":"S1"}})");
  co_await settle();
  std::unique_ptr<Party> party = std::move(*joined).take();
  int sent = 0;
  std::string text =
      R"({"id":1,"method":"Test.silent","params":{"a":")" + std::string(1000, 'x') + "\"}}";
  scope_.spawn(send_many(party.get(), text, 1000, &sent));
  co_await settle();
  EXPECT_LT(sent, 100);  // 64 KiB in the pipe, 10 kB in the queue
  for (int i = 0; i < 1000; ++i) {
    co_await hear();
  }
  EXPECT_EQ(sent, 1000);
  co_await close();
}

ASYNC_TEST(DevToolsTest, whoever_sends_nonsense_and_takes_no_answers_waits) {
  open({.party_queue_bytes_max = 10'000});
  scope_.spawn(play());
  auto party = co_await join();
  int sent = 0;
  scope_.spawn(send_many(party.get(), "garbage", 1000, &sent));
  co_await settle();
  EXPECT_LT(sent, 200);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(co_await party->receive());
  }
  EXPECT_EQ(sent, 1000);
  co_await close();
}

ASYNC_TEST(DevToolsTest, big_messages_get_through_small_queues) {
  open({.party_queue_bytes_max = 1000, .pipe_queue_bytes_max = 1000});
  scope_.spawn(play());
  auto party = co_await join();
  std::string big(8'000'000, 'x');
  co_await party->send(R"({"id":1,"method":"Test.silent","params":{"a":")" + big + "\"}}");
  bool said = false;
  scope_.spawn(note_end(say(event("S1", big)), &said));
  EXPECT_EQ(*co_await party->receive(), R"({"method":"Test.event","params":{"a":")" + big + "\"}}");
  co_await party->send(command(2, "Test.b"));
  EXPECT_TRUE(co_await party->receive());
  EXPECT_EQ(heard_.at(0).size(), big.size() + 66);
  co_await close();
}

ASYNC_TEST(DevToolsTest, all_ends_when_the_browser_closes_the_pipe_in_a_message) {
  open();
  scope_.spawn(play());
  auto party = co_await join();
  std::optional<Outcome<json::object>> outcome;
  scope_.spawn(note_call(&*devtools_, &outcome));
  co_await say(event("S1"));
  co_await say_bytes(R"({"method":"Test.ev)");
  hang_up();
  co_await settle();
  EXPECT_TRUE(has_ended() && ending().ok());
  EXPECT_TRUE(outcome && outcome->error().code() == ErrorCode::unavailable);
  EXPECT_TRUE(co_await party->receive());  // what came before is not lost
  EXPECT_FALSE(co_await party->receive());
  co_await party->send(command(1, "Test.a"));
  EXPECT_EQ(devtools_->party_count(), 0U);
  auto late = co_await outcome_of(devtools_->call("Test.a"));
  EXPECT_EQ(late.error().code(), ErrorCode::unavailable);
  auto late_join = co_await outcome_of(join());
  EXPECT_EQ(late_join.error().code(), ErrorCode::unavailable);
  co_await close();
}

ASYNC_TEST(DevToolsTest, all_ends_when_the_browser_does_not_listen_any_more) {
  open();
  scope_.spawn(play());
  auto party = co_await join();
  stop_listening();
  co_await party->send(command(1, "Test.a"));
  EXPECT_FALSE(co_await party->receive());
  co_await settle();
  EXPECT_TRUE(has_ended() && ending().ok());
  co_await close();
}

ASYNC_TEST(DevToolsTest, all_ends_when_the_browser_speaks_nonsense) {
  open();
  scope_.spawn(play());
  auto party = co_await join();
  co_await say("nonsense");
  EXPECT_FALSE(co_await party->receive());
  co_await settle();
  EXPECT_TRUE(has_ended() && ending().error().code() == ErrorCode::unavailable);
  co_await close();
}

ASYNC_TEST(DevToolsTest, all_ends_when_a_message_has_no_end) {
  open({.from_browser_bytes_max = 100'000});
  scope_.spawn(play());
  auto party = co_await join();
  // Eighty times the limit, of which no more than a little is ever read.
  scope_.spawn(in_vain(say_bytes(std::string(8'000'000, 'x'))));
  EXPECT_FALSE(co_await party->receive());
  co_await settle();
  EXPECT_TRUE(has_ended() && ending().error().code() == ErrorCode::resource_exhausted);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_message_one_byte_over_the_limit_is_too_long) {
  std::string longest = event("S1");
  open({.from_browser_bytes_max = longest.size()});
  std::optional<Outcome<json::object>> outcome;
  scope_.spawn(note_call(&*devtools_, &outcome));
  co_await say(longest);
  co_await settle();
  EXPECT_FALSE(has_ended());
  co_await say(longest + " ");
  co_await settle();
  EXPECT_TRUE(has_ended() && ending().error().code() == ErrorCode::resource_exhausted);
  EXPECT_TRUE(outcome && outcome->error().code() == ErrorCode::unavailable);
  co_await close();
}

ASYNC_TEST(DevToolsTest, all_ends_when_the_life_is_cancelled) {
  open({.party_queue_bytes_max = 1000});
  scope_.spawn(play());
  auto party = co_await join();
  co_await say(event("S1", std::string(1000, 'x')));
  co_await say(event("S1"));  // the reader waits for the party
  co_await settle();
  co_await scope_.close();
  EXPECT_TRUE(has_ended() && ending().error().code() == ErrorCode::cancelled);
  EXPECT_TRUE(co_await party->receive());
  EXPECT_FALSE(co_await party->receive());
  co_await close();
}

ASYNC_TEST(DevToolsTest, whoever_waits_may_outlive_it) {
  make();  // without a life, so that nothing is ever answered
  std::optional<Outcome<json::object>> call;
  std::optional<Outcome<std::unique_ptr<Party>>> joined;
  scope_.spawn(note_call(&*devtools_, &call));
  scope_.spawn(note_join(&*devtools_, &joined));
  co_await settle();
  devtools_.reset();
  co_await settle();
  EXPECT_TRUE(call && call->error().code() == ErrorCode::unavailable);
  EXPECT_TRUE(joined && joined->error().code() == ErrorCode::unavailable);
  co_await close();
}

ASYNC_TEST(DevToolsTest, a_party_may_outlive_it) {
  open({.pipe_queue_bytes_max = 1});
  scope_.spawn(play());
  auto party = co_await join();
  Scope talk(executor(), "talk");
  int sent = 0;
  bool ended = false;
  std::vector<std::string> received;
  talk.spawn(send_many(party.get(), std::string(R"({"id":1,"method":"Test.silent"})"), 5, &sent));
  talk.spawn(receive_all(party.get(), &received, &ended));
  co_await scope_.close();
  devtools_.reset();
  co_await talk.drain();
  EXPECT_EQ(sent, 5);
  EXPECT_TRUE(ended);
  party.reset();
  co_await close();
}

}  // namespace capstan
