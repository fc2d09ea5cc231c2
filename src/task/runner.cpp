#include "task/runner.h"

#include <array>

#include "base/json.h"
#include "base/text.h"
#include "io/race.h"
#include "task/limit_notes.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t output_bytes_max = std::size_t{10} << 20;
constexpr std::size_t error_bytes_max = std::size_t{128} << 10;  // twice what the worker sends
// An output is a JSON text inside a JSON text: at worst each byte takes six.
constexpr std::size_t frame_bytes_max = 6 * output_bytes_max + (std::size_t{1} << 20);
// One that is honest holds four.
constexpr std::size_t frame_values_max = 16;
// A process that closed its control socket is about to end; how it ended is the better message.
constexpr auto exit_patience = 2s;

json::object to_json_object(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [name, value] : map) {
    object[name] = value;
  }
  return object;
}

std::string run_frame(const RunnerOrder& order) {
  json::object context{{"inputs", to_json_object(order.inputs)},
                       {"sessionId", order.session_id},
                       {"executionId", order.execution_id}};
  json::object frame{{"type", "run"},
                     {"name", order.task_name},
                     {"code", order.bundle},
                     {"env", to_json_object(order.environment)},
                     {"context", std::move(context)},
                     {"outputBytesMax", output_bytes_max}};
  return json::serialize(frame) + "\n";
}

// The frame comes from a process that runs foreign code, so anything may be in it.
RunOutcome to_outcome(const std::string& frame) {
  auto value = outcome_of_call([&] { return parse_json(frame, "the frame", frame_values_max); });
  const json::object* object = value.ok() ? value.value().if_object() : nullptr;
  if (object != nullptr) {
    auto type = text_at(*object, "type");
    if (type == "result") {
      auto output = text_at(*object, "output");
      if (output && output->size() > output_bytes_max) {
        return failure("protocol_error: the task's process sent more than it may return");
      }
      return {.status = RunStatus::success, .output = std::move(output)};
    }
    if (type == "error") {
      std::string message = text_at(*object, "message").value_or("the task failed");
      std::string stack = text_at(*object, "stack").value_or("");
      // V8's stacks begin with the message already.
      bool told = stack.starts_with(message) || stack.find(message) < 200;
      std::string text = stack.empty() ? message : told ? stack : message + "\n" + stack;
      return failure(std::string(clip_utf8(text, error_bytes_max)));
    }
  }
  return failure("protocol_error: the task's process sent something that is not an outcome");
}

}  // namespace

Runner::Runner(Executor executor, Clock& clock, std::unique_ptr<Child> child, Bounds bounds,
               RunnerStreams streams)
    : clock_(clock),
      child_(std::move(child)),
      bounds_(bounds),
      control_(executor, std::move(streams.control)),
      out_(executor, std::move(streams.out)),
      err_(executor, std::move(streams.err)),
      frames_(control_, '\n', frame_bytes_max),
      order_sent_(executor),
      scope_(executor, "runner") {}

Async<> Runner::become_ready() {
  auto frame = co_await frames_.next();
  if (!frame) {
    std::array<char, 4096> last_words{};
    std::size_t count = err_.read_now(last_words);
    throw Error(ErrorCode::unavailable, "a runner ended before it was ready",
                std::string(last_words.data(), count));
  }
  if (*frame != R"({"type":"ready"})") {
    throw Error(ErrorCode::unavailable, "a runner did not say that it is ready", *frame);
  }
}

Async<> Runner::pump(LogStream which, Stream* stream) {
  std::array<char, 65536> buffer{};
  while (std::size_t count = co_await stream->read_some(buffer)) {
    log_->append(which, {buffer.data(), count});
  }
}

void Runner::drain() {
  // What the task printed before it ended is in the pipes by now: Node writes to pipes at once.
  std::array<char, 65536> buffer{};
  while (std::size_t count = out_.read_now(buffer)) {
    log_->append(LogStream::out, {buffer.data(), count});
  }
  while (std::size_t count = err_.read_now(buffer)) {
    log_->append(LogStream::err, {buffer.data(), count});
  }
}

Async<RunOutcome> Runner::run(RunnerOrder order, std::shared_ptr<RunLog> log) {
  log_ = std::move(log);
  scope_.spawn(pump(LogStream::out, &out_));
  scope_.spawn(pump(LogStream::err, &err_));
  std::string frame = run_frame(order);
  auto sent = co_await outcome_of(control_.write(frame));
  order_sent_.set();
  auto answer = co_await outcome_of(frames_.next());
  RunOutcome outcome;
  if (!answer.ok() && answer.error().code() == ErrorCode::cancelled) {
    throw Error(answer.error());
  }
  if (!answer.ok()) {
    outcome = failure("protocol_error: " + answer.error().message());
  } else if (auto text = std::move(answer).take()) {
    outcome = to_outcome(*text);
  } else {
    outcome = co_await outcome_of_end();
  }
  drain();
  if (outcome.error) {
    *outcome.error += notes_on(*outcome.error);
  }
  co_return outcome;
}

std::string Runner::notes_on(const std::string& error) const {
  return limit_notes(child_->limits_met(), bounds_.limits, error, log_->lines()) +
         network_note(error, bounds_.has_network);
}

Async<RunOutcome> Runner::outcome_of_end() {
  auto exit = co_await outcome_of(within(clock_, exit_patience, child_->wait(), "still there"));
  co_return exit.ok() ? failure("the task's process ended (" + std::move(exit).take().text() +
                                ") before it returned")
                      : failure("protocol_error: the task's process closed its control socket");
}

Async<> Runner::request_cancel() {
  co_await order_sent_.wait();
  auto sent = co_await outcome_of(control_.write("{\"type\":\"cancel\"}\n"));
}

Async<> Runner::close() {
  child_->kill();
  co_await child_->gone();
  if (log_) {
    drain();
  }
  co_await scope_.close();
}

}  // namespace capstan
