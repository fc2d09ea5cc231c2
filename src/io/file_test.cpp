#include "io/file.h"

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/outcome.h"
#include "io/pipe_test.h"

namespace capstan {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

}  // namespace

TEST(FdTest, is_closed_once_by_its_last_owner) {
  Pipe pipe = make_pipe();
  int number = pipe.read.get();
  EXPECT_TRUE(pipe.read);
  {
    Fd moved = std::move(pipe.read);
    EXPECT_EQ(moved.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
  EXPECT_FALSE(Fd());
}

TEST(FdTest, taking_another_closes_the_first) {
  Pipe pipe = make_pipe();
  int first = pipe.read.get();
  int second = pipe.write.get();
  pipe.read = std::move(pipe.write);
  EXPECT_FALSE(is_open(first));
  EXPECT_TRUE(is_open(second));
  Fd released(pipe.read.release());
  EXPECT_FALSE(pipe.read);
  EXPECT_TRUE(is_open(second));
}

class FileTest : public testing::Test {
 protected:
  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "file-test-"};
  std::filesystem::path path_ = folder_.path() / "file";
};

TEST_F(FileTest, reads_back_what_was_written_whatever_it_holds) {
  for (const std::string& text : {std::string(), std::string("a\0\n\r\nb\xff", 7),
                                  std::string(300'000, 'x'), std::string("shorter than before")}) {
    write_private_file(path_, text);
    EXPECT_TRUE(read_file(path_) == text) << text.size() << " bytes";
  }
}

TEST_F(FileTest, what_is_written_is_its_owners_alone) {
  ::mode_t old_mask = ::umask(0);
  write_private_file(path_, "secret");
  ::umask(old_mask);
  EXPECT_EQ(mode_of(path_), 0600U);
}

TEST_F(FileTest, a_file_that_others_could_read_is_private_once_it_was_replaced) {
  std::ofstream(path_) << "not secret";
  EXPECT_EQ(::chmod(path_.c_str(), 0644), 0);
  write_private_file(path_, "secret");
  EXPECT_EQ(read_file(path_), "secret");
  EXPECT_EQ(mode_of(path_), 0600U);
}

TEST_F(FileTest, does_not_write_through_a_link_to_elsewhere) {
  std::filesystem::path target = folder_.path() / "target";
  std::ofstream(target) << "mine";
  std::filesystem::create_symlink(target, path_);
  auto outcome = outcome_of_call([&] { write_private_file(path_, "yours"); });
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::unavailable);
  EXPECT_EQ(read_file(target), "mine");
}

TEST_F(FileTest, what_cannot_be_read_or_written_is_unavailable_with_its_path_and_reason) {
  auto missing = outcome_of_call([&] { return read_file(path_); });
  EXPECT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::unavailable);
  EXPECT_NE(missing.error().message().find(path_.string()), std::string::npos);
  EXPECT_NE(missing.error().message().find("No such file"), std::string::npos);
  EXPECT_FALSE(outcome_of_call([&] { return read_file(folder_.path()); }).ok());
  EXPECT_FALSE(outcome_of_call([&] { write_private_file(path_ / "below", "x"); }).ok());
  EXPECT_FALSE(outcome_of_call([&] { TemporaryFolder(path_, "x"); }).ok());
}

TEST_F(FileTest, a_temporary_folder_goes_with_all_that_is_in_it) {
  std::filesystem::path path;
  {
    TemporaryFolder made(folder_.path(), "made-");
    path = made.path();
    EXPECT_EQ(path.parent_path(), folder_.path());
    EXPECT_TRUE(path.filename().string().starts_with("made-"));
    EXPECT_EQ(mode_of(path), 0700U);
    std::filesystem::create_directories(path / "a" / "b");
    std::ofstream(path / "a" / "file") << "x";
    std::filesystem::create_symlink(folder_.path(), path / "link");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists(folder_.path())) << "links are not followed";
}

TEST_F(FileTest, a_temporary_folder_belongs_to_one_owner) {
  TemporaryFolder made(folder_.path(), "made-");
  TemporaryFolder other(folder_.path(), "made-");
  EXPECT_NE(made.path(), other.path());
  std::filesystem::path path = made.path();
  {
    TemporaryFolder moved = std::move(made);
    EXPECT_EQ(moved.path(), path);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  path = other.release();
  other = TemporaryFolder();
  EXPECT_TRUE(std::filesystem::exists(path)) << "released, it stays";
}

}  // namespace capstan
