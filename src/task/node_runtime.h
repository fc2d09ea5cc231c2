#pragma once

#include <filesystem>
#include <string>

#include "cage/cage.h"

namespace capstan {

// Where Node and our own programs for it lie.
struct NodeRuntime {
  // The folder `runner/` with its node_modules and dist; no symbolic links.
  std::filesystem::path runner_folder;
  // Where Node finds the compiled form of the modules that every runner loads; empty for none.
  // Runners can only read it, else one task could give another one code.
  std::filesystem::path compile_cache;

  std::filesystem::path node() const;
  std::filesystem::path program(const std::string& name) const;
  // What is missing for tasks to run, or empty.
  std::string trouble() const;
  // An order for the program with a nearly empty environment; its streams, and its limits, are
  // still to be given.
  ChildOrder order(const std::string& program_name, std::vector<std::string> node_flags) const;
};

}  // namespace capstan
