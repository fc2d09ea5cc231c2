#include "display/x11_connection.h"

#include <array>
#include <utility>

#include "base/error.h"
#include "io/race.h"

namespace capstan {
namespace {

Error display_gone() { return Error(ErrorCode::unavailable, "the display has gone"); }

}  // namespace

X11Connection::X11Connection(Executor executor, Fd socket)
    : executor_(executor), stream_(executor, std::move(socket)), has_unsent_(executor) {}

Async<x11::Setup> X11Connection::shake_hands() {
  const std::string hello = x11::setup_request();
  co_await stream_.write(hello);
  std::string greeting;
  std::size_t wanted = x11::setup_head_bytes;
  std::array<char, 4096> buffer{};
  while (greeting.size() < wanted) {
    std::size_t room = std::min(buffer.size(), wanted - greeting.size());
    std::size_t count = co_await stream_.read_some({buffer.data(), room});
    greeting.append(buffer.data(), count);
    if (count > 0 && greeting.size() == x11::setup_head_bytes) {
      wanted = x11::setup_bytes(greeting).value_or(0);
    }
    if (count == 0 || wanted == 0) {
      throw Error(ErrorCode::unavailable, "the display does not answer as an X server");
    }
  }
  std::optional<x11::Setup> setup = x11::read_setup(greeting);
  if (!setup) {
    throw Error(ErrorCode::unavailable, "the display has no screen");
  }
  co_return *setup;
}

Async<> X11Connection::live(std::function<void(const x11::Message&)> on_event) {
  // Whoever waits for an answer is told, also when this is cancelled.
  struct Ending {
    X11Connection* connection;
    ~Ending() { connection->end(); }
  } ending{this};
  std::vector<Async<>> works;
  works.push_back(send_requests());
  works.push_back(receive(std::move(on_event)));
  co_await first_of(std::move(works));
}

Async<> X11Connection::send_requests() {
  while (true) {
    has_unsent_.clear();
    while (!unsent_.empty()) {
      const std::string requests = std::exchange(unsent_, {});
      co_await stream_.write(requests);
    }
    co_await has_unsent_.wait();
  }
}

Async<> X11Connection::receive(std::function<void(const x11::Message&)> on_event) {
  std::array<char, 16384> buffer{};
  while (std::size_t count = co_await stream_.read_some(buffer)) {
    reader_.add({buffer.data(), count});
    while (std::optional<x11::Message> message = reader_.take()) {
      if (message->kind == x11::Message::Kind::event) {
        on_event(*message);
      } else {
        take(std::move(*message));
      }
    }
  }
}

void X11Connection::send(std::string_view request) {
  if (!ended_) {
    unsent_ += request;
    has_unsent_.set();
    ++sequence_;
  }
}

void X11Connection::send_passing(std::string_view request, const Fd& passed) {
  if (ended_ || !unsent_.empty()) {
    throw display_gone();
  }
  stream_.write_now(request, &passed);
  ++sequence_;
}

Async<std::string> X11Connection::call(std::string request) {
  if (ended_) {
    throw display_gone();
  }
  send(request);
  auto call = std::make_shared<Call>(executor_, sequence_);
  calls_.push_back(call);
  co_await call->answered.wait();
  if (!call->answer) {
    throw display_gone();
  }
  if (call->answer->kind == x11::Message::Kind::error) {
    throw Error(ErrorCode::unavailable, "the display refused a request",
                "X error " + std::to_string(call->answer->code));
  }
  co_return std::move(call->answer->bytes);
}

Async<x11::Atom> X11Connection::atom(std::string name) {
  const std::string reply = co_await call(x11::intern_atom(name));
  co_return x11::read_atom(reply);
}

// Answers come in the order of the requests. One that nobody waits for is an error of a request
// without a reply.
void X11Connection::take(x11::Message message) {
  if (!calls_.empty() && calls_.front()->sequence == message.sequence) {
    std::shared_ptr<Call> call = std::move(calls_.front());
    calls_.pop_front();
    call->answer = std::move(message);
    call->answered.set();
  }
}

void X11Connection::end() {
  ended_ = true;
  for (const std::shared_ptr<Call>& call : calls_) {
    call->answered.set();
  }
  calls_.clear();
}

}  // namespace capstan
