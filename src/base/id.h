#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"

namespace capstan {

// A UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds, the rest random, so that ids sort
// by age and still can't be guessed.
std::string make_uuid(WallTime now, Random& random);

// The canonical lower-case form of any UUID text; nothing for anything else.
std::optional<std::string> canonical_uuid(std::string_view text);

// An id of one kind of thing; `Tag` keeps the kinds apart, so that a task's id can't be handed to
// a function that wants a session's. An Id always holds a canonical UUID.
template <class Tag>
class Id {
 public:
  static Id make(WallTime now, Random& random) { return Id(make_uuid(now, random)); }

  static std::optional<Id> parse(std::string_view text) {
    if (auto canonical = canonical_uuid(text)) {
      return Id(std::move(*canonical));
    }
    return std::nullopt;
  }

  // For text that we wrote ourselves, such as a database column.
  static Id trusted(std::string text) { return Id(std::move(text)); }

  const std::string& text() const { return text_; }
  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  explicit Id(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace capstan

template <class Tag>
struct std::hash<capstan::Id<Tag>> {
  std::size_t operator()(const capstan::Id<Tag>& id) const {
    return std::hash<std::string>()(id.text());
  }
};
