#include "io/websocket_handshake.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "base/check.h"
#include "base/error.h"
#include "base/text.h"

namespace capstan {
namespace {

constexpr std::string_view line_end = "\r\n";

void add_headers(std::string& head, const HandshakeHeaders& headers) {
  for (const auto& [name, value] : headers) {
    head += name + ": " + value + "\r\n";
  }
}

bool is_one_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
}

// The value of a header; empty if there is none.
std::string_view find_header(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    std::string_view line = head.substr(0, head.find(line_end));
    head.remove_prefix(std::min(line.size() + line_end.size(), head.size()));
    std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), name)) {
      return trim(line.substr(colon + 1));
    }
  }
  return {};
}

}  // namespace

std::string handshake_proof(std::string_view key) {
  std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr) == 1);
  return encode_base64({reinterpret_cast<const char*>(digest.data()), length});
}

std::string handshake_answer(std::string_view key, const HandshakeHeaders& headers) {
  std::string head =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "upgrade: websocket\r\n"
      "connection: Upgrade\r\n"
      "sec-websocket-accept: " +
      handshake_proof(key) + "\r\n";
  add_headers(head, headers);
  return head + "\r\n";
}

std::string handshake_request(std::string_view host, std::string_view target, std::string_view key,
                              const HandshakeHeaders& headers) {
  bool is_sound = target.starts_with('/') && is_one_line(target) && is_one_line(host) &&
                  target.find(' ') == std::string_view::npos;
  for (const auto& [name, value] : headers) {
    is_sound = is_sound && !name.empty() && is_one_line(name) && is_one_line(value);
  }
  if (!is_sound) {
    throw Error(ErrorCode::invalid_argument,
                "a WebSocket's target or header holds a character that may not be there");
  }
  std::string head = "GET " + std::string(target) + " HTTP/1.1\r\nhost: " + std::string(host) +
                     "\r\n"
                     "upgrade: websocket\r\n"
                     "connection: Upgrade\r\n"
                     "sec-websocket-version: 13\r\n"
                     "sec-websocket-key: " +
                     std::string(key) + "\r\n";
  add_headers(head, headers);
  return head + "\r\n";
}

void check_handshake_answer(std::string_view answer, std::string_view key) {
  std::size_t end = answer.find("\r\n\r\n");
  std::string_view head = answer.substr(0, end);
  std::string_view status_line = head.substr(0, head.find(line_end));
  if (!status_line.starts_with("HTTP/1.1 101")) {
    std::string_view body = end == std::string_view::npos ? "" : answer.substr(end + 4);
    throw Error(ErrorCode::unavailable, "the server didn't open a WebSocket but answered '" +
                                            std::string(status_line) + "' " + std::string(body));
  }
  if (find_header(head, "sec-websocket-accept") != handshake_proof(key)) {
    throw Error(ErrorCode::unavailable, "the server's answer is not to our WebSocket handshake");
  }
}

}  // namespace capstan
