#pragma once

#include <string>

#include "io/clock.h"
#include "io/semaphore.h"
#include "task/node_runtime.h"

namespace capstan {

// Makes the ES module that runners load out of a task's TypeScript, in a caged process of its own
// (runner/src/bundle.ts: esbuild). Owned by App.
class Bundler {
 public:
  Bundler(Executor executor, Clock& clock, Cage& cage, const NodeRuntime& runtime);

  // Throws invalid_argument, with line and column, for code that doesn't parse, imports what isn't
  // there, or has no default export; unavailable when the bundler itself fails.
  Async<std::string> bundle(std::string name, std::string source);

 private:
  Async<std::string> answer_to(std::string question);

  Executor executor_;
  Clock& clock_;
  Cage& cage_;
  const NodeRuntime& runtime_;
  Semaphore turns_;
};

}  // namespace capstan
