#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace capstan {

enum class Verdict { ok, warn, fail };

std::string_view to_text(Verdict verdict);

// One thing that the doctor looked at.
struct Finding {
  Verdict verdict = Verdict::ok;
  std::string what;
  std::string found;
  std::string mend;  // empty if all is well
};

json::object to_json(const Finding& finding);

// The machine itself, without starting anything.
Finding check_shared_memory();
Finding check_open_files();
// Where everything is kept. It need not be there yet, and isn't made.
Finding check_data_folder(const std::filesystem::path& path);
// Where children's folders go, which takes a short path.
Finding check_temporary_folder(const std::filesystem::path& path);

}  // namespace capstan
