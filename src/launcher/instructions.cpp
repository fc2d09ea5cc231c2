#include "launcher/instructions.h"

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace capstan {
namespace {

// The words of the command line, one after the other.
class Words {
 public:
  Words(int count, char** words) : count_(count), words_(words) {}

  bool at_end() const { return next_ >= count_; }
  const char* text() { return at_end() ? nullptr : words_[next_++]; }
  std::optional<std::uint64_t> number() {
    const char* digits = text();
    if (digits == nullptr || *digits == '\0') {
      return std::nullopt;
    }
    char* end = nullptr;
    std::uint64_t value = std::strtoull(digits, &end, 10);
    return *end == '\0' ? std::optional(value) : std::nullopt;
  }
  char** rest() const { return words_ + next_; }

 private:
  const int count_;
  char** const words_;
  int next_ = 1;
};

template <class T>
bool set(T& target, std::optional<std::uint64_t> value) {
  target = static_cast<T>(value.value_or(0));
  return value.has_value();
}

bool set(std::optional<std::uint32_t>& target, std::optional<std::uint64_t> value) {
  target = value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
  return value.has_value();
}

bool set(const char*& target, const char* text) {
  target = text;
  return text != nullptr;
}

bool set(bool& target) { return target = true; }

bool add(std::vector<const char*>& list, const char* text) {
  list.push_back(text);
  return text != nullptr;
}

bool add(std::vector<std::uint16_t>& list, std::optional<std::uint64_t> port) {
  list.push_back(static_cast<std::uint16_t>(port.value_or(0)));
  return port && *port >= 1 && *port <= 65535;
}

bool add(std::vector<Scratch>& list, const char* path, std::optional<std::uint64_t> bytes) {
  list.push_back({path, bytes.value_or(0)});
  return bytes.has_value();
}

bool take_option(std::string_view option, Words& words, Instructions& into) {
  if (option == "--status") return set(into.status_socket, words.number());
  if (option == "--namespaces") return set(into.namespaces);
  if (option == "--user") return set(into.user, words.number());
  if (option == "--end-user") return set(into.end_user);
  if (option == "--readable") return add(into.readable, words.text());
  if (option == "--writable") return add(into.writable, words.text());
  if (option == "--scratch") {
    const char* path = words.text();
    return add(into.scratches, path, words.number());
  }
  if (option == "--door") return add(into.doors, words.number());
  if (option == "--service") return set(into.service.socket, words.text());
  if (option == "--service-word") return add(into.service.words, words.text());
  if (option == "--connect-to") return add(into.connect_to, words.number());
  if (option == "--landlock") return set(into.landlock);
  if (option == "--writes-proc") return set(into.writes_proc);
  if (option == "--filter") return set(into.filter, words.number());
  if (option == "--work-in") return set(into.work_in, words.text());
  if (option == "--open-files") return set(into.open_files_max, words.number());
  if (option == "--file-bytes") return set(into.file_bytes_max, words.number());
  if (option == "--locked-bytes") return set(into.locked_bytes_max, words.number());
  if (option == "--niceness") return set(into.niceness, words.number());
  if (option == "--processes") return set(into.processes_max, words.number());
  if (option == "--data-bytes") return set(into.data_bytes_max, words.number());
  return false;
}

}  // namespace

std::optional<Instructions> read_instructions(int count, char** words) {
  Instructions instructions;
  instructions.word_count = count;
  instructions.words = words;
  Words line(count, words);
  while (!line.at_end()) {
    std::string_view option = line.text();
    if (option == "--") {
      instructions.program = line.rest();
      break;
    }
    if (!take_option(option, line, instructions)) {
      return std::nullopt;
    }
  }
  bool has_work = instructions.end_user
                      ? instructions.user.has_value()
                      : instructions.program != nullptr && *instructions.program != nullptr;
  return has_work && instructions.status_socket >= 0 ? std::optional(instructions) : std::nullopt;
}

void forget_command_line(const Instructions& instructions) {
  for (int i = 1; i < instructions.word_count; ++i) {
    std::memset(instructions.words[i], 0, std::strlen(instructions.words[i]));
  }
}

}  // namespace capstan
