#include "io/outcome.h"

#include <boost/asio/error.hpp>

namespace capstan {

Error to_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) {
      return Error(ErrorCode::cancelled, "cancelled");
    }
    return Error(ErrorCode::unavailable, "an input or output failed", error.what());
  } catch (const std::exception& error) {
    return Error(ErrorCode::internal, "internal error", error.what());
  } catch (...) {
    return Error(ErrorCode::internal, "internal error", "an exception of unknown type");
  }
}

}  // namespace capstan
