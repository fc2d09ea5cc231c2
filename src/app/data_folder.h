#pragma once

#include <filesystem>

#include "io/file.h"

namespace capstan {

// The folder that holds all that outlives the server. One process at a time uses it, by one of
// these alone, since what keeps others away ends with any of them.
class DataFolder {
 public:
  // Makes the folder (mode 0700) if it isn't there, and locks it. One without a database gets a new
  // secret key. Throws conflict when another process has it, invalid_argument when it can't be
  // used.
  explicit DataFolder(const std::filesystem::path& path);

  std::filesystem::path database() const { return path_ / "capstan.db"; }
  // What secrets in the database are sealed with; never made anew beside a database, whose secrets
  // it would not open.
  std::filesystem::path secret_key() const { return path_ / "secret-key"; }
  std::filesystem::path api_key() const { return path_ / "api-key"; }
  // Where a running server says how its operator reaches it.
  std::filesystem::path operator_file() const { return operator_file(path_); }
  static std::filesystem::path operator_file(const std::filesystem::path& folder) {
    return folder / "operator.json";
  }
  // The videos of sessions; Recordings makes it.
  std::filesystem::path recordings() const { return path_ / "recordings"; }
  // What Node keeps of the modules that every runner loads.
  std::filesystem::path compile_cache() const { return path_ / "compile-cache"; }

 private:
  void make_secret_key();

  std::filesystem::path path_;
  Fd lock_;
};

}  // namespace capstan
