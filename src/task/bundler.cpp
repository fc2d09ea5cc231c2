#include "task/bundler.h"

#include "base/json.h"
#include "io/race.h"
#include "io/stream.h"
#include "io/stream_pair.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t bundlers_at_once = 2;
// esbuild takes some 10 ms for a task; a program that grows without bound is not a task.
constexpr auto bundle_limit = 20s;
constexpr std::uint64_t memory_bytes_max = std::uint64_t{1} << 30;
constexpr std::size_t answer_bytes_max = std::size_t{32} << 20;

Async<> write_all(Stream* stream, std::string text) {
  co_await stream->write(text);
  stream->close();
}

Async<std::string> talk(Stream* input, std::string question, Stream* output) {
  // The bundler reads its question to the end before it answers, so one after the other will do.
  co_await write_all(input, std::move(question));
  auto answer = co_await outcome_of(output->read_to_end(answer_bytes_max));
  if (!answer.ok() && answer.error().code() == ErrorCode::resource_exhausted) {
    throw Error(ErrorCode::invalid_argument, "code makes a bundle of more than 32 MiB");
  }
  co_return std::move(answer).take();
}

std::string to_message(const json::array& errors) {
  std::string message;
  for (const json::value& item : errors) {
    const json::object& error = item.as_object();
    message += message.empty() ? "code has an error" : ", another";
    if (const json::value* line = error.if_contains("line"); line != nullptr && line->is_int64()) {
      message += " in line " + std::to_string(line->get_int64());
      if (const json::value* column = error.if_contains("column");
          column != nullptr && column->is_int64()) {
        message += ", column " + std::to_string(column->get_int64());
      }
    }
    message += ": " + std::string(error.at("message").as_string());
  }
  return message;
}

}  // namespace

Bundler::Bundler(Executor executor, Clock& clock, Cage& cage, const NodeRuntime& runtime)
    : executor_(std::move(executor)),
      clock_(clock),
      cage_(cage),
      runtime_(runtime),
      turns_(executor_, bundlers_at_once) {}

Async<std::string> Bundler::bundle(std::string name, std::string source) {
  json::object question{{"name", name}, {"code", source}};
  std::string text = co_await answer_to(json::serialize(question));
  auto parsed = outcome_of_call([&] { return json::parse(text); });
  if (!parsed.ok()) {
    throw Error(ErrorCode::unavailable, "the bundler failed", text.substr(0, 1000));
  }
  json::value value = std::move(parsed).take();
  const json::object& answer = value.as_object();
  if (!answer.at("ok").as_bool()) {
    throw Error(ErrorCode::invalid_argument, to_message(answer.at("errors").as_array()));
  }
  co_return std::string(answer.at("code").as_string());
}

Async<std::string> Bundler::answer_to(std::string question) {
  Semaphore::Permit turn = co_await turns_.acquire();
  StreamPair in = make_input_pipe();
  StreamPair out = make_output_pipe();
  ChildOrder order = runtime_.order("bundle", {"--max-old-space-size=256"});
  order.limits.memory_bytes_max = memory_bytes_max;
  order.descriptors.push_back({0, std::move(in.theirs)});
  order.descriptors.push_back({1, std::move(out.theirs)});
  auto child = co_await cage_.start(std::move(order));
  Stream input(executor_, std::move(in.ours));
  Stream output(executor_, std::move(out.ours));
  co_return co_await within(clock_, bundle_limit, talk(&input, std::move(question), &output),
                            "the code took longer than 20 s to bundle");
}

}  // namespace capstan
