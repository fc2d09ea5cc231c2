#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/log.h"
#include "io/clock.h"
#include "io/scope.h"

namespace capstan {

struct ListenerLimits {
  std::size_t connections_max = 0;  // more wait in the kernel's queue
  Duration accept_retry_time{};     // when descriptors have run out
};

// A listening socket, and every connection that came in through it and lives: `Connection` is
// anything with `Async<> live()`, which is its whole life. Its owner awaits close() before it dies.
template <class Connection>
class Listener {
 public:
  using Make = std::function<std::unique_ptr<Connection>(asio::ip::tcp::socket)>;

  // `clock` and what `make` uses outlive the listener. `name` is what the log calls it.
  Listener(asio::ip::tcp::acceptor acceptor, Clock& clock, std::string name, ListenerLimits limits,
           Make make)
      : clock_(clock),
        name_(std::move(name)),
        limits_(limits),
        acceptor_(std::move(acceptor)),
        make_(std::move(make)),
        room_(acceptor_.get_executor()),
        scope_(acceptor_.get_executor(), name_) {}

  void start() { scope_.spawn(accept_all()); }

  // Closes the listening socket. Connections go on.
  void stop_accepting() {
    is_stopping_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    room_.set();
  }
  bool is_stopping() const { return is_stopping_; }

  // Ends everything and waits until it is gone.
  Async<> close() {
    stop_accepting();
    co_await scope_.close();
  }

  const std::list<Connection*>& connections() const { return connections_; }
  bool is_full() const { return connections_.size() >= limits_.connections_max; }

 private:
  Async<> accept_all() {
    bool is_failing = false;
    while (!is_stopping_) {
      if (is_full()) {
        room_.clear();
        co_await room_.wait();
        continue;
      }
      auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (!error) {
        is_failing = false;
        scope_.spawn(serve(make_(std::move(socket))));
      } else if (!is_stopping_ && error != asio::error::connection_aborted) {
        // The kernel goes on reporting the waiting client: trying again at once would be a hot
        // loop.
        if (!is_failing) {
          log_warning("accept_failed", {{"listener", name_}, {"cause", error.message()}});
        }
        is_failing = true;
        co_await clock_.sleep(limits_.accept_retry_time);
      }
    }
  }

  Async<> serve(std::unique_ptr<Connection> connection) {
    struct Entry {
      Listener* listener;
      std::list<Connection*>::iterator place;
      ~Entry() {
        listener->connections_.erase(place);
        listener->room_.set();
      }
    };
    Entry entry{this, connections_.insert(connections_.end(), connection.get())};
    co_await connection->live();
  }

  Clock& clock_;
  const std::string name_;
  const ListenerLimits limits_;
  asio::ip::tcp::acceptor acceptor_;
  const Make make_;
  bool is_stopping_ = false;
  std::list<Connection*> connections_;  // each one lives in its own serve()
  Event room_;                          // raised while there is room for another one
  Scope scope_;
};

}  // namespace capstan
