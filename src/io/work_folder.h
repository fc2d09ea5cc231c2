#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "io/file.h"
#include "io/workers.h"

namespace capstan {

// The temporary folders of the server's children: browsers' profiles, runners' scratch space. They
// lie in one folder per server, held by a lock, so that the next start can tell a dead server's
// leftovers from what a live one is using. Owned by App.
class WorkFolder {
 public:
  // Makes this server's folder below `parent` and removes those of servers that have died.
  WorkFolder(const std::filesystem::path& parent, Workers& workers);
  ~WorkFolder();

  // A new empty folder, mode 0700.
  std::filesystem::path make(std::string_view prefix);
  // The same, for a child that runs as another user.
  std::filesystem::path make_for_user(std::string_view prefix, std::uint32_t user);
  // Removes it with all that is in it. The child has ended, but processes of its group may be
  // dying still and write into it, so this tries again for up to 2 s.
  Async<> remove(std::filesystem::path folder);

 private:
  Workers& workers_;
  std::filesystem::path root_;
  Fd lock_;
};

}  // namespace capstan
