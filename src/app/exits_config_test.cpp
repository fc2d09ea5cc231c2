#include "app/exits_config.h"

#include <gtest/gtest.h>

#include "app/config.h"
#include "io/file.h"
#include "io/outcome.h"

namespace capstan {
namespace {

class ExitsConfigTest : public testing::Test {
 public:
  std::vector<Exit> read(std::string_view text) {
    write_private_file(file_, text);
    ConfigFlags flags;
    flags.config_file = file_.string();
    return read_config(flags, {}).egress.exits;
  }

  // What is wrong, behind the file's name; empty if nothing is.
  std::string problem_in(std::string_view text) {
    auto outcome = outcome_of_call([&] { return read(text); });
    if (outcome.ok()) {
      return {};
    }
    EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(outcome.error().message().find("hunter2"), std::string::npos) << text;
    EXPECT_TRUE(outcome.error().message().starts_with(file_.string() + ", "));
    return outcome.error().message().substr(file_.string().size() + 2);
  }

  // The same for an exit that has a server in its second line.
  std::string problem_with(const std::string& lines) {
    return problem_in("[[egress.exits]]\nserver = \"http://a:1\"\n" + lines);
  }

  std::string write_password(std::string_view text) {
    write_private_file(folder_.path() / "password", text);
    return "password_file = \"" + (folder_.path() / "password").string() + "\"\n";
  }

 protected:
  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "exits-test-"};
  std::filesystem::path file_ = folder_.path() / "capstan.toml";
};

}  // namespace

TEST_F(ExitsConfigTest, reads_every_field) {
  std::vector<Exit> exits = read(R"(
[egress]
allow = ["a.example"]
[[egress.exits]]
country = "us"
region = "ny"
city = "New York"
server = "socks5://[2001:db8::1]:1080"
username = "me"
password = "hunter2"
[[egress.exits]]
server = "https://proxy.example:8443"
username = "c-{country}[-{region}]"
)");
  ASSERT_EQ(exits.size(), 2U);
  const Exit& first = exits.front();
  EXPECT_EQ(first.place, (Place{"us", "ny", "New York"}));
  EXPECT_EQ(first.proxy.protocol, Upstream::Protocol::socks5);
  EXPECT_EQ(first.proxy.host, "2001:db8::1");
  EXPECT_EQ(first.proxy.port, 1080);
  EXPECT_EQ(first.proxy.username, "me");
  EXPECT_EQ(first.proxy.password, "hunter2");
  EXPECT_EQ(exits.back().place, Place());
  EXPECT_EQ(exits.back().proxy.username, "c-{country}[-{region}]");
  EXPECT_EQ(exits.back().proxy.password, "");
}

TEST_F(ExitsConfigTest, there_may_be_none) {
  EXPECT_TRUE(read("[egress]\nallow = []\n").empty());
  EXPECT_TRUE(read("[egress]\nexits = []\n").empty());
}

TEST_F(ExitsConfigTest, a_password_may_stand_in_a_file) {
  std::string exit = "[[egress.exits]]\nserver = \"http://a:1\"\n";
  for (const char* text : {"hunter2", "hunter2\n", "hunter2\r\n", "hunter2\nmore\n"}) {
    EXPECT_EQ(read(exit + write_password(text)).front().proxy.password, "hunter2") << text;
  }
  EXPECT_EQ(read(exit + write_password("")).front().proxy.password, "");
  EXPECT_EQ(problem_with(write_password(std::string(4097, 'x'))),
            "line 3: egress.exits.password_file must be a file of at most 4096 bytes");
  EXPECT_EQ(problem_with("password_file = \"/nowhere\""),
            "line 3: egress.exits.password_file must be a file of at most 4096 bytes");
  EXPECT_EQ(problem_with("password = \"hunter2\"\n" + write_password("hunter2")),
            "line 4: egress.exits.password_file can't be given beside a password");
}

TEST_F(ExitsConfigTest, names_the_line_of_what_is_bad) {
  EXPECT_EQ(problem_with("contry = \"us\""), "line 3: egress.exits.contry is not a setting");
  EXPECT_EQ(problem_with("country = 1"), "line 3: egress.exits.country must be a text");
  EXPECT_EQ(problem_with("\npassword = 1"), "line 4: egress.exits.password must be a text");
  EXPECT_EQ(problem_with("country = \"usa\""),
            "line 3: egress.exits.country must be a two-letter country code such as \"us\"");
  EXPECT_EQ(problem_with("city = \"Rome\"\ncountry = \"it\""),
            "line 3: egress.exits.city needs a region");
  EXPECT_EQ(problem_with("username = \"a:b\"\npassword = \"hunter2\""),
            "line 3: egress.exits.username must not hold a colon: HTTP could not tell where the "
            "password begins");
  EXPECT_EQ(problem_with("username = \"u\"\npassword = \"hunter2\\n\""),
            "line 4: egress.exits.password must have at most 1024 bytes and no control characters");
  EXPECT_TRUE(problem_with("username = \"c-{zip}\"")
                  .starts_with("line 3: egress.exits.username must have nothing but "));
}

TEST_F(ExitsConfigTest, an_exit_has_a_server) {
  EXPECT_EQ(problem_in("\n[[egress.exits]]\ncountry = \"us\"\n"),
            "line 2: egress.exits.server is required");
  for (const char* server : {"", "proxy.example:8080", "http://me:hunter2@proxy.example:8080"}) {
    EXPECT_TRUE(problem_in("[[egress.exits]]\nserver = \"" + std::string(server) + "\"\n")
                    .starts_with("line 2: egress.exits.server must be PROTOCOL://HOST:PORT"))
        << server;
  }
}

TEST_F(ExitsConfigTest, exits_are_tables) {
  for (const char* text : {"exits = 1", "exits = \"http://a:1\"", "exits = [\"http://a:1\"]",
                           "exits = {server = \"http://a:1\"}"}) {
    EXPECT_EQ(problem_in("[egress]\n" + std::string(text) + "\n"),
              "line 2: egress.exits must be tables, each [[egress.exits]]")
        << text;
  }
}

}  // namespace capstan
