#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "browser/browser.h"
#include "cdp/devtools_client.h"
#include "cdp/page_info.h"
#include "io/clock.h"
#include "io/scope.h"
#include "session/file_chooser.h"

namespace capstan {

// What has happened at the pages of a browser.
struct PageEvent {
  enum class Kind {
    opened,
    closed,
    shown,          // is what a person sees now; empty if there is none. Not told of a screen
    tabs,           // what a screencast tells of its pages has changed
    navigated,      // `text` is the address
    console_error,  // `text` is the message
    dialog,         // dialog() has changed
    file_chooser,   // file_chooser() has changed
  };
  Kind kind = Kind::opened;
  std::string target = {};
  std::string text = {};
  std::string title = {};
};

// Our own client at all pages of a browser, beside those who came from outside: it tells what
// happens there, puts text where the focus is, fetches what is selected, and, while a person drives
// the browser from afar, answers what would be asked of somebody who sat before it. What nobody at
// all can answer it dismisses, since a page with an open dialog answers no program either. Owned by
// the session, which closes it before it destroys it or the browser.
class PageWatch {
 public:
  struct Dialog {
    std::string kind;  // alert, confirm, prompt, beforeunload
    std::string message;
    std::string default_text;
  };

  PageWatch(Executor executor, Clock& clock, Browser& browser,
            std::function<void(const PageEvent&)> listener);
  ~PageWatch();

  // Before, nothing is told and nothing can be done. Again: nothing.
  void start();
  Async<> close() { return scope_.close(); }

  // While a person attends, file choosers and dialogs wait for an answer. Of what is open when none
  // attends any more, file choosers are dismissed, and dialogs unless a program is there.
  void attend(bool on);
  // While it lives, a program from outside is there, which may answer dialogs itself.
  class Program {
   public:
    explicit Program(PageWatch& watch) : watch_(watch) { ++watch_.programs_; }
    ~Program() {
      --watch_.programs_;
      watch_.dismiss_unattended();
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

   private:
    PageWatch& watch_;
  };

  // The newest of those that a person is to be shown; null if there is none. A screen shows its
  // dialogs itself.
  const Dialog* dialog() const;
  void answer_dialog(bool accept, const std::string& text);  // the newest
  // Whether that one may be what a person sees; of a screen only its browser knows.
  bool is_shown(const std::string& target) const { return shown_.empty() || target == shown_; }
  // Null if none is open.
  const std::shared_ptr<FileChooser>& file_chooser() const { return chooser_; }
  // These two throw not_found for one that is not open any more, and unavailable if its page does
  // not answer.
  Async<std::string> send_file(std::string chooser, FilePiece piece);
  Async<> choose_files(std::string chooser, std::vector<std::string> files);

  // Waits until the browser and its pages have come to what hands have done before, as far as they
  // answer. That must have arrived.
  Async<> caught_up();
  // These throw if the page that has the focus doesn't do it. What hands have done before must have
  // arrived. False if no page has the focus.
  Async<bool> insert_text(std::string text);
  Async<> compose(std::string text, int start, int end);
  Async<std::string> selected_text();

 private:
  struct Page {
    std::string session = {};  // ours at it; empty until it is attached
    std::string url = {};
    std::size_t console_messages = 0;
  };

  Async<> live();
  void forget_all();
  void forget_what_asks(const std::string* session);
  void note_dialog(const std::string& session, const json::object& params);
  void forget_dialog(const std::string& session);
  void dismiss_unattended();
  bool hears_dialogs(const std::string& session) const;
  void take_event(std::string_view method, const std::string& session, const json::object& params);
  void take_console_message(const std::string& session, std::string text, bool is_error);
  void note_page(PageInfo info);
  void take_session(const std::string& target, const std::string& session);
  void note_shown(const std::string& target);
  void attend_page(const std::string& session);
  void set_chooser(std::shared_ptr<FileChooser> chooser);
  std::shared_ptr<FileChooser> open_chooser(const std::string& id) const;
  std::pair<const std::string, Page>* page_of(const std::string& session);
  Async<> look_for_focus(std::string session, std::vector<std::string>* focused);
  // The session of the page that has the focus; empty if none has, or it isn't known which.
  Async<std::string> focused_page();

  Clock& clock_;
  Browser& browser_;
  const std::function<void(const PageEvent&)> listener_;
  DevToolsClient client_;

  std::map<std::string, Page> pages_;  // by target
  std::string shown_;                  // the target of a browser without a screen, else empty

  bool has_started_ = false;
  bool is_attended_ = false;
  std::size_t programs_ = 0;
  std::vector<std::pair<std::string, Dialog>> dialogs_;  // that are open, by session
  std::shared_ptr<FileChooser> chooser_;
  std::string chooser_session_;
  std::size_t choosers_opened_ = 0;
  Scope scope_;
};

}  // namespace capstan
