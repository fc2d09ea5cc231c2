#include "egress/ledger.h"

#include <chrono>

#include "http/server_test.h"
#include "io/loop_test.h"

namespace capstan {

using namespace std::chrono_literals;

class LedgerTest : public LoopTest {
 public:
  // Refuses so often, and returns what the log says to it.
  std::string refuse(int times) {
    testing::internal::CaptureStderr();
    for (int i = 0; i < times; ++i) {
      ledger_.note_refusal("a.test:80", "because");
    }
    return testing::internal::GetCapturedStderr();
  }

  Metrics registry_;
  EgressMetrics metrics_{registry_};
  Ledger ledger_{clock_, metrics_, "session-1"};
};

ASYNC_TEST(LedgerTest, tells_what_was_refused_but_not_without_end) {
  std::string lines = refuse(100);
  EXPECT_EQ(count_of(lines, "\n"), 20U);
  EXPECT_NE(lines.find(R"("event":"egress_refused","owner":"session-1","destination":"a.test:80",)"
                       R"("reason":"because"})"),
            std::string::npos)
      << lines;
  co_await let_pass(1min);
  lines = refuse(1);
  EXPECT_EQ(count_of(lines, "\n"), 1U);
  EXPECT_NE(lines.find(R"("untold":80)"), std::string::npos) << lines;
  EXPECT_NE(registry_.text().find("capstan_egress_refused_total 101\n"), std::string::npos);
}

TEST_F(LedgerTest, sums_bytes_of_both_directions) {
  ledger_.add_received(3);
  ledger_.add_sent(4);
  EXPECT_EQ(ledger_.bytes(), 7U);
}

}  // namespace capstan
