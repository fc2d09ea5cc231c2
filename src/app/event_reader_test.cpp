#include "app/event_reader.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace capstan {
namespace {

using Events = std::vector<std::string>;

Events events_of(const std::string& stream, std::size_t piece_bytes) {
  Events events;
  EventReader reader([&](const std::string& name, const std::string& data) {
    events.push_back(name + "=" + data);
  });
  for (std::size_t begin = 0; begin < stream.size(); begin += piece_bytes) {
    reader.read(std::string_view(stream).substr(begin, piece_bytes));
  }
  return events;
}

TEST(EventReader, finds_events_wherever_the_stream_is_cut) {
  const std::string stream =
      ": still here\n\nevent: log\ndata: {\"text\":\"a: b\"}\n\nid: 7\nevent:end\r\ndata:1\r\n"
      "data: 2\r\n\r\ndata: unnamed\n\nevent: unfinished\ndata: lost\n";
  const Events expected = {"log={\"text\":\"a: b\"}", "end=1\n2", "=unnamed"};
  for (std::size_t bytes = 1; bytes <= stream.size(); ++bytes) {
    EXPECT_EQ(events_of(stream, bytes), expected) << "in pieces of " << bytes;
  }
}

TEST(EventReader, has_no_event_without_data) {
  EXPECT_EQ(events_of("event: log\n\nevent: log\ndata: x\n\n", 100), Events{"log=x"});
}

TEST(EventReader, ends_a_line_that_has_no_end) {
  EventReader reader([](const std::string&, const std::string&) {});
  const std::string piece(std::size_t{1} << 20, 'x');
  auto read_too_much = [&] {
    for (int i = 0; i <= 32; ++i) {
      reader.read(piece);
    }
  };
  EXPECT_THROW(read_too_much(), Error);
}

}  // namespace
}  // namespace capstan
