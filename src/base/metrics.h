#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace capstan {

// The server's counters, in Prometheus' text format. Owned by App; each room asks for its series
// once, in a constructor, and keeps the reference: asking takes a lock, counting doesn't.
// Labels must come from small fixed sets, never from ids, names or addresses.
class Metrics {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  Metrics();
  ~Metrics();

  prometheus::Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  prometheus::Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  // Buckets for times in seconds, from 1 ms to 5 min.
  prometheus::Histogram& seconds(std::string_view name, std::string_view help, Labels labels = {});

  std::string text() const;

 private:
  std::unique_ptr<prometheus::Registry> registry_;
};

}  // namespace capstan
