#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "http/message.h"
#include "http/router.h"

namespace capstan {
namespace {

Router make_router() {
  Router router;
  router.add(Method::get, "/", 0);
  router.add(Method::get, "/json/version/", 1);
  router.add(Method::post, "/v1/task/run/{name}", 2);
  router.add(Method::get, "/v1/task/{taskId}/versions/{version}", 3);
  router.add(Method::get, "/v1/task/list", 4);
  router.add(Method::del, "/v1/task/{taskId}", 5);
  router.add(Method::get, "/{a}/{b}/{c}", 6);
  return router;
}

// A field is one whole segment: text that leads nowhere else.
void check_field(const std::string& value) {
  CHECK(!value.empty() && value != "." && value != "..");
  CHECK(value.find('/') == std::string::npos);
  CHECK(value.find('\0') == std::string::npos);
  CHECK(is_utf8(value));
}

void check_path(const Router& router, Method method, std::string_view path) {
  auto result = router.match(method, path);
  if (auto* match = std::get_if<Router::Match>(&result)) {
    CHECK(match->route <= 6);
    for (const auto& [name, value] : match->fields) {
      check_field(value);
    }
  } else if (auto* wrong = std::get_if<Router::WrongMethod>(&result)) {
    CHECK(!wrong->allowed.empty());
    for (Method allowed : wrong->allowed) {
      CHECK(std::holds_alternative<Router::Match>(router.match(allowed, path)));
    }
  }
}

void check_query(std::string_view text) {
  auto query = parse_query(text);
  if (query) {
    CHECK(query->size() <= text.size());
    for (const QueryField& field : *query) {
      CHECK(is_utf8(field.name) && is_utf8(field.value));
      CHECK(field.name.find('\0') == std::string::npos);
      CHECK(field.value.find('\0') == std::string::npos);
    }
  }
}

}  // namespace
}  // namespace capstan

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace capstan;
  static const Router router = make_router();
  std::string_view target(reinterpret_cast<const char*>(bytes), size);
  std::size_t mark = target.find('?');
  check_path(router, Method::get, target.substr(0, mark));
  check_path(router, Method::put, target.substr(0, mark));
  check_query(mark == std::string_view::npos ? target : target.substr(mark + 1));
  return 0;
}
