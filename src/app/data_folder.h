#pragma once

#include <filesystem>

#include "io/file.h"

namespace capstan {

// The folder that holds all that outlives the server. One server at a time uses it.
class DataFolder {
 public:
  // Makes the folder (mode 0700) if it isn't there, and locks it. Throws conflict when another
  // process has it, invalid_argument when it can't be used.
  explicit DataFolder(const std::filesystem::path& path);

  std::filesystem::path database() const { return path_ / "capstan.db"; }
  std::filesystem::path api_key() const { return path_ / "api-key"; }
  // Where a running server says how its operator reaches it.
  std::filesystem::path operator_file() const { return operator_file(path_); }
  static std::filesystem::path operator_file(const std::filesystem::path& folder) {
    return folder / "operator.json";
  }
  // What Node keeps of the modules that every runner loads.
  std::filesystem::path compile_cache() const { return path_ / "compile-cache"; }

 private:
  std::filesystem::path path_;
  Fd lock_;
};

}  // namespace capstan
