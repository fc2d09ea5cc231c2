#include "http/message.h"

#include <algorithm>
#include <array>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/text.h"

namespace capstan {
namespace {

// In the order of Method.
constexpr std::array<std::string_view, 7> method_names = {"GET",   "HEAD",   "POST",   "PUT",
                                                          "PATCH", "DELETE", "OPTIONS"};

std::optional<std::string> decode_text(std::string_view text) {
  auto decoded = text.find('\0') == std::string_view::npos ? decode_percent(text) : std::nullopt;
  return decoded && is_utf8(*decoded) ? decoded : std::nullopt;
}

}  // namespace

std::string_view to_text(Method method) { return method_names[static_cast<std::size_t>(method)]; }

std::optional<Method> parse_method(std::string_view text) {
  auto name = std::find(method_names.begin(), method_names.end(), text);
  if (name == method_names.end()) {
    return std::nullopt;
  }
  return static_cast<Method>(name - method_names.begin());
}

std::optional<std::vector<QueryField>> parse_query(std::string_view query) {
  std::vector<QueryField> fields;
  while (!query.empty()) {
    std::string_view piece = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
    if (piece.empty()) {
      continue;
    }
    std::string_view name = piece.substr(0, piece.find('='));
    std::string_view value = piece.substr(std::min(name.size() + 1, piece.size()));
    auto decoded_name = decode_text(name);
    auto decoded_value = decode_text(value);
    if (!decoded_name || !decoded_value) {
      return std::nullopt;
    }
    fields.push_back({std::move(*decoded_name), std::move(*decoded_value)});
  }
  return fields;
}

void Request::drop_body() {
  std::string().swap(body);
  body_share.reset();
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const Header& candidate : headers) {
    if (equal_ignoring_case(candidate.name, name)) {
      return candidate.value;
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const QueryField& field : query) {
    if (field.name == name) {
      return field.value;
    }
  }
  return std::nullopt;
}

Response error_response(int status, std::string_view message) {
  namespace json = boost::json;
  json::value body = {{"error", {{"code", status}, {"message", message}}}};
  Response response;
  response.status = status;
  response.headers.push_back({"content-type", "application/json"});
  response.body = json::serialize(body);
  return response;
}

}  // namespace capstan
