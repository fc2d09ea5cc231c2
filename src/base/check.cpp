#include "base/check.h"

#include <cstdlib>

#include "base/log.h"

namespace capstan {

void check_failed(const char* condition, const char* file, int line) {
  log_error("check_failed", {{"condition", condition}, {"file", file}, {"line", line}});
  std::abort();
}

}  // namespace capstan
