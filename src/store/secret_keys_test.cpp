#include "store/secret_keys.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"
#include "io/file.h"
#include "io/outcome.h"

namespace capstan {
namespace {

class SecretKeysTest : public testing::Test {
 public:
  std::vector<SecretKey> read(std::string_view text) {
    write_private_file(file_, text);
    return read_secret_keys(file_);
  }

  std::string problem() {
    auto outcome = outcome_of_call([this] { return read_secret_keys(file_); });
    if (outcome.ok()) {
      return {};
    }
    EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
    return outcome.error().message();
  }

  std::string problem_in(std::string_view text) {
    write_private_file(file_, text);
    return problem();
  }

 protected:
  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "keys-test-"};
  std::filesystem::path file_ = folder_.path() / "secret-key";
  const std::string zeros_ = encode_base64(std::string(32, '\0'));
};

}  // namespace

TEST_F(SecretKeysTest, a_new_key_is_read_again) {
  SystemRandom random;
  std::string line = make_secret_key_line(random);
  std::vector<SecretKey> keys = read(line);
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_TRUE(line.starts_with(keys.front().id + ":"));
  EXPECT_NE(make_secret_key_line(random), line);
  EXPECT_NE(keys.front().bytes, SecretKey().bytes);
}

TEST_F(SecretKeysTest, keys_come_in_the_order_of_their_lines) {
  std::vector<SecretKey> keys =
      read("\n  new-1:" + encode_base64(std::string(32, '\1')) + " \n\nOld_2:" + zeros_);
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys.front().id, "new-1");
  EXPECT_EQ(keys.front().bytes.front(), 1);
  EXPECT_EQ(keys.back().id, "Old_2");
}

TEST_F(SecretKeysTest, names_the_line_that_is_none_and_does_not_repeat_it) {
  std::string good = "a:" + zeros_ + "\n";
  for (const std::string& bad :
       {std::string("secret"), ":" + zeros_, "a b:" + zeros_, std::string("b:"),
        std::string("b:c2VjcmV0"), "b:" + zeros_ + "=", "b:" + encode_base64(std::string(33, 's')),
        std::string(33, 'b') + ":" + zeros_}) {
    std::string problem = problem_in(good + bad);
    EXPECT_EQ(problem,
              file_.string() + ", line 2: must be ID:KEY, with 32 bytes in base64 for the key")
        << bad;
  }
  EXPECT_EQ(problem_in(good + good), file_.string() + ", line 2: has the id of a key above it");
}

TEST_F(SecretKeysTest, a_file_must_be_there_and_hold_a_key) {
  EXPECT_TRUE(problem().starts_with(file_.string() + " can't be read."));
  EXPECT_EQ(problem_in(""), file_.string() + " holds no key");
  EXPECT_EQ(problem_in("\n \n"), file_.string() + " holds no key");
  EXPECT_EQ(problem_in(std::string(100'000, '\n')), file_.string() + " is not a file of keys");
  std::filesystem::remove(file_);
  std::filesystem::create_directory(file_);
  EXPECT_EQ(problem(), file_.string() + " is not a file of keys");
}

TEST_F(SecretKeysTest, a_file_is_its_owners_alone) {
  EXPECT_EQ(problem_in("a:" + zeros_), "");
  for (mode_t mode : {0640U, 0604U, 0620U}) {
    ::chmod(file_.c_str(), mode);
    EXPECT_EQ(problem(), file_.string() + " is open to other users; chmod 600 it");
  }
  ::chmod(file_.c_str(), 0400);
  EXPECT_EQ(problem(), "");
}

}  // namespace capstan
