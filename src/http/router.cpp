#include "http/router.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/check.h"
#include "base/text.h"

namespace capstan {
namespace {

// The raw segments of a path; one slash at its end is passed over. Nothing if the path doesn't
// start with a slash or has more than `segments_max` of them.
std::optional<std::vector<std::string_view>> split_path(std::string_view path,
                                                        std::size_t segments_max) {
  if (path.empty() || path.front() != '/') {
    return std::nullopt;
  }
  path.remove_prefix(1);
  if (path.ends_with('/')) {
    path.remove_suffix(1);
    if (path.empty()) {
      return std::nullopt;  // "//"
    }
  }
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    if (segments.size() == segments_max) {
      return std::nullopt;
    }
    segments.push_back(path.substr(0, path.find('/')));
    path.remove_prefix(segments.back().size());
    if (!path.empty()) {
      path.remove_prefix(1);
      if (path.empty()) {
        segments.emplace_back();  // "/a//": the second slash ends an empty segment
      }
    }
  }
  return segments;
}

std::optional<std::string> decode_segment(std::string_view raw) {
  auto text = decode_percent(raw);
  if (!text || text->empty() || *text == "." || *text == ".." || !is_utf8(*text)) {
    return std::nullopt;
  }
  bool is_plain = std::none_of(text->begin(), text->end(), [](char c) {
    return c == '/' || c == '\x7f' || static_cast<unsigned char>(c) < ' ';
  });
  return is_plain ? text : std::nullopt;
}

std::optional<std::vector<std::string>> read_path(std::string_view path, std::size_t segments_max) {
  auto raw = split_path(path, segments_max);
  if (!raw) {
    return std::nullopt;
  }
  std::vector<std::string> segments;
  segments.reserve(raw->size());
  for (std::string_view text : *raw) {
    auto decoded = decode_segment(text);
    if (!decoded) {
      return std::nullopt;
    }
    segments.push_back(std::move(*decoded));
  }
  return segments;
}

}  // namespace

bool Router::comes_before(const Pattern& a, const Pattern& b) {
  return std::lexicographical_compare(
      a.segments.begin(), a.segments.end(), b.segments.begin(), b.segments.end(),
      [](const Segment& x, const Segment& y) { return !x.is_field && y.is_field; });
}

bool Router::fits(const Pattern& pattern, const std::vector<std::string>& path) {
  return std::equal(pattern.segments.begin(), pattern.segments.end(), path.begin(), path.end(),
                    [](const Segment& segment, const std::string& text) {
                      return segment.is_field || segment.text == text;
                    });
}

Router::Match Router::to_match(const Pattern& pattern, std::vector<std::string> path) {
  Match match{pattern.route, {}};
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (pattern.segments[i].is_field) {
      match.fields.emplace_back(pattern.segments[i].text, std::move(path[i]));
    }
  }
  return match;
}

void Router::add(Method method, std::string_view pattern, std::size_t route) {
  auto raw = split_path(pattern, std::string_view::npos);
  CHECK(raw);
  Pattern added{{}, method, route};
  for (std::string_view text : *raw) {
    bool is_field = text.starts_with('{') && text.ends_with('}');
    added.segments.push_back(
        {is_field, std::string(is_field ? text.substr(1, text.size() - 2) : text)});
    CHECK(!added.segments.back().text.empty());
  }
  for (const Pattern& other : patterns_) {
    CHECK(other.method != method ||
          !std::equal(other.segments.begin(), other.segments.end(), added.segments.begin(),
                      added.segments.end(), [](const Segment& a, const Segment& b) {
                        return a.is_field == b.is_field && (a.is_field || a.text == b.text);
                      }));
  }
  segments_max_ = std::max(segments_max_, added.segments.size());
  auto place = std::upper_bound(patterns_.begin(), patterns_.end(), added, comes_before);
  patterns_.insert(place, std::move(added));
}

std::variant<Router::Match, Router::Nothing, Router::WrongMethod> Router::match(
    Method method, std::string_view path) const {
  auto segments = read_path(path, segments_max_);
  if (!segments) {
    return Nothing{};
  }
  const Pattern* instead = nullptr;  // the GET route that answers a HEAD
  std::set<Method> allowed;
  for (const Pattern& pattern : patterns_) {
    if (!fits(pattern, *segments)) {
      continue;
    }
    if (pattern.method == method) {
      return to_match(pattern, std::move(*segments));
    }
    allowed.insert(pattern.method);
    if (pattern.method == Method::get) {
      allowed.insert(Method::head);
      if (method == Method::head && instead == nullptr) {
        instead = &pattern;
      }
    }
  }
  if (instead != nullptr) {
    return to_match(*instead, std::move(*segments));
  }
  if (allowed.empty()) {
    return Nothing{};
  }
  return WrongMethod{{allowed.begin(), allowed.end()}};
}

}  // namespace capstan
