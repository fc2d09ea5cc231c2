#include "session/page_watch.h"

#include <algorithm>

#include "base/text.h"
#include "display/screencast.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t command_bytes_max = std::size_t{16} << 20;
// A page that is busy or shows a dialog does not answer.
constexpr auto answer_patience = 2s;
// A piece of a file is much to take for a busy machine.
constexpr auto file_patience = 15s;
constexpr auto return_interval = 1s;
constexpr std::size_t pages_max = 100;
// Of a title, an address, a dialog's text.
constexpr std::size_t told_bytes_max = 2048;
// A page that says more than that is not listened to any more until it shows another document.
constexpr std::size_t console_messages_max = 1000;
constexpr std::size_t console_text_bytes_max = 500;

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
// Asked behind what waits in the page's queue already, such as a change of the focus.
constexpr std::string_view has_focus =
    "document.visibilityState === 'visible' &&"
    " new Promise((done) => setTimeout(() => done(document.hasFocus())))";

const json::value* value_of(const json::object& answer) {
  return object_at(answer, "result").if_contains("value");
}

std::string clipped(const json::object& object, std::string_view name) {
  std::string text = text_at(object, name).value_or("");
  text.resize(clip_utf8(text, told_bytes_max).size());
  return text;
}

// The arguments of console.error(), as a line.
std::string text_of_arguments(const json::object& params) {
  std::string text;
  const json::value* arguments = params.if_contains("args");
  if (arguments == nullptr || !arguments->is_array()) {
    return text;
  }
  for (const json::value& argument : arguments->get_array()) {
    if (!argument.is_object() || text.size() > console_text_bytes_max) {
      break;
    }
    const json::object& object = argument.get_object();
    const json::value* value = object.if_contains("value");
    text += text.empty() ? "" : " ";
    text += value == nullptr     ? text_at(object, "description").value_or("")
            : value->is_string() ? std::string(value->get_string())
                                 : json::serialize(*value);
  }
  return text;
}

// "Uncaught Error: no", with what follows it left out.
std::string text_of_exception(const json::object& params) {
  const json::object& details = object_at(params, "exceptionDetails");
  const json::object& exception = object_at(details, "exception");
  std::string text = text_at(details, "text").value_or("");
  const json::value* value = exception.if_contains("value");
  text += " " + (value != nullptr ? json::serialize(*value)
                                  : text_at(exception, "description").value_or(""));
  return text.substr(0, text.find('\n'));
}

}  // namespace

PageWatch::PageWatch(Executor executor, Clock& clock, Browser& browser,
                     std::function<void(const PageEvent&)> listener)
    : clock_(clock),
      browser_(browser),
      listener_(std::move(listener)),
      client_(executor, clock, browser.devtools(), command_bytes_max),
      scope_(executor, "page watch") {
  if (Screencast* pages = browser_.screencast()) {
    pages->on_pages([this, pages] {
      note_shown(pages->shown());
      listener_({.kind = PageEvent::Kind::tabs});
    });
  }
}

PageWatch::~PageWatch() {
  if (Screencast* pages = browser_.screencast()) {
    pages->on_pages(nullptr);
  }
}

void PageWatch::start() {
  if (!has_started_) {
    has_started_ = true;
    scope_.spawn(live());
  }
}

// A browser may put its client out, for being slow or because it has too many.
Async<> PageWatch::live() {
  while (!browser_.is_gone()) {
    auto watched = co_await outcome_of(
        client_.live([this](std::string_view method, const std::string& session,
                            const json::object& params) { take_event(method, session, params); }));
    forget_all();
    if (!watched.ok() && watched.error().code() == ErrorCode::cancelled) {
      std::move(watched).take();
    }
    co_await clock_.sleep(return_interval);
  }
}

void PageWatch::forget_all() {
  pages_.clear();
  forget_what_asks(nullptr);
}

// A dialog and a file chooser of that session, or of any.
void PageWatch::forget_what_asks(const std::string* session) {
  if (session != nullptr) {
    forget_dialog(*session);
  } else if (!dialogs_.empty()) {
    dialogs_.clear();
    listener_({.kind = PageEvent::Kind::dialog});
  }
  if (chooser_ && (session == nullptr || *session == chooser_session_)) {
    set_chooser(nullptr);
  }
}

void PageWatch::take_event(std::string_view method, const std::string& session,
                           const json::object& params) {
  if (method == "Target.targetCreated" || method == "Target.targetInfoChanged") {
    if (auto page = page_info_in(object_at(params, "targetInfo"), told_bytes_max)) {
      note_page(std::move(*page));
    }
  } else if (method == "Target.targetDestroyed") {
    auto page = pages_.find(text_at(params, "targetId").value_or(""));
    if (page != pages_.end()) {
      const auto closed = pages_.extract(page);
      forget_what_asks(&closed.mapped().session);
      listener_({.kind = PageEvent::Kind::closed, .target = closed.key()});
    }
  } else if (method == "Runtime.consoleAPICalled") {
    std::string type = text_at(params, "type").value_or("");
    take_console_message(session, text_of_arguments(params), type == "error" || type == "assert");
  } else if (method == "Runtime.exceptionThrown") {
    take_console_message(session, text_of_exception(params), true);
  } else if (method == "Log.entryAdded") {
    const json::object& entry = object_at(params, "entry");
    std::string text = text_at(entry, "text").value_or("");
    if (auto url = text_at(entry, "url")) {
      text += " " + *url;
    }
    take_console_message(session, std::move(text), text_at(entry, "level") == "error");
  } else if (method == "Page.javascriptDialogOpening") {
    note_dialog(session, params);
  } else if (method == "Page.javascriptDialogClosed") {
    forget_dialog(session);
  } else if (method == "Page.fileChooserOpened" && is_attended_) {
    chooser_session_ = session;
    set_chooser(std::make_shared<FileChooser>(
        std::to_string(++choosers_opened_), text_at(params, "mode") == "selectMultiple",
        text_at(params, "frameId").value_or(""), integer_at(params, "backendNodeId").value_or(0),
        [this, session](std::string asked, json::object with) {
          return client_.ask(std::move(asked), std::move(with), session, file_patience);
        }));
  }
}

void PageWatch::take_console_message(const std::string& session, std::string text, bool is_error) {
  auto* page = page_of(session);
  if (page == nullptr || page->second.console_messages > console_messages_max) {
    return;
  }
  if (++page->second.console_messages > console_messages_max) {
    client_.post("Runtime.disable", {}, session);
    client_.post("Log.disable", {}, session);
    text = "this page says too much to be listened to";
    is_error = true;
  }
  if (is_error) {
    text.resize(clip_utf8(text, console_text_bytes_max).size());
    listener_(
        {.kind = PageEvent::Kind::console_error, .target = page->first, .text = std::move(text)});
  }
}

std::pair<const std::string, PageWatch::Page>* PageWatch::page_of(const std::string& session) {
  for (auto& page : pages_) {
    if (page.second.session == session && !session.empty()) {
      return &page;
    }
  }
  return nullptr;
}

void PageWatch::note_page(PageInfo info) {
  auto known = pages_.find(info.target_id);
  if (known == pages_.end() && pages_.size() < pages_max) {
    pages_[info.target_id] = Page{.url = info.url};
    client_.attach(info.target_id, [this, target = info.target_id](std::string session) {
      take_session(target, session);
    });
    listener_({.kind = PageEvent::Kind::opened,
               .target = std::move(info.target_id),
               .text = std::move(info.url),
               .title = std::move(info.title)});
  } else if (known != pages_.end() && known->second.url != info.url) {
    known->second.url = info.url;
    forget_what_asks(&known->second.session);
    if (std::exchange(known->second.console_messages, 0) > console_messages_max) {
      client_.post("Runtime.enable", {}, known->second.session);
      client_.post("Log.enable", {}, known->second.session);
    }
    listener_({.kind = PageEvent::Kind::navigated,
               .target = std::move(info.target_id),
               .text = std::move(info.url),
               .title = std::move(info.title)});
  }
}

void PageWatch::take_session(const std::string& target, const std::string& session) {
  auto page = pages_.find(target);
  if (page == pages_.end()) {
    return;
  }
  page->second.session = session;
  client_.post("Runtime.enable", {}, session);
  client_.post("Log.enable", {}, session);
  if (is_attended_ || browser_.has_screen()) {
    attend_page(session);
  }
}

void PageWatch::note_shown(const std::string& target) {
  if (std::exchange(shown_, target) != target) {
    listener_({.kind = PageEvent::Kind::shown, .target = target});
  }
}

Async<> PageWatch::look_for_focus(std::string session, std::vector<std::string>* focused) {
  json::object asked{{"expression", has_focus}, {"returnByValue", true}, {"awaitPromise", true}};
  auto answer = co_await outcome_of(
      client_.ask("Runtime.evaluate", std::move(asked), session, answer_patience));
  const json::value* value = answer.ok() ? value_of(answer.value()) : nullptr;
  if (value != nullptr && *value == true) {
    focused->push_back(std::move(session));
  }
}

// Playwright makes all pages believe that they have the focus; then nobody knows which one has it.
Async<std::string> PageWatch::focused_page() {
  if (auto shown = pages_.find(shown_); shown != pages_.end()) {
    co_return shown->second.session;
  }
  std::vector<std::string> focused;
  std::vector<Async<>> looks;
  for (const auto& [target, page] : pages_) {
    if (!page.session.empty()) {
      looks.push_back(look_for_focus(page.session, &focused));
    }
  }
  co_await all_of(std::move(looks));
  co_return focused.size() == 1 ? focused.front() : "";
}

Async<> PageWatch::caught_up() {
  co_await focused_page();  // which asks all of them
  // What a page did with it may be under way to the browser, as a paste is.
  auto answered = co_await outcome_of(client_.ask("Browser.getVersion", {}, "", answer_patience));
}

Async<bool> PageWatch::insert_text(std::string text) {
  std::string session = co_await focused_page();
  if (session.empty()) {
    co_return false;
  }
  co_await client_.ask("Input.insertText", {{"text", std::move(text)}}, session, answer_patience);
  co_return true;
}

Async<> PageWatch::compose(std::string text, int start, int end) {
  std::string session = co_await focused_page();
  if (!session.empty()) {
    co_await client_.ask(
        "Input.imeSetComposition",
        {{"text", std::move(text)}, {"selectionStart", start}, {"selectionEnd", end}}, session,
        answer_patience);
  }
}

Async<std::string> PageWatch::selected_text() {
  std::string session = co_await focused_page();
  if (session.empty()) {
    co_return "";
  }
  json::object answer = co_await client_.ask(
      "Runtime.evaluate", {{"expression", selection_script}, {"returnByValue", true}}, session,
      answer_patience);
  co_return text_at(object_at(answer, "result"), "value").value_or("");
}

const PageWatch::Dialog* PageWatch::dialog() const {
  return browser_.has_screen() || dialogs_.empty() ? nullptr : &dialogs_.back().second;
}

// A browser without a screen dismisses dialogs by itself while no client has enabled Page, and
// those that are open when we disable it.
bool PageWatch::hears_dialogs(const std::string& session) const {
  return is_attended_ || browser_.has_screen() ||
         std::any_of(dialogs_.begin(), dialogs_.end(),
                     [&](const auto& open) { return open.first == session; });
}

void PageWatch::note_dialog(const std::string& session, const json::object& params) {
  if (!hears_dialogs(session)) {
    return;  // we have disabled Page meanwhile, which has dismissed it
  }
  dialogs_.emplace_back(session, Dialog{.kind = text_at(params, "type").value_or("alert"),
                                        .message = clipped(params, "message"),
                                        .default_text = clipped(params, "defaultPrompt")});
  listener_({.kind = PageEvent::Kind::dialog});
  dismiss_unattended();
}

void PageWatch::forget_dialog(const std::string& session) {
  if (std::erase_if(dialogs_, [&](const auto& open) { return open.first == session; }) == 0) {
    return;
  }
  listener_({.kind = PageEvent::Kind::dialog});
  if (!hears_dialogs(session)) {
    attend_page(session);
  }
}

void PageWatch::dismiss_unattended() {
  if (is_attended_ || programs_ > 0 || client_.is_full()) {
    return;
  }
  for (const auto& [session, dialog] : dialogs_) {
    client_.post("Page.handleJavaScriptDialog", {{"accept", false}}, session);
  }
}

void PageWatch::answer_dialog(bool accept, const std::string& text) {
  if (dialog() != nullptr && !client_.is_full()) {
    client_.post("Page.handleJavaScriptDialog", {{"accept", accept}, {"promptText", text}},
                 dialogs_.back().first);
  }
}

void PageWatch::set_chooser(std::shared_ptr<FileChooser> chooser) {
  chooser_ = std::move(chooser);
  listener_({.kind = PageEvent::Kind::file_chooser});
}

std::shared_ptr<FileChooser> PageWatch::open_chooser(const std::string& id) const {
  if (!chooser_ || chooser_->id() != id) {
    throw Error(ErrorCode::not_found, "the page does not ask for this file any more");
  }
  return chooser_;
}

Async<std::string> PageWatch::send_file(std::string chooser, FilePiece piece) {
  std::shared_ptr<FileChooser> open = open_chooser(chooser);
  co_return co_await open->take(std::move(piece));
}

Async<> PageWatch::choose_files(std::string chooser, std::vector<std::string> files) {
  std::shared_ptr<FileChooser> open = open_chooser(chooser);
  co_await open->choose(std::move(files));
  if (chooser_ == open) {
    set_chooser(nullptr);
  }
}

void PageWatch::attend_page(const std::string& session) {
  const bool hears = hears_dialogs(session);
  if (hears) {
    client_.post("Page.enable", {}, session);
  }
  client_.post("Page.setInterceptFileChooserDialog", {{"enabled", is_attended_}}, session);
  if (!hears) {
    client_.post("Page.disable", {}, session);
  }
}

void PageWatch::attend(bool on) {
  if (on == is_attended_) {
    return;
  }
  is_attended_ = on;
  if (!on) {
    dismiss_unattended();
    set_chooser(nullptr);
  }
  for (const auto& [target, page] : pages_) {
    if (!page.session.empty()) {
      attend_page(page.session);
    }
  }
}

}  // namespace capstan
