#include "egress/destination.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/text.h"
#include "http/grammar.h"

namespace capstan {
namespace {

constexpr std::size_t name_bytes_max = 253;
constexpr std::size_t label_bytes_max = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string_view> split_labels(std::string_view text) {
  std::vector<std::string_view> labels;
  while (true) {
    std::size_t dot = text.find('.');
    labels.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) {
      return labels;
    }
    text.remove_prefix(dot + 1);
  }
}

// One part of an IPv4 address: decimal, octal with a 0 in front, or hexadecimal with 0x.
std::optional<std::uint64_t> read_part(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
    if (text.empty()) {
      return 0;
    }
  } else if (text.size() > 1 && text.front() == '0') {
    text.remove_prefix(1);
    base = 8;
  }
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  bool is_whole = end == text.data() + text.size() && !text.empty() && text.front() != '-';
  if (!is_whole || error == std::errc::invalid_argument) {
    return std::nullopt;
  }
  return error == std::errc() ? value : UINT64_MAX;
}

// Whether the text can only be meant as an IPv4 address: no name ends in a number.
bool ends_in_number(const std::vector<std::string_view>& labels) {
  std::string_view last = labels.back();
  return !last.empty() && (std::all_of(last.begin(), last.end(), is_digit) || read_part(last));
}

std::optional<asio::ip::address_v4> read_v4(const std::vector<std::string_view>& parts) {
  if (parts.size() > 4) {
    return std::nullopt;
  }
  std::uint64_t address = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto value = read_part(parts[i]);
    bool is_last = i + 1 == parts.size();
    // The last part fills all the bytes that are left.
    std::size_t bits = is_last ? 8 * (4 - i) : 8;
    if (!value || *value >= (std::uint64_t{1} << bits)) {
      return std::nullopt;
    }
    address = address << bits | *value;
  }
  return asio::ip::address_v4(static_cast<asio::ip::address_v4::uint_type>(address));
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= label_bytes_max &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

Host to_host(const asio::ip::address& address) {
  auto canonical = canonical_address(address);
  std::string text = canonical.to_string();
  return {canonical.is_v6() ? "[" + text + "]" : text, canonical};
}

std::optional<Host> read_v6(std::string_view text) {
  boost::system::error_code error;
  auto address = asio::ip::make_address_v6(std::string(text), error);
  // A zone ("fe80::1%eth0") would choose one of this machine's interfaces.
  if (error || text.find('%') != std::string_view::npos) {
    return std::nullopt;
  }
  return to_host(address);
}

}  // namespace

std::string_view Host::name() const {
  std::string_view name = text;
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  return name;
}

std::string Destination::text() const { return host.text + ":" + std::to_string(port); }

asio::ip::address canonical_address(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address;
}

std::optional<Host> read_host(std::string_view text) {
  if (text.size() > 2 && text.starts_with('[') && text.ends_with(']')) {
    return read_v6(text.substr(1, text.size() - 2));
  }
  if (text.empty() || text.size() > name_bytes_max + 1) {
    return std::nullopt;
  }
  auto labels = split_labels(text);
  if (labels.size() > 1 && labels.back().empty()) {
    labels.pop_back();
  }
  if (ends_in_number(labels)) {
    auto address = read_v4(labels);
    return address ? std::optional(to_host(*address)) : std::nullopt;
  }
  Host host{to_lower(text), std::nullopt};
  bool is_name = std::all_of(labels.begin(), labels.end(), is_label);
  return is_name && host.name().size() <= name_bytes_max ? std::optional(host) : std::nullopt;
}

std::optional<Host> read_lone_host(std::string_view text) {
  return text.find(':') != std::string_view::npos && !text.starts_with('[') ? read_v6(text)
                                                                            : read_host(text);
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return std::nullopt;
  }
  return port;
}

std::optional<Destination> read_destination(std::string_view text,
                                            std::optional<std::uint16_t> default_port) {
  std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  std::size_t colon = bracket == std::string_view::npos ? bracket : text.find(':', bracket);
  auto host = read_host(text.substr(0, colon));
  auto port = colon == std::string_view::npos ? default_port : read_port(text.substr(colon + 1));
  if (!host || !port) {
    return std::nullopt;
  }
  return Destination{std::move(*host), *port};
}

}  // namespace capstan
