#include "session/page_watch.h"

#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t command_bytes_max = std::size_t{8} << 20;
// A page that is busy or shows a dialog does not answer.
constexpr auto answer_patience = 2s;
constexpr std::size_t pages_max = 100;

// What is selected on the page, in a field or in a frame of the same site.
constexpr std::string_view selection_script = R"((() => {
  let scope = document;
  let active = scope.activeElement;
  while (active && active.tagName === 'IFRAME' && active.contentDocument) {
    scope = active.contentDocument;
    active = scope.activeElement;
  }
  while (active && active.shadowRoot && active.shadowRoot.activeElement) {
    active = active.shadowRoot.activeElement;
  }
  if (active && typeof active.selectionStart === 'number' && active.type !== 'password') {
    return active.value.slice(active.selectionStart, active.selectionEnd);
  }
  return String(scope.getSelection());
})())";

}  // namespace

PageWatch::PageWatch(Executor executor, Clock& clock, DevTools& devtools, Listener listener)
    : executor_(executor),
      clock_(clock),
      listener_(std::move(listener)),
      client_(executor, devtools, command_bytes_max) {}

Async<> PageWatch::live() {
  auto lived =
      co_await outcome_of(client_.live([this](const json::object& message) { take(message); }));
  for (const auto& [id, question] : questions_) {
    question->answered.set();
  }
  std::move(lived).take();
}

void PageWatch::take(const json::object& message) {
  const json::value* id = message.if_contains("id");
  if (id == nullptr) {
    take_event(text_at(message, "method").value_or(""), text_at(message, "sessionId").value_or(""),
               message.at("params").as_object());
    return;
  }
  auto number = id->to_number<std::int64_t>();
  const json::value* result = message.if_contains("result");
  if (auto attaching = attaching_.find(number); attaching != attaching_.end()) {
    auto page = pages_.find(attaching->second);
    attaching_.erase(attaching);
    if (page != pages_.end() && result != nullptr) {
      page->second.session = text_at(result->as_object(), "sessionId").value_or("");
      if (is_attended_) {
        client_.post("Page.enable", {}, page->second.session);
      }
    }
  }
  if (auto question = questions_.find(number); question != questions_.end()) {
    if (result != nullptr) {
      question->second->answer = result->as_object();
    }
    question->second->answered.set();
    questions_.erase(question);
  }
}

void PageWatch::take_event(std::string_view method, std::string session,
                           const json::object& params) {
  if (method == "Target.targetCreated" || method == "Target.targetInfoChanged") {
    note_target(params.at("targetInfo").as_object());
  } else if (method == "Target.targetDestroyed") {
    pages_.erase(text_at(params, "targetId").value_or(""));
  } else if (method == "Page.javascriptDialogOpening") {
    dialog_ = Dialog{.kind = text_at(params, "type").value_or("alert"),
                     .message = text_at(params, "message").value_or(""),
                     .default_text = text_at(params, "defaultPrompt").value_or("")};
    dialog_session_ = std::move(session);
    listener_.dialog_changed();
  } else if (method == "Page.javascriptDialogClosed" && session == dialog_session_) {
    dialog_.reset();
    listener_.dialog_changed();
  }
}

void PageWatch::note_target(const json::object& info) {
  if (text_at(info, "type") != "page") {
    return;
  }
  std::string target = text_at(info, "targetId").value_or("");
  std::string url = text_at(info, "url").value_or("");
  std::string title = text_at(info, "title").value_or("");
  auto known = pages_.find(target);
  if (known == pages_.end() && pages_.size() < pages_max) {
    pages_[target] = Page{.session = "", .url = url, .title = title};
    attaching_[client_.post("Target.attachToTarget", {{"targetId", target}, {"flatten", true}})] =
        target;
  } else if (known != pages_.end() && known->second.url != url) {
    known->second.url = url;
    listener_.navigated(std::move(url), std::move(title));
  }
}

Async<json::object> PageWatch::ask(std::string method, json::object params, std::string session) {
  auto question = std::make_shared<Question>(executor_);
  questions_[client_.post(method, std::move(params), session)] = question;
  auto waited = co_await outcome_of(
      within(clock_, answer_patience, question->answered.wait(), "the page does not answer"));
  std::erase_if(questions_, [&](const auto& entry) { return entry.second == question; });
  std::move(waited).take();
  co_return std::move(question->answer);
}

Async<std::string> PageWatch::focused_page() {
  if (auto shown = pages_.find(listener_.shown()); shown != pages_.end()) {
    co_return shown->second.session;
  }
  std::vector<std::string> sessions;
  for (const auto& [target, page] : pages_) {
    sessions.push_back(page.session);
  }
  for (const std::string& session : sessions) {
    auto answer = co_await outcome_of(
        ask("Runtime.evaluate",
            {{"expression", "document.hasFocus() && document.visibilityState === 'visible'"},
             {"returnByValue", true}},
            session));
    const json::value* result = answer.ok() ? answer.value().if_contains("result") : nullptr;
    const json::value* value =
        result != nullptr ? result->as_object().if_contains("value") : nullptr;
    if (value != nullptr && *value == true) {
      co_return session;
    }
  }
  co_return "";
}

Async<bool> PageWatch::insert_text(std::string text) {
  std::string session = co_await focused_page();
  if (session.empty()) {
    co_return false;
  }
  co_await ask("Input.insertText", {{"text", std::move(text)}}, session);
  co_return true;
}

Async<bool> PageWatch::compose(std::string text, int start, int end) {
  std::string session = co_await focused_page();
  if (session.empty()) {
    co_return false;
  }
  co_await ask("Input.imeSetComposition",
               {{"text", std::move(text)}, {"selectionStart", start}, {"selectionEnd", end}},
               session);
  co_return true;
}

Async<std::string> PageWatch::selected_text() {
  std::string session = co_await focused_page();
  if (session.empty()) {
    co_return "";
  }
  json::object answer = co_await ask(
      "Runtime.evaluate", {{"expression", selection_script}, {"returnByValue", true}}, session);
  const json::value* result = answer.if_contains("result");
  co_return result != nullptr ? text_at(result->as_object(), "value").value_or("") : "";
}

void PageWatch::answer_dialog(bool accept, const std::string& text) {
  if (dialog_) {
    client_.post("Page.handleJavaScriptDialog", {{"accept", accept}, {"promptText", text}},
                 dialog_session_);
  }
}

void PageWatch::attend(bool on) {
  if (!on) {
    answer_dialog(false, "");
  }
  is_attended_ = on;
  for (const auto& [target, page] : pages_) {
    if (!page.session.empty()) {
      client_.post(on ? "Page.enable" : "Page.disable", {}, page.session);
    }
  }
}

}  // namespace capstan
