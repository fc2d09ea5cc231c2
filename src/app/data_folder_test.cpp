#include "app/data_folder.h"

#include <csignal>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "app/operator_file.h"
#include "io/outcome.h"
#include "store/secret_keys.h"

namespace capstan {
namespace {

class DataFolderTest : public testing::Test {
 protected:
  TemporaryFolder parent_{std::filesystem::temp_directory_path(), "data-"};
  std::filesystem::path path_ = parent_.path() / "deeper" / "data";
};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
}

ErrorCode code_of_opening(const std::filesystem::path& path) {
  auto opened = outcome_of_call([&] { return DataFolder(path); });
  EXPECT_FALSE(opened.ok());
  return opened.ok() ? ErrorCode::internal : opened.error().code();
}

// What another process is told that opens it too.
ErrorCode code_for_another_process(const std::filesystem::path& path) {
  pid_t other = ::fork();
  if (other == 0) {
    ::_exit(static_cast<int>(code_of_opening(path)));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_TRUE(WIFEXITED(status));
  return static_cast<ErrorCode>(WEXITSTATUS(status));
}

TEST_F(DataFolderTest, is_made_for_its_owner_alone) {
  DataFolder folder(path_);
  EXPECT_EQ(mode_of(path_), 0700U);
}

TEST_F(DataFolderTest, has_one_user_at_a_time) {
  {
    DataFolder folder(path_);
    EXPECT_EQ(code_for_another_process(path_), ErrorCode::conflict);
  }
  DataFolder again(path_);
}

TEST_F(DataFolderTest, is_free_though_a_child_of_its_user_lives_on) {
  auto folder = std::make_unique<DataFolder>(path_);
  pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  folder.reset();
  EXPECT_TRUE(outcome_of_call([&] { return DataFolder(path_); }).ok());
  ::kill(child, SIGKILL);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST_F(DataFolderTest, that_cannot_be_one_is_not_in_use) {
  write_private_file(parent_.path() / "file", "");
  EXPECT_EQ(code_of_opening(parent_.path() / "file"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of_opening(parent_.path() / "file" / "data"), ErrorCode::invalid_argument);
}

TEST_F(DataFolderTest, gets_its_owners_own_secret_key_once) {
  std::string key;
  {
    DataFolder folder(path_);
    EXPECT_EQ(mode_of(folder.secret_key()), 0600U);
    EXPECT_EQ(read_secret_keys(folder.secret_key()).size(), 1U);
    key = read_file(folder.secret_key());
  }
  DataFolder folder(path_);
  EXPECT_EQ(read_file(folder.secret_key()), key);
}

TEST_F(DataFolderTest, gets_no_other_key_beside_a_database) {
  {
    DataFolder folder(path_);
    write_private_file(folder.database(), "");
    std::filesystem::remove(folder.secret_key());
  }
  DataFolder folder(path_);
  auto read = outcome_of_call([&] { return read_secret_keys(folder.secret_key()); });
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), ErrorCode::invalid_argument);
}

TEST_F(DataFolderTest, forgets_the_operator_file_of_a_server_that_died) {
  {
    DataFolder folder(path_);
  }
  write_private_file(DataFolder::operator_file(path_), "{}");
  DataFolder folder(path_);
  EXPECT_FALSE(std::filesystem::exists(folder.operator_file()));
}

TEST_F(DataFolderTest, tells_how_to_reach_the_server_while_it_runs) {
  DataFolder folder(path_);
  {
    OperatorFile file(folder.operator_file(), {"http://127.0.0.1:1", "secret"});
    EXPECT_EQ(mode_of(folder.operator_file()), 0600U);
    EXPECT_EQ(code_for_another_process(path_), ErrorCode::conflict);
    auto read = read_operator_file(DataFolder::operator_file(path_));
    ASSERT_TRUE(read) << "whoever finds the folder in use leaves the file alone";
    EXPECT_EQ(read->url, "http://127.0.0.1:1");
    EXPECT_EQ(read->token, "secret");
  }
  EXPECT_FALSE(read_operator_file(folder.operator_file()));
}

TEST_F(DataFolderTest, has_no_use_for_an_operator_file_that_is_none) {
  std::filesystem::path file = parent_.path() / "operator.json";
  for (const char* text :
       {"", "{", "[]", "{}", R"({"url":"http://a"})", R"({"url":1,"token":"a"})"}) {
    write_private_file(file, text);
    auto read = outcome_of_call([&] { return read_operator_file(file); });
    EXPECT_FALSE(read.ok()) << text;
  }
}

}  // namespace
}  // namespace capstan
