#pragma once

#include <filesystem>

#include "io/file.h"

namespace capstan {

// The folder that holds all that outlives the server. One server at a time uses it.
class DataFolder {
 public:
  // Makes the folder (mode 0700) if it isn't there, and locks it. Throws unavailable when another
  // server has it, or it can't be used.
  explicit DataFolder(const std::filesystem::path& path);

  std::filesystem::path database() const { return path_ / "capstan.db"; }
  std::filesystem::path api_key() const { return path_ / "api-key"; }
  // What Node keeps of the modules that every runner loads.
  std::filesystem::path compile_cache() const { return path_ / "compile-cache"; }

 private:
  std::filesystem::path path_;
  Fd lock_;
};

}  // namespace capstan
