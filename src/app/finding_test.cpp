#include "app/finding.h"

#include <sys/resource.h>

#include <gtest/gtest.h>

#include "io/file.h"

namespace capstan {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Finding, takes_a_data_folder_that_is_there_or_can_be_made) {
  TemporaryFolder folder(std::filesystem::temp_directory_path(), "finding-");
  Finding there = check_data_folder(folder.path());
  EXPECT_NE(there.verdict, Verdict::fail) << there.found;
  EXPECT_FALSE(has(there.found, "not there yet"));

  std::filesystem::path deeper = folder.path() / "a" / "b";
  Finding missing = check_data_folder(deeper);
  EXPECT_NE(missing.verdict, Verdict::fail) << missing.found;
  EXPECT_TRUE(has(missing.found, deeper.string() + " (not there yet)"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "looking makes nothing";
}

TEST(Finding, refuses_a_data_folder_that_is_a_file) {
  TemporaryFolder folder(std::filesystem::temp_directory_path(), "finding-");
  write_private_file(folder.path() / "file", "");
  for (const char* name : {"file", "file/data"}) {
    Finding finding = check_data_folder(folder.path() / name);
    EXPECT_EQ(finding.verdict, Verdict::fail) << name;
    EXPECT_TRUE(has(finding.mend, "--data"));
  }
}

TEST(Finding, refuses_a_temporary_folder_that_is_too_deep_for_a_socket) {
  TemporaryFolder folder(std::filesystem::temp_directory_path(), "finding-");
  std::filesystem::path deep = folder.path() / std::string(60, 'x');
  std::filesystem::create_directory(deep);
  Finding finding = check_temporary_folder(deep);
  EXPECT_EQ(finding.verdict, Verdict::fail);
  EXPECT_TRUE(has(finding.found, "too long")) << finding.found;
  EXPECT_TRUE(std::filesystem::is_empty(deep));

  Finding missing = check_temporary_folder(folder.path() / "no");
  EXPECT_EQ(missing.verdict, Verdict::fail);
  EXPECT_TRUE(has(missing.mend, "server.temporary_folder"));
}

TEST(Finding, warns_of_a_low_limit_on_open_files) {
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  if (old.rlim_max >= 16384) {
    EXPECT_EQ(check_open_files().verdict, Verdict::ok);
  } else {
    Finding finding = check_open_files();
    EXPECT_EQ(finding.verdict, Verdict::warn);
    EXPECT_TRUE(has(finding.found, std::to_string(old.rlim_max)));
  }
}

TEST(Finding, is_told_as_json_with_its_mend_if_it_needs_one) {
  EXPECT_EQ(json::serialize(to_json({Verdict::ok, "node", "starts", ""})),
            R"({"verdict":"ok","what":"node","found":"starts"})");
  EXPECT_EQ(json::serialize(to_json({Verdict::fail, "node", "is missing", "./dev build"})),
            R"({"verdict":"fail","what":"node","found":"is missing","mend":"./dev build"})");
}

}  // namespace
}  // namespace capstan
