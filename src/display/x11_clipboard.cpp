#include "display/x11_clipboard.h"

#include <utility>

namespace capstan {
namespace {

constexpr std::size_t piece_bytes = 200'000;  // a request has up to 256 KiB

}  // namespace

Async<> X11Clipboard::prepare(x11::Id window, x11::Id root) {
  window_ = window;
  clipboard_ = co_await connection_.atom("CLIPBOARD");
  targets_ = co_await connection_.atom("TARGETS");
  utf8_ = co_await connection_.atom("UTF8_STRING");
  connection_.send(x11::create_hidden_window(window_, root));
}

void X11Clipboard::offer(std::string text) {
  text_ = std::move(text);
  fetched_.clear();
  connection_.send(x11::own_selection(window_, clipboard_));
}

void X11Clipboard::take(const x11::SelectionRequest& request) {
  if (connection_.is_full()) {
    return;  // asks faster than it reads
  }
  bool is_text = request.target == utf8_ && request.selection == clipboard_;
  bool is_question = request.target == targets_ && request.selection == clipboard_;
  if (is_question) {
    connection_.send(x11::append_atoms(request.requestor, request.property, {targets_, utf8_}));
  }
  for (std::string_view rest = text_; is_text && !rest.empty();
       rest.remove_prefix(std::min(rest.size(), piece_bytes))) {
    connection_.send(x11::append_property(request.requestor, request.property, utf8_,
                                          rest.substr(0, piece_bytes)));
  }
  connection_.send(
      x11::answer_selection_request(request, is_text || is_question ? request.property : 0));
  if (is_text) {
    fetched_.set();
  }
}

}  // namespace capstan
