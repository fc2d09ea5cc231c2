#include "egress/resolver.h"

#include <condition_variable>
#include <mutex>
#include <set>

#include "io/loop_test.h"
#include "io/scope.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

asio::ip::address address(const std::string& text) { return asio::ip::make_address(text); }

// What the system would say, and when: lookups of a held name wait until it is let go.
class PlayedSystem {
 public:
  void tell(const std::string& name, Addresses addresses) {
    std::lock_guard lock(mutex_);
    answers_[name] = std::move(addresses);
  }
  void hold(const std::string& name) {
    std::lock_guard lock(mutex_);
    held_.insert(name);
  }
  void let_go(const std::string& name) {
    std::lock_guard lock(mutex_);
    held_.erase(name);
    changed_.notify_all();
  }
  // Waits until so many lookups have begun.
  void await_asked(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_.size() >= count; });
  }
  std::size_t asked(const std::string& name) {
    std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(asked_.begin(), asked_.end(), name));
  }

  Addresses look_up(const std::string& name) {
    std::unique_lock lock(mutex_);
    asked_.push_back(name);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_.contains(name); });
    auto answer = answers_.find(name);
    if (answer == answers_.end()) {
      throw Error(ErrorCode::not_found, "there is no " + name);
    }
    return answer->second;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Addresses> answers_;
  std::set<std::string> held_;
  std::vector<std::string> asked_;
};

}  // namespace

class ResolverTest : public LoopTest {
 public:
  void make() {
    resolver_ = std::make_unique<Resolver>(
        executor(), clock_, limits_,
        [system = system_](const std::string& name) { return system->look_up(name); });
    asker_ = resolver_->new_asker();
  }

  Async<> ask(Resolver::Asker asker, std::string name) {
    auto outcome = co_await outcome_of(resolver_->resolve(asker, name));
    told_.push_back(name + (outcome.ok() ? "" : ": " + outcome.error().message()));
  }

  ResolverLimits limits_;
  // A thread that is still asking when the test is over keeps it alive.
  std::shared_ptr<PlayedSystem> system_ = std::make_shared<PlayedSystem>();
  std::unique_ptr<Resolver> resolver_;
  Resolver::Asker asker_ = 0;
  std::vector<std::string> told_;
  Scope scope_{executor(), "test"};
};

ASYNC_TEST(ResolverTest, tells_all_addresses_of_a_name_in_their_order) {
  system_->tell("a.test", {address("2001:db8::1"), address("192.0.2.1")});
  make();
  EXPECT_EQ(co_await resolver_->resolve(asker_, "a.test"),
            (Addresses{address("2001:db8::1"), address("192.0.2.1")}));
}

ASYNC_TEST(ResolverTest, says_that_there_is_no_such_name) {
  system_->tell("empty.test", {});
  make();
  auto unknown = co_await outcome_of(resolver_->resolve(asker_, "gone.test"));
  EXPECT_EQ(unknown.error().message(), "there is no gone.test");
  auto empty = co_await outcome_of(resolver_->resolve(asker_, "empty.test"));
  EXPECT_EQ(empty.error().message(), "there is no address for the name empty.test");
}

ASYNC_TEST(ResolverTest, remembers_an_answer_for_a_while_and_a_failure_not_at_all) {
  system_->tell("a.test", {address("192.0.2.1")});
  make();
  co_await resolver_->resolve(asker_, "a.test");
  co_await resolver_->resolve(resolver_->new_asker(), "a.test");
  EXPECT_EQ(system_->asked("a.test"), 1U);
  co_await let_pass(limits_.memory_time);
  system_->tell("a.test", {address("192.0.2.2")});
  EXPECT_EQ(co_await resolver_->resolve(asker_, "a.test"), Addresses{address("192.0.2.2")});
  EXPECT_EQ(system_->asked("a.test"), 2U);
  co_await ask(asker_, "b.test");
  system_->tell("b.test", {address("192.0.2.3")});
  EXPECT_EQ(co_await resolver_->resolve(asker_, "b.test"), Addresses{address("192.0.2.3")});
}

ASYNC_TEST(ResolverTest, remembers_a_bounded_number_of_names) {
  limits_.memory_names_max = 1;
  system_->tell("a.test", {address("192.0.2.1")});
  system_->tell("b.test", {address("192.0.2.2")});
  make();
  co_await ask(asker_, "a.test");
  co_await ask(asker_, "b.test");
  co_await ask(asker_, "a.test");
  co_await ask(asker_, "b.test");
  EXPECT_EQ(system_->asked("a.test"), 1U);
  EXPECT_EQ(system_->asked("b.test"), 2U);
  co_await let_pass(limits_.memory_time);
  co_await ask(asker_, "b.test");
  co_await ask(asker_, "b.test");
  EXPECT_EQ(system_->asked("b.test"), 3U) << "what is over makes room";
}

ASYNC_TEST(ResolverTest, looks_a_name_up_once_for_all_who_wait_for_it) {
  system_->tell("a.test", {address("192.0.2.1")});
  system_->hold("a.test");
  make();
  for (int i = 0; i < 6; ++i) {
    scope_.spawn(ask(asker_, "a.test"));
  }
  co_await settle();
  system_->await_asked(1);
  system_->let_go("a.test");
  co_await scope_.drain();
  EXPECT_EQ(told_, std::vector<std::string>(6, "a.test"));
  EXPECT_EQ(system_->asked("a.test"), 1U);
}

ASYNC_TEST(ResolverTest, gives_up_on_an_answer_that_takes_too_long) {
  system_->tell("a.test", {address("192.0.2.1")});
  system_->hold("a.test");
  make();
  scope_.spawn(ask(asker_, "a.test"));
  co_await let_pass(limits_.answer_time_max);
  co_await scope_.drain();
  EXPECT_EQ(told_, std::vector<std::string>{"a.test: looking up the name a.test takes too long"});
  system_->let_go("a.test");
  EXPECT_EQ((co_await resolver_->resolve(asker_, "a.test")).size(), 1U);
}

ASYNC_TEST(ResolverTest, gives_nobody_more_than_a_share_of_the_threads) {
  limits_.threads_max = 3;
  limits_.threads_per_asker_max = 2;
  for (const char* name : {"one.test", "two.test", "three.test", "other.test"}) {
    system_->tell(name, {address("192.0.2.1")});
    system_->hold(name);
  }
  make();
  for (const char* name : {"one.test", "two.test", "three.test"}) {
    scope_.spawn(ask(asker_, name));
  }
  scope_.spawn(ask(resolver_->new_asker(), "other.test"));
  co_await settle();
  system_->await_asked(3);
  EXPECT_EQ(system_->asked("three.test"), 0U);
  EXPECT_EQ(system_->asked("other.test"), 1U);
  system_->let_go("one.test");
  system_->let_go("three.test");
  while (told_.size() < 2) {
    co_await settle();
  }
  EXPECT_EQ(told_, (std::vector<std::string>{"one.test", "three.test"}));
  system_->let_go("two.test");
  system_->let_go("other.test");
  co_await scope_.drain();
}

ASYNC_TEST(ResolverTest, forgets_what_nobody_waits_for_any_more) {
  limits_.threads_max = 1;
  system_->hold("slow.test");
  make();
  scope_.spawn(ask(asker_, "slow.test"));
  scope_.spawn(ask(asker_, "never.test"));
  co_await settle();
  system_->await_asked(1);
  co_await scope_.close();
  system_->tell("a.test", {address("192.0.2.1")});
  system_->let_go("slow.test");
  co_await resolver_->resolve(asker_, "a.test");
  EXPECT_EQ(system_->asked("never.test"), 0U);
}

ASYNC_TEST(ResolverTest, bounds_how_many_lookups_wait) {
  limits_.lookups_max = 2;
  system_->hold("a.test");
  system_->hold("b.test");
  make();
  scope_.spawn(ask(asker_, "a.test"));
  scope_.spawn(ask(asker_, "b.test"));
  co_await settle();
  auto outcome = co_await outcome_of(resolver_->resolve(asker_, "c.test"));
  EXPECT_EQ(outcome.error().code(), ErrorCode::resource_exhausted);
  system_->let_go("a.test");
  system_->let_go("b.test");
  co_await scope_.drain();
}

ASYNC_TEST(ResolverTest, ends_while_a_lookup_is_stuck) {
  system_->hold("stuck.test");
  make();
  scope_.spawn(ask(asker_, "stuck.test"));
  co_await settle();
  system_->await_asked(1);
  co_await scope_.close();
  resolver_.reset();
  system_->let_go("stuck.test");
}

ASYNC_TEST(ResolverTest, asks_the_system) {
  Resolver resolver(executor(), clock_);
  auto addresses = co_await resolver.resolve(resolver.new_asker(), "localhost");
  EXPECT_NE(std::find(addresses.begin(), addresses.end(), address("127.0.0.1")), addresses.end());
}

}  // namespace capstan
