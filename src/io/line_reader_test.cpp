#include "io/line_reader.h"

#include <vector>

#include "base/random.h"
#include "io/loop_test.h"
#include "io/pipe_test.h"
#include "io/scope.h"

namespace capstan {
namespace {

constexpr std::size_t plenty = std::size_t{16} << 20;

Async<> write_and_close(Stream* stream, std::vector<std::string> pieces) {
  for (const std::string& piece : pieces) {
    co_await stream->write(piece);
  }
  stream->close();
}

Async<std::vector<std::string>> all_records(LineReader* reader) {
  std::vector<std::string> records;
  while (auto record = co_await reader->next()) {
    records.push_back(std::move(*record));
  }
  co_return records;
}

Async<> take_next(LineReader* reader, std::optional<std::string>* record) {
  *record = co_await reader->next();
}

}  // namespace

class LineReaderTest : public LoopTest {
 public:
  LineReaderTest() {
    Pipe pipe = make_pipe();
    writer_ = std::move(pipe.write);
    stream_ = std::make_unique<Stream>(executor(), std::move(pipe.read));
  }

  // Everything that comes of these pieces, written one after the other.
  Async<std::vector<std::string>> records_of(std::vector<std::string> pieces, char separator) {
    Stream source(executor(), std::move(writer_));
    Scope scope(executor(), "test");
    scope.spawn(write_and_close(&source, std::move(pieces)));
    LineReader reader(*stream_, separator, plenty);
    auto records = co_await all_records(&reader);
    co_await scope.drain();
    co_return records;
  }

 protected:
  Fd writer_;
  std::unique_ptr<Stream> stream_;
};

ASYNC_TEST(LineReaderTest, cuts_one_read_into_its_records) {
  auto records = co_await records_of({"one\ntwo\n\nthree\r\n"}, '\n');
  EXPECT_EQ(records, (std::vector<std::string>{"one", "two", "", "three\r"}));
}

ASYNC_TEST(LineReaderTest, a_record_comes_once_its_separator_is_there) {
  LineReader reader(*stream_, '\n', plenty);
  Scope scope(executor(), "test");
  std::optional<std::string> record;
  scope.spawn(take_next(&reader, &record));
  for (std::string_view piece : {"a", "bc", "def"}) {
    write_now(writer_, piece);
    co_await settle();
    EXPECT_EQ(record, std::nullopt);
  }
  write_now(writer_, "\ng");
  co_await scope.drain();
  EXPECT_EQ(record, "abcdef");
  write_now(writer_, "h\n");
  EXPECT_EQ(co_await reader.next(), "gh");
}

ASYNC_TEST(LineReaderTest, separates_by_nul_and_keeps_line_ends) {
  auto records = co_await records_of({std::string("a\nb\0c\n\0\0", 8)}, '\0');
  EXPECT_EQ(records, (std::vector<std::string>{"a\nb", "c\n", ""}));
}

ASYNC_TEST(LineReaderTest, an_unfinished_record_at_the_end_is_dropped) {
  auto records = co_await records_of({"whole\nhalf"}, '\n');
  EXPECT_EQ(records, (std::vector<std::string>{"whole"}));
}

ASYNC_TEST(LineReaderTest, an_ended_stream_stays_ended) {
  write_now(writer_, "half");
  writer_.reset();
  LineReader reader(*stream_, '\n', plenty);
  EXPECT_EQ(co_await reader.next(), std::nullopt);
  EXPECT_EQ(co_await reader.next(), std::nullopt);
}

ASYNC_TEST(LineReaderTest, takes_long_records_between_short_ones) {
  std::string mega(std::size_t{3} << 20, 'm');
  std::string some(200'000, 's');
  auto records = co_await records_of({"a\n" + mega + "\nb\n" + some + "\n", some + "\nc\n"}, '\n');
  EXPECT_EQ(records.size(), 6U);
  EXPECT_TRUE((records == std::vector<std::string>{"a", mega, "b", some, some, "c"}));
}

ASYNC_TEST(LineReaderTest, cuts_the_same_wherever_the_reads_end) {
  constexpr std::uint64_t seed = 77;
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  auto below = [&](std::uint32_t bound) {
    std::uint32_t number = 0;
    random.fill(std::as_writable_bytes(std::span(&number, 1)));
    return number % bound;
  };
  std::vector<std::string> expected;
  std::string text;
  for (int record = 0; record < 300; ++record) {
    expected.emplace_back(below(10) == 0 ? below(150'000) : below(100),
                          static_cast<char>('a' + record % 26));
    text += expected.back() + "\n";
  }
  std::vector<std::string> pieces;
  while (!text.empty()) {
    pieces.push_back(text.substr(0, 1 + below(70'000)));
    text.erase(0, pieces.back().size());
  }
  auto records = co_await records_of(std::move(pieces), '\n');
  EXPECT_EQ(records.size(), expected.size());
  EXPECT_TRUE(records == expected);
}

ASYNC_TEST(LineReaderTest, takes_a_record_as_long_as_the_bound) {
  LineReader reader(*stream_, '\n', 10);
  write_now(writer_, "0123456789");
  Scope scope(executor(), "test");
  std::optional<std::string> record;
  scope.spawn(take_next(&reader, &record));
  co_await settle();
  write_now(writer_, "\n9876543210\n");
  co_await scope.drain();
  EXPECT_EQ(record, "0123456789");
  EXPECT_EQ(co_await reader.next(), "9876543210");
}

ASYNC_TEST(LineReaderTest, refuses_to_gather_more_than_the_bound) {
  LineReader reader(*stream_, '\n', 10);
  write_now(writer_, "short\n01234567890");
  EXPECT_EQ(co_await reader.next(), "short");
  auto outcome = co_await outcome_of(reader.next());
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::resource_exhausted);
}

ASYNC_TEST(LineReaderTest, refuses_a_record_over_the_bound_that_came_in_one_piece) {
  LineReader reader(*stream_, '\n', 10);
  write_now(writer_, "01234567890\n");
  auto outcome = co_await outcome_of(reader.next());
  EXPECT_FALSE(outcome.ok());
}

}  // namespace capstan
