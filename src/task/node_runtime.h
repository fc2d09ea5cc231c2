#pragma once

#include <filesystem>
#include <string>

#include "cage/cage.h"

namespace capstan {

// Where Node and our own programs for it lie.
struct NodeRuntime {
  // The folder `runner/` with its node_modules and dist.
  std::filesystem::path runner_folder;
  // Where Node keeps the compiled form of the modules that every runner loads; empty for none.
  std::filesystem::path compile_cache;

  std::filesystem::path node() const;
  std::filesystem::path program(const std::string& name) const;
  // What is missing for tasks to run, or empty.
  std::string trouble() const;
  // An order for the program with a nearly empty environment, and `folder` as its home and for its
  // temporary files; its streams are still to be given.
  ChildOrder order(const std::string& program_name, std::vector<std::string> node_flags,
                   const std::filesystem::path& folder) const;
};

}  // namespace capstan
