#include "io/folder_removal.h"

#include <fcntl.h>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/file.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;

class RemoveFolder : public testing::Test {
 protected:
  void write(const fs::path& path) { std::ofstream(path) << "text"; }

  TemporaryFolder outside_{fs::temp_directory_path(), "capstan-test-"};
  fs::path folder_ = outside_.path() / "folder";
};

TEST_F(RemoveFolder, takes_everything_along) {
  fs::create_directories(folder_ / "a" / "b" / "c");
  fs::create_directories(folder_ / "removed-0" / "removed-0" / "removed-1" / "x");
  write(folder_ / "a" / "b" / "file");
  write(folder_ / "removed-0" / "removed-0" / "removed-2");
  ASSERT_EQ(::mkfifo((folder_ / "a" / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(remove_folder(folder_), std::error_code());
  EXPECT_FALSE(fs::exists(folder_));
  EXPECT_TRUE(fs::exists(outside_.path()));
}

TEST_F(RemoveFolder, that_is_not_there_is_no_failure) {
  EXPECT_EQ(remove_folder(folder_), std::error_code());
}

TEST_F(RemoveFolder, does_not_follow_links) {
  fs::create_directories(outside_.path() / "kept" / "inner");
  write(outside_.path() / "kept" / "file");
  fs::permissions(outside_.path() / "kept", static_cast<fs::perms>(0755));
  fs::create_directories(folder_ / "inner");
  fs::create_directory_symlink(outside_.path() / "kept", folder_ / "link");
  fs::create_directory_symlink(outside_.path() / "kept", folder_ / "inner" / "link");
  EXPECT_EQ(remove_folder(folder_), std::error_code());
  EXPECT_TRUE(fs::exists(outside_.path() / "kept" / "file"));
  EXPECT_EQ(fs::status(outside_.path() / "kept").permissions(), static_cast<fs::perms>(0755));

  fs::create_directory_symlink(outside_.path() / "kept", folder_);
  EXPECT_NE(remove_folder(folder_), std::error_code());
  EXPECT_TRUE(fs::exists(outside_.path() / "kept" / "file"));
}

TEST_F(RemoveFolder, gets_to_the_end_of_folders_within_each_other) {
  constexpr int depth = 300;  // beyond PATH_MAX, and beyond the descriptors below
  const std::string name(100, 'x');
  fs::create_directory(folder_);
  Fd place(::open(folder_.c_str(), O_PATH | O_CLOEXEC));
  for (int i = 0; i < depth; ++i) {
    ASSERT_EQ(::mkdirat(place.get(), name.c_str(), 0700), 0);
    place = Fd(::openat(place.get(), name.c_str(), O_PATH | O_CLOEXEC));
  }
  place.reset();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit few{64, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  std::error_code error = remove_folder(folder_);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(error, std::error_code());
  EXPECT_FALSE(fs::exists(folder_));
}

// Root may enter any folder, so the removal is done by somebody else.
TEST_F(RemoveFolder, opens_what_was_closed) {
  constexpr uid_t somebody = 65534;
  fs::permissions(outside_.path(), fs::perms::all);
  pid_t child = ::fork();
  if (child == 0) {
    bool is_prepared = ::geteuid() != 0 || ::setresuid(somebody, somebody, somebody) == 0;
    std::error_code error;
    fs::create_directories(folder_ / "closed" / "inner", error);
    write(folder_ / "closed" / "inner" / "file");
    is_prepared = is_prepared && ::chmod((folder_ / "closed" / "inner").c_str(), 0) == 0 &&
                  ::chmod((folder_ / "closed").c_str(), 0) == 0 && ::chmod(folder_.c_str(), 0) == 0;
    ::_exit(!is_prepared ? 2 : remove_folder(folder_) ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(fs::exists(folder_));
}

}  // namespace
}  // namespace capstan
