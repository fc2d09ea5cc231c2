#include "cdp/devtools_call.h"

#include <utility>

#include "cdp/answer.h"

namespace capstan {

DevTools::Call::Call(DevTools& devtools, Kind kind, DevToolsRoute route)
    : devtools_(&devtools), kind_(kind), id_(route.id), ended_(devtools.executor_) {
  if (route.to == DevToolsRoute::To::party) {  // refused by the router itself
    devtools_ = nullptr;
    end_with(std::move(route.message));
  } else {
    devtools.calls_[id_] = this;
  }
}

DevTools::Call::~Call() {
  if (devtools_ == nullptr) {
    return;
  }
  if (!answer_ && kind_ == Kind::attaches) {
    devtools_->calls_[id_] = nullptr;
    return;
  }
  devtools_->calls_.erase(id_);
  if (answer_ && kind_ == Kind::attaches) {
    devtools_->abandon(*answer_);
  }
  devtools_->router_.forget(id_);
}

Async<std::string> DevTools::Call::answer() {
  co_await ended_.wait();
  if (!answer_) {
    throw browser_has_gone();
  }
  if (devtools_ != nullptr) {
    std::exchange(devtools_, nullptr)->calls_.erase(id_);
  }
  co_return std::move(*answer_);
}

void DevTools::Call::end_with(std::string answer) {
  answer_ = std::move(answer);
  ended_.set();
}

void DevTools::Call::browser_gone() {
  devtools_ = nullptr;
  // A session that came at the last moment is of no use; any other answer is as true as before.
  if (kind_ == Kind::attaches) {
    answer_.reset();
  }
  ended_.set();
}

}  // namespace capstan
