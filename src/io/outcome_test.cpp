#include "io/outcome.h"

#include <memory>
#include <stdexcept>

#include <boost/asio/error.hpp>

#include "io/loop_test.h"

namespace capstan {
namespace {

Async<std::unique_ptr<int>> answer() { co_return std::make_unique<int>(42); }

Async<> fail() {
  throw Error(ErrorCode::conflict, "as told", "the cause");
  co_return;
}

}  // namespace

class OutcomeTest : public LoopTest {};

ASYNC_TEST(OutcomeTest, is_the_value_or_the_error_of_a_coroutine) {
  auto good = co_await outcome_of(answer());
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good.value(), 42);
  EXPECT_EQ(*std::move(good).take(), 42);
  auto bad = co_await outcome_of(fail());
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code(), ErrorCode::conflict);
  EXPECT_EQ(bad.error().cause(), "the cause");
  EXPECT_THROW(std::move(bad).take(), Error);
}

TEST(OutcomeOfCall, is_the_value_or_the_error_of_a_function) {
  EXPECT_EQ(outcome_of_call([] { return 42; }).value(), 42);
  EXPECT_TRUE(outcome_of_call([] {}).ok());
  auto bad = outcome_of_call([]() -> int { throw Error(ErrorCode::not_found, "none"); });
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().message(), "none");
  EXPECT_THROW(std::move(bad).take(), Error);
}

TEST(OutcomeOfCall, without_a_value_is_a_failure) { EXPECT_FALSE(Outcome<int>().ok()); }

TEST(ToError, keeps_errors_and_hides_everything_else_from_the_caller) {
  Error kept = to_error(std::make_exception_ptr(
      Error(ErrorCode::resource_exhausted, "full").retry_after(std::chrono::seconds(5))));
  EXPECT_EQ(kept.code(), ErrorCode::resource_exhausted);
  EXPECT_EQ(kept.message(), "full");
  EXPECT_EQ(kept.retry_after(), std::chrono::seconds(5));
  auto system = [](auto code) {
    return to_error(
        std::make_exception_ptr(boost::system::system_error(make_error_code(code), "secret")));
  };
  EXPECT_EQ(system(asio::error::operation_aborted).code(), ErrorCode::cancelled);
  EXPECT_EQ(system(asio::error::broken_pipe).code(), ErrorCode::unavailable);
  EXPECT_EQ(to_error(std::make_exception_ptr(std::runtime_error("secret"))).code(),
            ErrorCode::internal);
  EXPECT_EQ(to_error(std::make_exception_ptr(7)).code(), ErrorCode::internal);
  for (const Error& error : {system(asio::error::broken_pipe),
                             to_error(std::make_exception_ptr(std::runtime_error("secret")))}) {
    EXPECT_EQ(error.message().find("secret"), std::string::npos);
    EXPECT_NE(error.cause().find("secret"), std::string::npos);
  }
}

}  // namespace capstan
