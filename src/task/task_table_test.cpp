#include "task/task_table.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "io/outcome.h"
#include "store/migrate.h"

namespace capstan {

TEST(VersionSelectorTest, reads_latest_draft_and_numbers) {
  for (const char* text : {"latest", "draft", "1", "7", "10", "999999999", "1000000000"}) {
    auto selector = parse_version_selector(text);
    ASSERT_TRUE(selector) << text;
    EXPECT_EQ(selector->text(), text);
  }
  EXPECT_EQ(parse_version_selector("latest")->kind, VersionSelector::Kind::latest);
  EXPECT_EQ(parse_version_selector("draft")->kind, VersionSelector::Kind::draft);
  EXPECT_EQ(parse_version_selector("12")->number, 12);
}

TEST(VersionSelectorTest, reads_nothing_else) {
  for (const char* text :
       {"", "0", "-1", "+1", "01", "1.0", "1e3", " 1", "1 ", "v1", "Latest", "DRAFT", "latest ",
        "1000000001", "9223372036854775808", "99999999999999999999", "0x1"}) {
    EXPECT_FALSE(parse_version_selector(text)) << text;
  }
  EXPECT_FALSE(parse_version_selector({}));
}

TEST(VersionName, is_draft_or_the_number) {
  EXPECT_EQ(version_name(draft_number), "draft");
  EXPECT_EQ(version_name(1), "1");
  EXPECT_EQ(version_name(1'000'000'000), "1000000000");
}

class TaskTableTest : public testing::Test {
 public:
  TaskTableTest() {
    migrate(tx_);
    add_team(acme_, "acme");
    add_team(other_, "other");
  }

  void add_team(const TeamId& id, const std::string& name) {
    tx_.execute("insert into teams (id, name, created_at) values ($1, $2, 0)", {id.text(), name});
  }

  Task make_task(const std::string& name, std::int64_t at = 1000) {
    return {.id = TaskId::make(from_unix_ms(at), random_),
            .team = acme_,
            .name = name,
            .description = {},
            .browser_configuration = {},
            .created_at = from_unix_ms(at),
            .updated_at = from_unix_ms(at),
            .latest = {}};
  }

  Task add_task(const std::string& name, std::int64_t at = 1000) {
    Task task = make_task(name, at);
    task_table::insert(tx_, task);
    return task;
  }

  TaskVersion make_version(const Task& task, std::int64_t number) {
    return {.id = TaskVersionId::make(from_unix_ms(1000 + number), random_),
            .task = task.id,
            .number = number,
            .code = "Y29kZQ==",
            .bundle_hash = "hash",
            .language = "typescript",
            .description = {},
            .browser_configuration = {},
            .created_at = from_unix_ms(1000),
            .updated_at = from_unix_ms(1000)};
  }

  TaskVersion add_version(const Task& task, std::int64_t number) {
    TaskVersion version = make_version(task, number);
    task_table::put_version(tx_, version);
    return version;
  }

  std::string latest_of(const Task& task) { return task_table::find(tx_, acme_, task.id)->latest; }

  std::vector<std::int64_t> numbers_of(const Task& task) {
    std::vector<std::int64_t> numbers;
    for (const ListedVersion& version : task_table::versions(tx_, task.id)) {
      numbers.push_back(version.number);
    }
    return numbers;
  }

  std::vector<std::string> names(const std::optional<std::string>& name, std::int64_t offset,
                                 std::int64_t count) {
    std::vector<std::string> names;
    for (const Task& task : task_table::list(tx_, acme_, name, offset, count)) {
      names.push_back(task.name);
    }
    return names;
  }

 protected:
  static constexpr std::uint64_t seed = 31;
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  Sqlite tx_{{}, Sqlite::Mode::read_write};
  SeededRandom random_{seed};
  const TeamId acme_ = TeamId::make(from_unix_ms(0), random_);
  const TeamId other_ = TeamId::make(from_unix_ms(0), random_);
};

TEST_F(TaskTableTest, a_task_comes_back_as_it_was) {
  Task task = make_task("report \xe2\x82\xac");
  task.description = "what it does";
  task.browser_configuration.emplace().headless = true;
  task.updated_at = from_unix_ms(2000);
  task_table::insert(tx_, task);
  auto found = task_table::find(tx_, acme_, task.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, task.id);
  EXPECT_EQ(found->team, acme_);
  EXPECT_EQ(found->name, task.name);
  EXPECT_EQ(found->description, "what it does");
  EXPECT_EQ(found->browser_configuration->headless, true);
  EXPECT_EQ(found->created_at, from_unix_ms(1000));
  EXPECT_EQ(found->updated_at, from_unix_ms(2000));
  EXPECT_EQ(found->latest, "");
  EXPECT_EQ(task_table::find_by_name(tx_, acme_, task.name)->id, task.id);
}

TEST_F(TaskTableTest, another_teams_task_is_seen_by_none_of_these) {
  Task task = add_task("report");
  EXPECT_FALSE(task_table::find(tx_, other_, task.id));
  EXPECT_FALSE(task_table::find_by_name(tx_, other_, "report"));
  EXPECT_TRUE(task_table::list(tx_, other_, std::nullopt, 0, 10).empty());
  EXPECT_EQ(task_table::count(tx_, other_, std::nullopt), 0);
}

TEST_F(TaskTableTest, lists_the_newest_first_in_pages) {
  add_task("first", 1000);
  add_task("second", 2000);
  add_task("third", 3000);
  EXPECT_EQ(names({}, 0, 10), (std::vector<std::string>{"third", "second", "first"}));
  EXPECT_EQ(names({}, 1, 1), (std::vector<std::string>{"second"}));
  EXPECT_EQ(names({}, 3, 10), (std::vector<std::string>{}));
  EXPECT_EQ(task_table::count(tx_, acme_, std::nullopt), 3);
  EXPECT_EQ(names("second", 0, 10), (std::vector<std::string>{"second"}));
  EXPECT_EQ(names("Second", 0, 10), (std::vector<std::string>{})) << "names have cases";
  EXPECT_EQ(names("%", 0, 10), (std::vector<std::string>{})) << "a name is no pattern";
  EXPECT_EQ(task_table::count(tx_, acme_, "second"), 1);
  EXPECT_EQ(task_table::count(tx_, acme_, ""), 0);
}

TEST_F(TaskTableTest, a_name_is_one_tasks_within_a_team) {
  add_task("report");
  auto outcome = outcome_of_call([&] { add_task("report"); });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::conflict);
  Task others = make_task("report");
  others.team = other_;
  task_table::insert(tx_, others);
  Task second = add_task("second");
  second.name = "report";
  auto renamed = outcome_of_call([&] { task_table::update(tx_, second); });
  ASSERT_FALSE(renamed.ok());
  EXPECT_EQ(renamed.error().code(), ErrorCode::conflict);
}

TEST_F(TaskTableTest, update_writes_what_can_change) {
  Task task = add_task("report");
  task.name = "renamed";
  task.description = "new";
  task.browser_configuration.emplace().tags = {{"a"}};
  task.updated_at = from_unix_ms(5000);
  task.created_at = from_unix_ms(4000);
  task_table::update(tx_, task);
  auto found = task_table::find(tx_, acme_, task.id);
  EXPECT_EQ(found->name, "renamed");
  EXPECT_EQ(found->description, "new");
  EXPECT_EQ(to_json(*found->browser_configuration), to_json(*task.browser_configuration));
  EXPECT_EQ(found->updated_at, from_unix_ms(5000));
  EXPECT_EQ(found->created_at, from_unix_ms(1000));
  task.description.reset();
  task.browser_configuration.reset();
  task_table::update(tx_, task);
  EXPECT_EQ(task_table::find(tx_, acme_, task.id)->description, std::nullopt);
  EXPECT_EQ(task_table::find(tx_, acme_, task.id)->browser_configuration, std::nullopt);
}

TEST_F(TaskTableTest, a_removed_task_is_seen_by_none_of_these_and_its_name_is_free) {
  Task task = add_task("report");
  add_version(task, draft_number);
  add_version(task, 1);
  task_table::remove(tx_, task.id, from_unix_ms(9000));
  EXPECT_FALSE(task_table::find(tx_, acme_, task.id));
  EXPECT_FALSE(task_table::find_by_name(tx_, acme_, "report"));
  EXPECT_EQ(task_table::count(tx_, acme_, std::nullopt), 0);
  EXPECT_TRUE(task_table::versions(tx_, task.id).empty());
  EXPECT_FALSE(task_table::find_version(tx_, task.id, {VersionSelector::Kind::number, 1}));
  Task again = add_task("report");
  EXPECT_EQ(task_table::find_by_name(tx_, acme_, "report")->id, again.id);
  EXPECT_TRUE(task_table::versions(tx_, again.id).empty()) << "it begins anew";
}

TEST_F(TaskTableTest, latest_is_the_highest_number_else_the_draft) {
  Task task = add_task("report");
  auto latest = [&] { return task_table::find_version(tx_, task.id, {}); };
  EXPECT_EQ(latest_of(task), "");
  EXPECT_FALSE(latest());
  add_version(task, draft_number);
  EXPECT_EQ(latest_of(task), "draft");
  EXPECT_EQ(latest()->number, draft_number);
  add_version(task, 9);
  TaskVersion highest = add_version(task, 10);
  add_version(task, 2);
  EXPECT_EQ(latest_of(task), "10") << "as numbers, not as texts";
  EXPECT_EQ(latest()->id, highest.id);
  task_table::remove_version(tx_, highest.id, from_unix_ms(9000));
  EXPECT_EQ(latest_of(task), "9");
  EXPECT_EQ(latest()->number, 9);
}

TEST_F(TaskTableTest, lists_the_draft_first_then_the_highest_number) {
  Task task = add_task("report");
  for (std::int64_t number : {2, 0, 10, 1}) {
    add_version(task, number);
  }
  EXPECT_EQ(numbers_of(task), (std::vector<std::int64_t>{0, 10, 2, 1}));
}

TEST_F(TaskTableTest, a_version_comes_back_as_it_was) {
  Task task = add_task("report");
  TaskVersion version = make_version(task, 3);
  version.description = "third";
  version.browser_configuration.emplace().proxy = {
      .active = true,
      .proxy = CustomProxy{.server = {.host = "h", .port = 1}, .password = {"sealed"}}};
  version.updated_at = from_unix_ms(7000);
  task_table::put_version(tx_, version);
  auto found = task_table::find_version(tx_, task.id, {VersionSelector::Kind::number, 3});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, version.id);
  EXPECT_EQ(found->task, task.id);
  EXPECT_EQ(found->number, 3);
  EXPECT_EQ(found->code, version.code);
  EXPECT_EQ(found->bundle_hash, "hash");
  EXPECT_EQ(found->language, "typescript");
  EXPECT_EQ(found->description, "third");
  EXPECT_EQ(to_stored_json(*found->browser_configuration),
            to_stored_json(*version.browser_configuration));
  EXPECT_EQ(found->created_at, from_unix_ms(1000));
  EXPECT_EQ(found->updated_at, from_unix_ms(7000));
  EXPECT_FALSE(task_table::find_version(tx_, task.id, {VersionSelector::Kind::number, 4}));
  EXPECT_FALSE(task_table::find_version(tx_, task.id, {VersionSelector::Kind::draft}));
}

TEST_F(TaskTableTest, putting_a_version_again_keeps_its_id_and_birthday) {
  Task task = add_task("report");
  TaskVersion first = add_version(task, draft_number);
  TaskVersion second = make_version(task, draft_number);
  second.code = "bmV3";
  second.bundle_hash = "new hash";
  second.language = "javascript";
  second.description = "new";
  second.created_at = second.updated_at = from_unix_ms(8000);
  task_table::put_version(tx_, second);
  auto found = task_table::find_version(tx_, task.id, {VersionSelector::Kind::draft});
  EXPECT_EQ(numbers_of(task).size(), 1U);
  EXPECT_EQ(found->id, first.id);
  EXPECT_EQ(found->created_at, from_unix_ms(1000));
  EXPECT_EQ(found->code, "bmV3");
  EXPECT_EQ(found->bundle_hash, "new hash");
  EXPECT_EQ(found->language, "javascript");
  EXPECT_EQ(found->description, "new");
  EXPECT_EQ(found->updated_at, from_unix_ms(8000));
}

TEST_F(TaskTableTest, a_removed_draft_can_be_written_again) {
  Task task = add_task("report");
  TaskVersion first = add_version(task, draft_number);
  task_table::remove_version(tx_, first.id, from_unix_ms(9000));
  EXPECT_TRUE(numbers_of(task).empty());
  TaskVersion second = add_version(task, draft_number);
  EXPECT_EQ(task_table::find_version(tx_, task.id, {VersionSelector::Kind::draft})->id, second.id);
}

TEST_F(TaskTableTest, the_last_number_only_rises) {
  Task task = add_task("report");
  Task other = add_task("other");
  EXPECT_EQ(task_table::last_number(tx_, task.id), 0);
  task_table::raise_last_number(tx_, task.id, 5);
  task_table::raise_last_number(tx_, task.id, 3);
  EXPECT_EQ(task_table::last_number(tx_, task.id), 5);
  EXPECT_EQ(task_table::last_number(tx_, other.id), 0);
}

TEST_F(TaskTableTest, a_bundle_is_kept_once_by_its_hash) {
  EXPECT_EQ(task_table::find_bundle(tx_, "hash"), std::nullopt);
  task_table::put_bundle(tx_, "hash", "code");
  task_table::put_bundle(tx_, "hash", "code");
  EXPECT_EQ(task_table::find_bundle(tx_, "hash"), "code");
  EXPECT_EQ(task_table::find_bundle(tx_, "other"), std::nullopt);
}

}  // namespace capstan
