#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace capstan {

std::string to_hex(std::span<const std::byte> bytes);

// Standard alphabet with padding; nothing for anything else, line breaks included.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

bool is_utf8(std::string_view text);

// The text with every byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

// Percent-decoding of one query or path component; `+` stays `+`. Nothing for a broken escape or
// a decoded NUL.
std::optional<std::string> decode_percent(std::string_view text);

// Without the spaces and tabs at both ends.
std::string_view trim(std::string_view text);

// With the ASCII letters in lower case, and all else as it is.
std::string to_lower(std::string_view text);

// Compares as HTTP does its names and tokens: without regard to the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// The first `bytes_max` bytes of `text` at most, never cutting a UTF-8 sequence.
std::string_view clip_utf8(std::string_view text, std::size_t bytes_max);

}  // namespace capstan
