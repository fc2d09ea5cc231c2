#include "cdp/rewrite.h"

namespace capstan {
namespace {

constexpr std::string_view json_space = " \t\r\n";

// Takes the member out whose value stands at `value`, with its comma.
void erase_member(std::string& text, std::size_t value, std::size_t value_size) {
  std::size_t end = value + value_size;
  // The names of our members hold no quotes, not even escaped ones.
  std::size_t begin = text.rfind('"', text.rfind('"', value - 1) - 1);
  std::size_t before = text.find_last_not_of(json_space, begin - 1);
  if (text[before] == ',') {
    begin = before;
  } else if (std::size_t after = text.find_first_not_of(json_space, end); text[after] == ',') {
    end = after + 1;
  }
  text.erase(begin, end - begin);
}

std::string answer_text(std::string_view id, std::string_view outcome,
                        std::string_view session_id) {
  std::string text = "{";
  if (!id.empty()) {
    text.append(R"("id":)").append(id).append(",");
  }
  text.append(outcome);
  if (!session_id.empty()) {
    text.append(R"(,"sessionId":")").append(session_id).append("\"");
  }
  text.append("}");
  return text;
}

}  // namespace

std::string command_text(std::int32_t id, std::string_view session_id,
                         const DevToolsMessage& command) {
  std::string id_text = std::to_string(id);
  std::string text;
  text.reserve(64 + id_text.size() + session_id.size() + command.method.size() +
               command.params.size());
  text.append(R"({"id":)").append(id_text);
  if (!session_id.empty()) {
    text.append(R"(,"sessionId":")").append(session_id).append("\"");
  }
  text.append(R"(,"method":)").append(command.method);
  if (!command.params.empty()) {
    text.append(R"(,"params":)").append(command.params);
  }
  text.append("}");
  return text;
}

// What stands further back is changed first, so that the other place stays true.
void put_back(std::string& text, const DevToolsMessage& message, std::string_view original_id,
              bool hides_session) {
  auto place_of = [&](std::string_view slice) {
    return static_cast<std::size_t>(slice.data() - text.data());
  };
  bool has_session = hides_session && !message.session_id.empty();
  std::size_t id = message.id.empty() ? 0 : place_of(message.id);
  std::size_t session = has_session ? place_of(message.session_id) : 0;
  auto restore_id = [&] {
    if (!message.id.empty()) {
      text.replace(id, message.id.size(), original_id);
    }
  };
  if (has_session && session > id) {
    erase_member(text, session, message.session_id.size());
    restore_id();
  } else {
    restore_id();
    if (has_session) {
      erase_member(text, session, message.session_id.size());
    }
  }
}

std::string error_text(std::string_view id, std::string_view error, std::string_view session_id) {
  return answer_text(id, R"("error":{)" + std::string(error) + "}", session_id);
}

std::string empty_result_text(std::string_view id, std::string_view session_id) {
  return answer_text(id, R"("result":{})", session_id);
}

}  // namespace capstan
