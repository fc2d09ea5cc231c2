#pragma once

#include <filesystem>
#include <system_error>

namespace capstan {

// Removes a folder with all that is in it, whatever somebody hostile has put there: folders within
// each other deeper than there are descriptors or than a path is long, folders that were closed to
// their owner, links that lead out (they are removed, and not followed). Blocks. Returns what the
// system says of the last thing that couldn't be removed; a folder that isn't there is removed.
std::error_code remove_folder(const std::filesystem::path& folder);

}  // namespace capstan
