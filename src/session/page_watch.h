#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdp/devtools_client.h"
#include "io/clock.h"

namespace capstan {

// Our own client at all pages of a browser, while somebody drives it live: it puts text where the
// focus is, fetches what is selected, and sees the dialogs that a person would have to answer. Its
// owner runs live() in a scope, and ends that before destroying it.
class PageWatch {
 public:
  struct Dialog {
    std::string kind;  // alert, confirm, prompt, beforeunload
    std::string message;
    std::string default_text;
  };
  struct Listener {
    std::function<void()> dialog_changed;
    // The target of the page that is shown, where only one is; else empty.
    std::function<std::string()> shown;
    std::function<void(std::string url, std::string title)> navigated;
  };

  PageWatch(Executor executor, Clock& clock, DevTools& devtools, Listener listener);

  Async<> live();
  // While somebody attends, dialogs wait for an answer. What is open when nobody attends any more
  // is dismissed.
  void attend(bool on);

  const std::optional<Dialog>& dialog() const { return dialog_; }
  void answer_dialog(bool accept, const std::string& text);

  // False if no page has the focus.
  Async<bool> insert_text(std::string text);
  Async<bool> compose(std::string text, int start, int end);
  Async<std::string> selected_text();

 private:
  struct Page {
    std::string session;
    std::string url;
    std::string title;
  };

  void take(const json::object& message);
  void take_event(std::string_view method, std::string session, const json::object& params);
  void note_target(const json::object& info);
  Async<json::object> ask(std::string method, json::object params, std::string session);
  // The session of the page that has the focus; empty if none has.
  Async<std::string> focused_page();

  Executor executor_;
  Clock& clock_;
  const Listener listener_;
  DevToolsClient client_;

  struct Question {
    explicit Question(const Executor& executor) : answered(executor) {}
    Event answered;
    json::object answer;
  };
  std::map<std::int64_t, std::shared_ptr<Question>> questions_;
  std::map<std::int64_t, std::string> attaching_;  // the targets
  std::map<std::string, Page> pages_;              // by target

  bool is_attended_ = false;
  std::optional<Dialog> dialog_;
  std::string dialog_session_;
};

}  // namespace capstan
