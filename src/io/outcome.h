#pragma once

#include <exception>
#include <utility>
#include <variant>

#include <boost/system/system_error.hpp>

#include "base/check.h"
#include "base/error.h"
#include "io/async.h"

namespace capstan {

// What came of a piece of work: its value, or the Error it failed with.
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome() : state_(Error()) {}
  explicit Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  explicit Outcome(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  const Error& error() const { return std::get<1>(state_); }
  // Only if ok().
  const T& value() const { return std::get<0>(state_); }
  // The value; throws the Error if there is none.
  T take() && {
    if (!ok()) {
      throw Error(std::move(std::get<1>(state_)));
    }
    return std::move(std::get<0>(state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Outcome<void> {
 public:
  Outcome() = default;
  explicit Outcome(Error error) : ok_(false), error_(std::move(error)) {}

  bool ok() const { return ok_; }
  const Error& error() const { return error_; }
  void take() && {
    if (!ok_) {
      throw Error(std::move(error_));
    }
  }

 private:
  bool ok_ = true;
  Error error_;
};

// The Error that an exception stands for: an Error as it is, Asio's aborted operations as
// `cancelled`, other system errors as `unavailable`, anything else as `internal`.
Error to_error(const std::exception_ptr& exception);

// Runs the work and turns its failure into a value, so that nobody else needs to catch (but for
// app/main.cpp, and app/config.cpp with its library's own exceptions). A cancelled coroutine must
// not await anything after this.
template <class T>
Async<Outcome<T>> outcome_of(Async<T> work) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(work);
      co_return Outcome<void>();
    } else {
      co_return Outcome<T>(co_await std::move(work));
    }
  } catch (...) {
    co_return Outcome<T>(to_error(std::current_exception()));
  }
}

// The same for a plain function.
template <class Function>
auto outcome_of_call(Function&& function) -> Outcome<std::invoke_result_t<Function>> {
  using T = std::invoke_result_t<Function>;
  try {
    if constexpr (std::is_void_v<T>) {
      std::forward<Function>(function)();
      return Outcome<void>();
    } else {
      return Outcome<T>(std::forward<Function>(function)());
    }
  } catch (...) {
    return Outcome<T>(to_error(std::current_exception()));
  }
}

}  // namespace capstan
