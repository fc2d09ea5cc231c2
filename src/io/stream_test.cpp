#include "io/stream.h"

#include <csignal>

#include "io/loop_test.h"
#include "io/pipe_test.h"
#include "io/scope.h"

namespace capstan {
namespace {

Async<> write_all(Stream* stream, std::string bytes, bool* written) {
  co_await stream->write(bytes);
  *written = true;
}

Async<> note_ending(Async<std::size_t> read, std::optional<ErrorCode>* code) {
  auto outcome = co_await outcome_of(std::move(read));
  *code = outcome.ok() ? std::optional<ErrorCode>() : outcome.error().code();
}

Async<> note_text(Async<std::string> read, std::optional<Outcome<std::string>>* text) {
  *text = co_await outcome_of(std::move(read));
}

}  // namespace

class StreamTest : public LoopTest {
 public:
  // As the server does: who writes to a closed pipe wants an answer, not to die.
  StreamTest() { std::signal(SIGPIPE, SIG_IGN); }

 protected:
  std::array<char, 4096> buffer_{};

  std::string_view text(std::size_t count) const { return {buffer_.data(), count}; }
};

ASYNC_TEST(StreamTest, reads_what_is_there_and_0_at_the_end) {
  Pipe pipe = make_pipe();
  Stream stream(executor(), std::move(pipe.read));
  write_now(pipe.write, "one");
  write_now(pipe.write, "two");
  EXPECT_EQ(text(co_await stream.read_some(std::span(buffer_).first(4))), "onet");
  EXPECT_EQ(text(co_await stream.read_some(buffer_)), "wo");
  pipe.write.reset();
  EXPECT_EQ(co_await stream.read_some(buffer_), 0U);
  EXPECT_EQ(co_await stream.read_some(buffer_), 0U);
}

ASYNC_TEST(StreamTest, a_reset_peer_is_an_end_too) {
  auto [ours, peer] = make_socket_pair();
  Stream stream(executor(), std::move(ours));
  co_await stream.write("nobody reads this");
  peer.reset();  // with unread bytes inside, which resets the connection
  EXPECT_EQ(co_await stream.read_some(buffer_), 0U);
}

ASYNC_TEST(StreamTest, reads_to_the_end) {
  auto [ours, theirs] = make_output_pipe();
  Stream reader(executor(), std::move(ours));
  auto writer = std::make_optional<Stream>(executor(), std::move(theirs));
  Scope scope(executor(), "test");
  bool written = false;
  std::string sent(300'000, 'x');
  scope.spawn(write_all(&*writer, sent, &written));
  std::optional<Outcome<std::string>> received;
  scope.spawn(note_text(reader.read_to_end(sent.size()), &received));
  while (!written) {
    co_await settle();
  }
  EXPECT_FALSE(received) << "the other side may still write";
  writer.reset();
  co_await scope.drain();
  EXPECT_TRUE(received->ok() && received->value() == sent);
  EXPECT_EQ(co_await reader.read_to_end(0), "");
}

ASYNC_TEST(StreamTest, does_not_read_to_the_end_what_is_too_long) {
  Pipe pipe = make_pipe();
  Stream stream(executor(), std::move(pipe.read));
  write_now(pipe.write, "12345");  // and no end: it is known to be too long before
  auto outcome = co_await outcome_of(stream.read_to_end(4));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::resource_exhausted);
  EXPECT_EQ(outcome.error().message(), "more than 4 bytes came");
}

ASYNC_TEST(StreamTest, read_now_never_waits) {
  Pipe pipe = make_pipe();
  Stream stream(executor(), std::move(pipe.read));
  EXPECT_EQ(stream.read_now(buffer_), 0U);
  write_now(pipe.write, "left over");
  EXPECT_EQ(text(stream.read_now(buffer_)), "left over");
  EXPECT_EQ(stream.read_now(buffer_), 0U);
  pipe.write.reset();
  EXPECT_EQ(stream.read_now(buffer_), 0U);
  co_return;
}

ASYNC_TEST(StreamTest, writes_all_of_more_than_a_pipe_holds) {
  Pipe pipe = make_pipe();
  Stream reader(executor(), std::move(pipe.read));
  Stream writer(executor(), std::move(pipe.write));
  Scope scope(executor(), "test");
  bool written = false;
  std::string sent;
  for (int number = 0; sent.size() < 500'000; ++number) {
    sent += std::to_string(number) + " ";
  }
  scope.spawn(write_all(&writer, sent, &written));
  co_await settle();
  EXPECT_FALSE(written) << "nobody has read anything yet";
  std::string received;
  while (received.size() < sent.size()) {
    received += text(co_await reader.read_some(buffer_));
  }
  EXPECT_TRUE(received == sent);
  co_await scope.drain();
  EXPECT_TRUE(written);
}

ASYNC_TEST(StreamTest, writing_to_who_has_gone_is_unavailable) {
  Pipe pipe = make_pipe();
  Stream writer(executor(), std::move(pipe.write));
  pipe.read.reset();
  auto outcome = co_await outcome_of(writer.write("hello"));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::unavailable);
}

ASYNC_TEST(StreamTest, a_cancelled_read_loses_nothing) {
  Pipe pipe = make_pipe();
  Stream stream(executor(), std::move(pipe.read));
  Scope scope(executor(), "test");
  std::array<char, 16> other{};
  std::optional<ErrorCode> code;
  scope.spawn(note_ending(stream.read_some(other), &code));
  co_await settle();
  co_await scope.close();
  EXPECT_EQ(code, ErrorCode::cancelled);
  write_now(pipe.write, "later");
  EXPECT_EQ(text(co_await stream.read_some(buffer_)), "later");
}

}  // namespace capstan
