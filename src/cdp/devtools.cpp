#include "cdp/devtools.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "cdp/answer.h"
#include "cdp/devtools_call.h"
#include "io/line_reader.h"
#include "io/outcome.h"
#include "io/race.h"

namespace capstan {
namespace {

Error crowded(std::size_t parties) {
  return Error(ErrorCode::resource_exhausted, "the browser serves " + std::to_string(parties) +
                                                  " DevTools clients already; close one first");
}

}  // namespace

DevTools::DevTools(Executor executor, Clock& clock, Stream to_browser, Stream from_browser,
                   DevToolsAccounts& accounts, DevToolsLimits limits)
    : executor_(std::move(executor)),
      clock_(clock),
      to_browser_(std::move(to_browser)),
      from_browser_(std::move(from_browser)),
      accounts_(accounts),
      limits_(limits),
      router_(limits.router),
      outbox_(executor_, limits.pipe_queue_bytes_max),
      room_made_(executor_) {}

DevTools::~DevTools() { end(); }

void DevTools::on_close_request(std::function<void()> listener) {
  close_listener_ = std::move(listener);
}

Async<> DevTools::live() {
  struct Ending {
    DevTools& devtools;
    ~Ending() { devtools.end(); }
  } ending{*this};
  std::vector<Async<>> works;
  works.push_back(read_pipe());
  works.push_back(write_pipe());
  works.push_back(watch_writing());
  co_await first_of(std::move(works));
}

Async<> DevTools::read_pipe() {
  LineReader reader(from_browser_, '\0', limits_.from_browser_bytes_max, &accounts_.arriving,
                    limits_.from_browser_free_bytes);
  while (std::optional<std::string> text = co_await reader.next()) {
    DevToolsRoute route = router_.from_browser(std::move(*text));
    if (route.ended_party) {
      end_party(*route.ended_party);
    }
    if (route.to == DevToolsRoute::To::party && route.party == ourselves) {
      answered(std::move(route));
    } else if (route.to == DevToolsRoute::To::party) {
      co_await deliver(route.party, std::move(route.message));
    }
  }
}

Async<> DevTools::write_pipe() {
  while (std::optional<std::string> message = co_await outbox_.pop()) {
    if (!outbox_.is_full()) {
      for (auto& [id, party] : parties_) {
        party->may_send_.set();
      }
    }
    message->push_back('\0');
    // A browser that has closed its end is as good as gone.
    writing_since_ = clock_.now();
    if (auto written = co_await outcome_of(to_browser_.write(*message)); !written.ok()) {
      co_return;
    }
    writing_since_.reset();
  }
}

Async<> DevTools::watch_writing() {
  while (true) {
    co_await clock_.sleep(limits_.write_limit / 4);
    if (writing_since_ && clock_.now() - *writing_since_ > limits_.write_limit) {
      throw Error(ErrorCode::unavailable, "the browser does not read its commands any more");
    }
  }
}

Async<> DevTools::deliver(PartyId id, std::string message) {
  auto party = parties_.find(id);
  if (party == parties_.end() || !party->second->make_room_for(message)) {
    co_return;
  }
  while (party->second->queue_.is_full()) {
    held_up_by_ = id;
    room_made_.clear();
    std::vector<Async<>> works;
    works.push_back(room_made_.wait());
    works.push_back(clock_.sleep(limits_.stall_limit));
    bool stalled = co_await first_of(std::move(works)) == 1;
    held_up_by_ = ourselves;
    party = parties_.find(id);
    if (party == parties_.end()) {
      co_return;
    }
    if (stalled && !room_made_.is_set()) {
      party->second->expel(Party::Expulsion::stalled);
      co_return;
    }
  }
  party->second->push(std::move(message));
}

Async<json::object> DevTools::call(std::string method, json::object params,
                                   std::string session_id) {
  if (gone_) {
    throw browser_has_gone();
  }
  Call call(*this, Call::Kind::plain, command(method, params, session_id));
  std::string answer = co_await call.answer();
  co_return result_in(answer, method);
}

Async<std::unique_ptr<Party>> DevTools::join_browser() {
  return join("Target.attachToBrowserTarget", {});
}

Async<std::unique_ptr<Party>> DevTools::join_target(std::string target_id) {
  return join("Target.attachToTarget", {{"targetId", target_id}, {"flatten", true}});
}

Async<std::unique_ptr<Party>> DevTools::join(std::string method, json::object params) {
  if (gone_) {
    throw browser_has_gone();
  }
  if (parties_.size() >= limits_.parties_max) {
    throw crowded(limits_.parties_max);
  }
  Call call(*this, Call::Kind::attaches, command(method, params, {}));
  std::string answer = co_await call.answer();
  if (parties_.size() >= limits_.parties_max) {
    abandon(answer);
    throw crowded(limits_.parties_max);
  }
  if (auto refused = refusal_in(answer, method)) {
    bool is_unknown = refused->code() == ErrorCode::invalid_argument;
    throw is_unknown ? Error(ErrorCode::not_found, refused->message()) : *refused;
  }
  std::optional<std::string> session_id = attached_session_in(answer);
  std::optional<PartyId> id = session_id ? router_.join(*session_id) : std::nullopt;
  if (!id) {
    throw Error(ErrorCode::not_found, "the target has gone");
  }
  std::unique_ptr<Party> party(new Party(*this, executor_, *id, std::move(*session_id),
                                         limits_.party_queue_bytes_max, accounts_));
  parties_.emplace(*id, party.get());
  co_return party;
}

void DevTools::check_size(const std::string& message) const {
  if (message.size() > limits_.to_browser_bytes_max) {
    throw Error(ErrorCode::resource_exhausted,
                "a message to the browser may have at most " +
                    std::to_string(limits_.to_browser_bytes_max >> 20) + " MiB");
  }
}

bool DevTools::has_room_for(const Party& party) const {
  return !outbox_.is_full() && !party.queue_.is_full();
}

void DevTools::take_from(Party& party, const std::string& message) {
  DevToolsRoute route = router_.from_party(party.id_, message);
  if (route.to == DevToolsRoute::To::browser) {
    post(std::move(route.message));
  } else if (route.to == DevToolsRoute::To::party) {
    if (party.make_room_for(route.message)) {
      party.push(std::move(route.message));
    }
  }
  if (route.asks_to_close && close_listener_) {
    std::exchange(close_listener_, nullptr)();
  }
}

void DevTools::taken_by(PartyId party) {
  if (held_up_by_ == party) {
    room_made_.set();
  }
}

void DevTools::leave(Party& party) {
  router_.leave(party.id_);
  detach(party.session_id_);
  end_party(party.id_);
}

void DevTools::end_party(PartyId id) {
  auto party = parties_.find(id);
  if (party == parties_.end()) {
    return;
  }
  party->second->end();
  parties_.erase(party);
  taken_by(id);
}

DevToolsRoute DevTools::command(std::string_view method, const json::object& params,
                                std::string_view session_id) {
  json::object text = {{"id", 0}, {"method", method}, {"params", params}};
  if (!session_id.empty()) {
    text["sessionId"] = session_id;
  }
  DevToolsRoute route = router_.from_party(ourselves, json::serialize(text));
  if (route.to == DevToolsRoute::To::browser) {
    post(std::move(route.message));
  }
  return route;
}

void DevTools::post(std::string message) {
  std::size_t weight = queued_bytes(message);
  outbox_.push_now(std::move(message), weight);
}

void DevTools::answered(DevToolsRoute route) {
  auto entry = calls_.find(route.id);
  if (entry == calls_.end()) {
    return;
  }
  if (entry->second != nullptr) {
    entry->second->end_with(std::move(route.message));
  } else {
    calls_.erase(entry);
    abandon(route.message);
  }
}

void DevTools::abandon(std::string_view answer) {
  if (std::optional<std::string> session = attached_session_in(answer)) {
    detach(*session);
  }
}

void DevTools::detach(std::string_view session_id) {
  command("Target.detachFromTarget", {{"sessionId", session_id}}, {});
}

void DevTools::end() {
  gone_ = true;
  to_browser_.close();
  from_browser_.close();
  outbox_.close();
  while (!parties_.empty()) {
    end_party(parties_.begin()->first);
  }
  for (auto& [id, call] : std::exchange(calls_, {})) {
    if (call != nullptr) {
      call->browser_gone();
    }
  }
}

}  // namespace capstan
