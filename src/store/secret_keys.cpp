#include "store/secret_keys.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"
#include "io/file.h"

namespace capstan {
namespace {

constexpr std::size_t id_bytes = 4;  // random, so that no two keys ever go by the same name
constexpr std::size_t id_letters_max = 32;
constexpr off_t file_bytes_max = off_t{1} << 16;

Error bad_file(const std::filesystem::path& file, const std::string& problem) {
  return Error(ErrorCode::invalid_argument, file.string() + " " + problem);
}

void check_file(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    throw bad_file(file,
                   "can't be read. Stored passwords can't be opened without the keys in it, so put "
                   "it back; if it is lost, make a new one as the security guide says");
  }
  if (!S_ISREG(status.st_mode) || status.st_size > file_bytes_max) {
    throw bad_file(file, "is not a file of keys");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw bad_file(file, "is open to other users; chmod 600 it");
  }
}

bool is_key_id(std::string_view text) {
  return !text.empty() && text.size() <= id_letters_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

std::optional<SecretKey> parse_key(std::string_view line) {
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_key_id(line.substr(0, colon))) {
    return std::nullopt;
  }
  SecretKey key{.id = std::string(line.substr(0, colon))};
  auto bytes = decode_base64(line.substr(colon + 1));
  if (!bytes || bytes->size() != key.bytes.size()) {
    return std::nullopt;
  }
  std::copy(bytes->begin(), bytes->end(), key.bytes.begin());
  return key;
}

}  // namespace

std::string make_secret_key_line(Random& random) {
  std::array<std::byte, sizeof(SecretKey::bytes)> bytes{};
  random.fill(bytes);
  std::string_view raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return random.hex(id_bytes) + ":" + encode_base64(raw) + "\n";
}

std::vector<SecretKey> read_secret_keys(const std::filesystem::path& file) {
  check_file(file);
  std::vector<SecretKey> keys;
  std::istringstream text(read_file(file));
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (trim(line).empty()) {
      continue;
    }
    std::string place = file.string() + ", line " + std::to_string(number) + ":";
    auto key = parse_key(trim(line));
    if (!key) {
      throw Error(ErrorCode::invalid_argument,
                  place + " must be ID:KEY, with 32 bytes in base64 for the key");
    }
    if (std::any_of(keys.begin(), keys.end(),
                    [&](const SecretKey& other) { return other.id == key->id; })) {
      throw Error(ErrorCode::invalid_argument, place + " has the id of a key above it");
    }
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) {
    throw bad_file(file, "holds no key");
  }
  return keys;
}

}  // namespace capstan
