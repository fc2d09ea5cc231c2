#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>

namespace capstan {

enum class ErrorCode {
  invalid_argument,
  unauthenticated,
  permission_denied,
  not_found,
  conflict,
  gone,
  unprocessable,
  unsupported_media_type,
  resource_exhausted,
  deadline_exceeded,
  cancelled,
  not_implemented,
  unavailable,
  internal,
};

// The one failure type. `message` is for the caller and names the field, the trouble and, where
// there is one, the mend; `cause` is for the log and never leaves the server.
class Error : public std::exception {
 public:
  Error() : Error(ErrorCode::internal, "unknown failure") {}
  Error(ErrorCode code, std::string message, std::string cause = {})
      : code_(code), message_(std::move(message)), cause_(std::move(cause)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& cause() const { return cause_; }
  const char* what() const noexcept override { return message_.c_str(); }

  // How long the caller had better wait before it tries again; sent as Retry-After.
  Error retry_after(std::chrono::seconds wait) && {
    retry_after_ = wait;
    return std::move(*this);
  }
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  ErrorCode code_;
  std::string message_;
  std::string cause_;
  std::optional<std::chrono::seconds> retry_after_;
};

}  // namespace capstan
