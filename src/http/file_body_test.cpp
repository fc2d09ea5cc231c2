#include <csignal>
#include <fcntl.h>
#include <unistd.h>

#include "http/server_test.h"
#include "io/file.h"

namespace capstan {

using namespace std::chrono_literals;

// Answers whose bodies lie in files. The long ones are longer than what the kernel's buffers take.
class FileBodyTest : public ServerTest {
 protected:
  FileBodyTest() { std::signal(SIGPIPE, SIG_IGN); }

  // Each byte says where it stands, so that none can take another's place.
  std::string make_file(std::size_t size) {
    std::string bytes;
    bytes.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<char>('a' + (i % 26 + i / 997) % 26);
    }
    write_private_file(path_, bytes);
    return bytes;
  }

  // As much of the file as it is said to have.
  Response response(std::uint64_t offset, std::uint64_t length) {
    Response response;
    response.headers.push_back({"content-type", "video/mp4"});
    response.file =
        FileBody{.file = std::make_shared<const Fd>(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)),
                 .offset = offset,
                 .length = length};
    return response;
  }

  static constexpr const char* request = "GET /x HTTP/1.1\r\nhost: a\r\n\r\n";
  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "file-body-test-"};
  const std::filesystem::path path_ = folder_.path() / "file";
};

ASYNC_TEST(FileBodyTest, is_sent_whole_and_the_connection_goes_on) {
  const std::string bytes = make_file(16 << 20);
  serve(answering(response(0, bytes.size())));
  RawClient client = connect();
  for (int round = 0; round < 2; ++round) {
    co_await client.send(request);
    std::string head = co_await client.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\n")) << head;
    EXPECT_NE(head.find("\r\ncontent-length: 16777216\r\n"), std::string::npos) << head;
    EXPECT_EQ(head.find("transfer-encoding"), std::string::npos) << head;
    EXPECT_TRUE(co_await client.read_bytes(bytes.size()) == bytes);
  }
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, is_sent_in_part) {
  const std::string bytes = make_file(1 << 20);
  serve(answering(response(1000, 700'000)));
  RawClient client = connect();
  co_await client.send(request);
  std::string answer = co_await client.read_answer();
  EXPECT_NE(answer.find("\r\ncontent-length: 700000\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + bytes.substr(1000, 700'000)));
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, may_be_empty) {
  make_file(0);
  serve(answering(response(0, 0)));
  RawClient client = connect();
  co_await client.send(request);
  std::string answer = co_await client.read_answer();
  EXPECT_NE(answer.find("\r\ncontent-length: 0\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, is_not_sent_to_who_asks_with_head) {
  const std::string bytes = make_file(100'000);
  serve(answering(response(0, bytes.size())));
  RawClient client = connect();
  std::string answers = co_await client.ask(
      "HEAD /x HTTP/1.1\r\nhost: a\r\n\r\n"
      "GET /x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(count_of(answers, "\r\ncontent-length: 100000\r\n"), 2U);
  EXPECT_TRUE(answers.ends_with("\r\n\r\n" + bytes));
  EXPECT_LT(answers.size(), bytes.size() + 1000);
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, takes_no_room_among_the_answers) {
  limits_.answers_bytes_max = 1 << 20;
  const std::string bytes = make_file(16 << 20);
  serve(answering(response(0, bytes.size())));
  RawClient slow = connect();
  co_await slow.send(request);
  co_await slow.read_until("\r\n\r\n");
  RawClient other = connect();
  co_await other.send(request);
  EXPECT_TRUE((co_await other.read_answer()).ends_with(bytes.substr(bytes.size() - 1000)));
  EXPECT_TRUE(co_await slow.read_bytes(bytes.size()) == bytes);
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, goes_on_to_be_sent_when_it_is_deleted) {
  const std::string bytes = make_file(16 << 20);
  serve(answering(response(0, bytes.size())));
  RawClient client = connect();
  co_await client.send(request);
  co_await client.read_until("\r\n\r\n");
  EXPECT_TRUE(std::filesystem::remove(path_));
  EXPECT_TRUE(co_await client.read_bytes(bytes.size()) == bytes);
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, that_is_shorter_than_promised_cuts_the_connection) {
  const std::string bytes = make_file(1000);
  serve(answering(response(100, 1000)));
  RawClient client = connect();
  std::string answer = co_await client.ask(request);
  EXPECT_NE(answer.find("\r\ncontent-length: 1000\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + bytes.substr(100))) << answer;
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, that_cannot_be_read_cuts_the_connection) {
  Response unreadable = response(0, 1000);
  unreadable.file->file =
      std::make_shared<const Fd>(::open(folder_.path().c_str(), O_RDONLY | O_CLOEXEC));
  serve(answering(unreadable));
  RawClient client = connect();
  EXPECT_TRUE((co_await client.ask(request)).ends_with("\r\n\r\n"));
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, ends_with_the_client_that_leaves) {
  make_file(16 << 20);
  serve(answering(response(0, 16 << 20)));
  RawClient client = connect();
  co_await client.send(request);
  co_await client.read_until("\r\n\r\n");
  client.reset();
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, gives_up_a_reader_that_takes_nothing) {
  make_file(16 << 20);
  serve(answering(response(0, 16 << 20)));
  RawClient client = connect();
  co_await client.send(request);
  co_await let_run_out(limits_.write_silence_max - 1s);
  EXPECT_EQ(server_->connection_count(), 1U);
  co_await let_run_out(1s);
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

// Who takes a little now and then is bounded by the time for all of an answer.
ASYNC_TEST(FileBodyTest, gives_up_a_reader_that_takes_too_long) {
  limits_.answer_time_max = 5 * limits_.write_silence_max / 2;
  make_file(64 << 20);
  serve(answering(response(0, 64 << 20)));
  RawClient client = connect();
  co_await client.send(request);
  for (int part = 0; part < 5; ++part) {
    co_await client.read_bytes(4 << 20);
    EXPECT_EQ(server_->connection_count(), 1U) << part;
    co_await let_run_out(limits_.write_silence_max / 2);
  }
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(FileBodyTest, ends_with_the_server) {
  make_file(16 << 20);
  serve(answering(response(0, 16 << 20)));
  RawClient client = connect();
  co_await client.send(request);
  co_await client.read_until("\r\n\r\n");
  co_await server_->close();
  EXPECT_EQ(server_->connection_count(), 0U);
}

}  // namespace capstan
