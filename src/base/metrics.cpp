#include "base/metrics.h"

#include <map>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace capstan {
namespace {

std::map<std::string, std::string> to_map(Metrics::Labels labels) {
  std::map<std::string, std::string> map;
  for (const auto& [name, value] : labels) {
    map.emplace(name, value);
  }
  return map;
}

}  // namespace

Metrics::Metrics() : registry_(std::make_unique<prometheus::Registry>()) {}
Metrics::~Metrics() = default;

prometheus::Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  return prometheus::BuildCounter()
      .Name(std::string(name))
      .Help(std::string(help))
      .Register(*registry_)
      .Add(to_map(labels));
}

prometheus::Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
  return prometheus::BuildGauge()
      .Name(std::string(name))
      .Help(std::string(help))
      .Register(*registry_)
      .Add(to_map(labels));
}

prometheus::Histogram& Metrics::seconds(std::string_view name, std::string_view help,
                                        Labels labels) {
  return prometheus::BuildHistogram()
      .Name(std::string(name))
      .Help(std::string(help))
      .Register(*registry_)
      .Add(to_map(labels),
           prometheus::Histogram::BucketBoundaries{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                   0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300});
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace capstan
