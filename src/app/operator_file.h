#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace capstan {

// How the operator reaches the server that runs on a data folder: where it listens, and a token
// that is made anew with each start.
struct OperatorAccess {
  std::string url;
  std::string token;
};

// The file that tells it to whoever may read the data folder (mode 0600). Written on construction,
// removed on destruction.
class OperatorFile {
 public:
  OperatorFile(std::filesystem::path path, const OperatorAccess& access);
  ~OperatorFile();
  OperatorFile(const OperatorFile&) = delete;
  OperatorFile& operator=(const OperatorFile&) = delete;

 private:
  std::filesystem::path path_;
};

// Nothing if there is no such file. Throws unavailable if it can't be read.
std::optional<OperatorAccess> read_operator_file(const std::filesystem::path& path);

}  // namespace capstan
