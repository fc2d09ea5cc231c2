#include "io/work_folder.h"

#include <fcntl.h>
#include <fstream>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/loop_test.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;

struct stat status_of(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

unsigned mode_of(const fs::path& path) { return status_of(path).st_mode & 07777U; }

// A server's folder with a child's folder in it, as another server would have made it.
fs::path make_root(const fs::path& path) {
  fs::create_directories(path / "profile-1" / "cache");
  std::ofstream(path / "profile-1" / "cache" / "entry") << "x";
  std::ofstream(path / "lock") << "";
  return path;
}

// Holds a folder's lock like a live server; a lock belongs to its open file, not to the process.
Fd hold(const fs::path& root) {
  Fd lock(::open((root / "lock").c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_TRUE(lock);
  EXPECT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  return lock;
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

}  // namespace

class WorkFolderTest : public LoopTest {
 protected:
  Workers workers_{1};
  TemporaryFolder parent_{"/tmp", "work-test-"};  // short, because of the bound on paths
};

ASYNC_TEST(WorkFolderTest, makes_new_private_folders_below_one_that_others_cannot_list) {
  WorkFolder folder(parent_.path(), workers_);
  fs::path first = folder.make("profile-");
  fs::path second = folder.make("profile-");
  EXPECT_NE(first, second);
  EXPECT_EQ(first.parent_path(), second.parent_path());
  EXPECT_EQ(first.parent_path().parent_path(), parent_.path());
  EXPECT_TRUE(first.filename().string().starts_with("profile-"));
  EXPECT_TRUE(fs::is_empty(first));
  EXPECT_EQ(mode_of(first), 0700U);
  EXPECT_EQ(mode_of(first.parent_path()), 0711U);
  co_return;
}

ASYNC_TEST(WorkFolderTest, a_folder_for_another_user_is_that_users_own) {
  if (::geteuid() != 0) {
    GTEST_LOG_(INFO) << "not root: a folder can only be handed to ourselves";
  }
  std::uint32_t user = ::geteuid() == 0 ? 60'001 : ::geteuid();
  WorkFolder folder(parent_.path(), workers_);
  fs::path made = folder.make_for_user("profile-", user);
  EXPECT_EQ(status_of(made).st_uid, user);
  EXPECT_EQ(mode_of(made), 0700U);
  co_return;
}

ASYNC_TEST(WorkFolderTest, remove_takes_all_that_is_inside_and_may_be_asked_twice) {
  WorkFolder folder(parent_.path(), workers_);
  fs::path made = folder.make("profile-");
  fs::create_directories(made / "a" / "b");
  std::ofstream(made / "a" / "b" / "file") << "x";
  fs::path kept = folder.make("profile-");
  co_await folder.remove(made);
  EXPECT_FALSE(fs::exists(made));
  EXPECT_TRUE(fs::exists(kept));
  co_await folder.remove(made);
}

ASYNC_TEST(WorkFolderTest, takes_its_folder_along_when_it_ends) {
  {
    WorkFolder folder(parent_.path(), workers_);
    std::ofstream(folder.make("runner-") / "file") << "x";
    EXPECT_EQ(names_in(parent_.path()).size(), 1U);
  }
  EXPECT_TRUE(fs::is_empty(parent_.path()));
  co_return;
}

ASYNC_TEST(WorkFolderTest, removes_what_dead_servers_left_and_nothing_else) {
  make_root(parent_.path() / "capstan-dead01");
  make_root(parent_.path() / "capstan-dead02");
  Fd lock = hold(make_root(parent_.path() / "capstan-live01"));
  make_root(parent_.path() / "other-server");
  // A server that starts at this moment has no lock yet.
  fs::create_directories(parent_.path() / "capstan-young1");
  std::ofstream(parent_.path() / "capstan-file") << "x";
  TemporaryFolder elsewhere("/tmp", "work-test-");
  make_root(elsewhere.path() / "precious");
  fs::create_directory_symlink(elsewhere.path() / "precious", parent_.path() / "capstan-link01");
  {
    WorkFolder folder(parent_.path(), workers_);
    std::set<std::string> names = names_in(parent_.path());
    names.erase(folder.make("x").parent_path().filename().string());
    EXPECT_EQ(names, (std::set<std::string>{"capstan-file", "capstan-link01", "capstan-live01",
                                            "capstan-young1", "other-server"}));
    EXPECT_TRUE(fs::exists(elsewhere.path() / "precious" / "profile-1" / "cache" / "entry"));
    EXPECT_TRUE(fs::exists(parent_.path() / "capstan-live01" / "profile-1" / "cache" / "entry"));
  }
  // The live one dies, too.
  lock.reset();
  WorkFolder folder(parent_.path(), workers_);
  EXPECT_FALSE(fs::exists(parent_.path() / "capstan-live01"));
  co_return;
}

ASYNC_TEST(WorkFolderTest, two_servers_leave_each_other_alone) {
  WorkFolder one(parent_.path(), workers_);
  fs::path of_one = one.make("profile-");
  {
    WorkFolder two(parent_.path(), workers_);
    EXPECT_NE(two.make("profile-").parent_path(), of_one.parent_path());
    EXPECT_TRUE(fs::exists(of_one));
  }
  EXPECT_TRUE(fs::exists(of_one));
  co_return;
}

ASYNC_TEST(WorkFolderTest, refuses_a_parent_that_is_too_long_and_leaves_nothing_there) {
  // With "/tmp/" and the six random letters: 27 bytes, and one more.
  TemporaryFolder longest("/tmp", "work-test-long-x");
  TemporaryFolder too_long("/tmp", "work-test-long-xx");
  WorkFolder folder(longest.path(), workers_);
  auto outcome = outcome_of_call([&] { WorkFolder(too_long.path(), workers_); });
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
  EXPECT_NE(outcome.error().message().find("at most 27 bytes"), std::string::npos);
  EXPECT_NE(outcome.error().message().find("server.temporary_folder"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(too_long.path()));
  co_return;
}

ASYNC_TEST(WorkFolderTest, a_parent_that_is_not_there_is_unavailable) {
  auto outcome = outcome_of_call([&] { WorkFolder(parent_.path() / "missing", workers_); });
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::unavailable);
  co_return;
}

}  // namespace capstan
