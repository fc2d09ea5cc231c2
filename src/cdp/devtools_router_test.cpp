#include "cdp/devtools_router.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace capstan {
namespace {

// A router whose browser side the test plays.
class RouterTest : public testing::Test {
 protected:
  // Attaches a session, to the root unless `parent` is given, and returns what the event came to.
  DevToolsRoute attach(const std::string& session, const std::string& parent = {}) {
    return router_.from_browser(R"({"method":"Target.attachedToTarget","params":{"sessionId":")" +
                                session + R"(","targetInfo":{"targetId":"T"}})" + named(parent));
  }
  DevToolsRoute detach(const std::string& session, const std::string& parent = {}) {
    return router_.from_browser(R"({"method":"Target.detachedFromTarget","params":{"sessionId":")" +
                                session + R"("})" + named(parent));
  }
  PartyId join(const std::string& session) {
    attach(session);
    auto party = router_.join(session);
    EXPECT_TRUE(party);
    return party.value_or(ourselves);
  }
  // Has the party send the text, which must reach the browser; returns our id of it.
  std::int32_t send(PartyId party, const std::string& text) {
    DevToolsRoute route = router_.from_party(party, text);
    EXPECT_EQ(route.to, DevToolsRoute::To::browser) << route.message;
    return route.id;
  }
  std::string refusal(PartyId party, const std::string& text) {
    DevToolsRoute route = router_.from_party(party, text);
    EXPECT_EQ(route.to, DevToolsRoute::To::party) << route.message;
    EXPECT_EQ(route.party, party);
    return route.message;
  }
  DevToolsRoute answer(std::int32_t id, const std::string& session) {
    return router_.from_browser("{\"id\":" + std::to_string(id) + ",\"result\":{}" +
                                named(session));
  }

  static std::string named(const std::string& session) {
    return session.empty() ? "}" : R"(,"sessionId":")" + session + "\"}";
  }

  DevToolsRouter router_{
      DevToolsRouterLimits{.sessions_per_party_max = 5, .pending_per_party_max = 4}};
};

TEST_F(RouterTest, a_command_goes_to_the_partys_own_session_under_our_id) {
  PartyId party = join("S1");
  DevToolsRoute route = router_.from_party(
      party, R"( {"params":{"a":[1, 2]} , "id":77,"method":"Target.getTargets"})");
  EXPECT_EQ(route.to, DevToolsRoute::To::browser);
  EXPECT_EQ(route.message, R"({"id":1,"sessionId":"S1","method":"Target.getTargets",)"
                           R"("params":{"a":[1, 2]}})");
  EXPECT_EQ(route.id, 1);
}

TEST_F(RouterTest, an_answer_comes_back_under_the_partys_id_without_its_session) {
  PartyId party = join("S1");
  std::int32_t id = send(party, R"({"id":77,"method":"A.b"})");
  DevToolsRoute route = router_.from_browser(
      R"({"id":)" + std::to_string(id) + R"(,"result":{"id":1,"sessionId":"x"},"sessionId":"S1"})");
  EXPECT_EQ(route.to, DevToolsRoute::To::party);
  EXPECT_EQ(route.party, party);
  EXPECT_EQ(route.message, R"({"id":77,"result":{"id":1,"sessionId":"x"}})");
  EXPECT_EQ(router_.pending_count(), 0U);
}

TEST_F(RouterTest, an_answer_is_changed_wherever_its_members_stand) {
  PartyId party = join("S1");
  auto routed = [&](std::string text) {
    std::string id = std::to_string(send(party, R"({"id":-5,"method":"A.b"})"));
    text.replace(text.find('#'), 1, id);
    return router_.from_browser(text).message;
  };
  EXPECT_EQ(routed(R"({"sessionId":"S1","id":#,"result":{}})"), R"({"id":-5,"result":{}})");
  EXPECT_EQ(routed(R"({"sessionId" : "S1" , "id" : #})"), R"({ "id" : -5})");
  EXPECT_EQ(routed(R"({"result":{}, "sessionId":"S1" , "id":#})"), R"({"result":{} , "id":-5})");
  EXPECT_EQ(routed(R"({"id":#,"session\u0049d":"\u00531","result":{}})"),
            R"({"id":-5,"result":{}})");
  EXPECT_EQ(routed(R"({ "id":# , "result":{} , "sessionId":"S1" })"),
            R"({ "id":-5 , "result":{}  })");
  EXPECT_EQ(routed(R"({"id":#,"error":{"code":-32600,"message":"m"}})"),
            R"({"id":-5,"error":{"code":-32600,"message":"m"}})");
}

TEST_F(RouterTest, answers_out_of_order_find_their_way) {
  PartyId one = join("S1");
  PartyId two = join("S2");
  std::int32_t a = send(one, R"({"id":1,"method":"A.b"})");
  std::int32_t b = send(two, R"({"id":1,"method":"A.b"})");
  std::int32_t c = send(one, R"({"id":2,"method":"A.b"})");
  DevToolsRoute last = answer(c, "S1");
  EXPECT_EQ(last.party, one);
  EXPECT_EQ(last.message, R"({"id":2,"result":{}})");
  DevToolsRoute other = answer(b, "S2");
  EXPECT_EQ(other.party, two);
  EXPECT_EQ(other.message, R"({"id":1,"result":{}})");
  EXPECT_EQ(answer(a, "S1").message, R"({"id":1,"result":{}})");
}

TEST_F(RouterTest, an_answer_that_nobody_waits_for_is_dropped) {
  PartyId party = join("S1");
  std::int32_t id = send(party, R"({"id":1,"method":"A.b"})");
  std::uint64_t before = router_.dropped_count();
  EXPECT_EQ(answer(id + 1, "S1").to, DevToolsRoute::To::nobody);
  EXPECT_EQ(router_.from_browser(R"({"id":"1","result":{}})").to, DevToolsRoute::To::nobody);
  EXPECT_EQ(router_.from_browser(R"({"id":1e99,"result":{}})").to, DevToolsRoute::To::nobody);
  EXPECT_EQ(answer(id, "S2").to, DevToolsRoute::To::nobody);  // names another session
  EXPECT_EQ(router_.dropped_count(), before + 4);
  EXPECT_EQ(answer(id, "S1").to, DevToolsRoute::To::party);
  EXPECT_EQ(answer(id, "S1").to, DevToolsRoute::To::nobody);  // a second time
}

TEST_F(RouterTest, an_id_that_is_in_flight_twice_is_answered_twice) {
  PartyId party = join("S1");
  std::int32_t first = send(party, R"({"id":9,"method":"A.b"})");
  std::int32_t second = send(party, R"({"id":9,"method":"A.c"})");
  EXPECT_NE(first, second);
  EXPECT_EQ(answer(second, "S1").message, R"({"id":9,"result":{}})");
  EXPECT_EQ(answer(first, "S1").message, R"({"id":9,"result":{}})");
}

TEST_F(RouterTest, the_text_of_an_id_is_kept) {
  PartyId party = join("S1");
  for (std::string id : {"0", "-1", "8.0", "1e1", "2147483647", "-2147483648"}) {
    std::int32_t ours = send(party, "{\"id\":" + id + ",\"method\":\"A.b\"}");
    EXPECT_EQ(answer(ours, "S1").message, "{\"id\":" + id + ",\"result\":{}}");
  }
}

TEST_F(RouterTest, a_message_without_an_integer_id_is_refused) {
  PartyId party = join("S1");
  for (std::string text :
       {R"({"method":"A.b"})", R"({})", R"({"id":"1","method":"A.b"})",
        R"({"id":9007199254740992,"method":"A.b"})", R"({"id":2147483648,"method":"A.b"})",
        R"({"id":1.5,"method":"A.b"})", R"({"id":null,"method":"A.b"})"}) {
    EXPECT_EQ(refusal(party, text), R"({"error":{"code":-32600,"message":)"
                                    R"("DevToolsMessage must have integer 'id' property"}})");
  }
}

TEST_F(RouterTest, what_is_not_json_is_refused) {
  PartyId party = join("S1");
  for (std::string text :
       {"", "garbage", "[]", R"({"id":1,"method":"A.b"} x)", "{\"id\":1,\"method\":\"A.\xff\"}"}) {
    EXPECT_TRUE(refusal(party, text).starts_with(R"({"error":{"code":-32700,)")) << text;
  }
  EXPECT_EQ(router_.pending_count(), 0U);
}

TEST_F(RouterTest, a_command_of_the_wrong_form_is_refused_under_its_id) {
  PartyId party = join("S1");
  for (const auto& [text, code] : std::initializer_list<std::pair<std::string, std::string>>{
           {R"({"id":3})", "-32600"},
           {R"({"id":3,"method":5})", "-32600"},
           {R"({"id":3,"method":"A.b","extra":1})", "-32600"},
           {R"({"id":3,"method":"A.b","result":{}})", "-32600"},
           {R"({"id":3,"method":"A.b","sessionId":5})", "-32600"},
           {R"({"id":2,"method":"A.b","id":3})", "-32700"},
           {R"({"id":3,"method":"A.b","sessionId":"S1","sessionId":""})", "-32700"}}) {
    std::string expected = R"({"id":3,"error":{"code":)" + code + ",";
    EXPECT_TRUE(refusal(party, text).starts_with(expected)) << text;
  }
}

TEST_F(RouterTest, a_nested_session_belongs_to_the_party_that_attached_it) {
  PartyId party = join("S1");
  DevToolsRoute event = attach("N1", "S1");
  EXPECT_EQ(event.party, party);
  EXPECT_EQ(event.message, R"({"method":"Target.attachedToTarget","params":{"sessionId":"N1",)"
                           R"("targetInfo":{"targetId":"T"}}})");
  DevToolsRoute route = router_.from_party(party, R"({"id":1,"method":"A.b","sessionId":"N1"})");
  EXPECT_EQ(route.message, R"({"id":1,"sessionId":"N1","method":"A.b"})");
  DevToolsRoute answered = answer(route.id, "N1");
  EXPECT_EQ(answered.message, R"({"id":1,"result":{},"sessionId":"N1"})");
  DevToolsRoute happened = router_.from_browser(R"({"method":"A.c","params":{},"sessionId":"N1"})");
  EXPECT_EQ(happened.party, party);
  EXPECT_EQ(happened.message, R"({"method":"A.c","params":{},"sessionId":"N1"})");
}

TEST_F(RouterTest, another_partys_session_is_refused) {
  PartyId one = join("S1");
  PartyId two = join("S2");
  attach("N1", "S1");
  attach("R1");  // ours
  for (std::string session : {"S1", "S2", "N1", "R1", "none", "N\\u0031", "\\ud800"}) {
    EXPECT_EQ(refusal(two, R"({"id":4,"method":"A.b","sessionId":")" + session + "\"}"),
              R"({"id":4,"error":{"code":-32001,"message":"Session with given id not found."}})");
  }
  EXPECT_EQ(send(one, R"({"id":4,"method":"A.b","sessionId":"N\u0031"})"), 1);
  EXPECT_EQ(send(two, R"({"id":4,"method":"A.b","sessionId":""})"), 2);
}

TEST_F(RouterTest, what_is_detached_is_forgotten_with_all_below) {
  PartyId party = join("S1");
  attach("N1", "S1");
  attach("N2", "N1");
  attach("N3", "N2");
  send(party, R"({"id":1,"method":"A.b","sessionId":"N3"})");
  std::int32_t kept = send(party, R"({"id":2,"method":"A.b"})");
  EXPECT_EQ(router_.session_count(), 5U);
  DevToolsRoute event = detach("N1", "S1");
  EXPECT_EQ(event.party, party);
  EXPECT_FALSE(event.ended_party);
  EXPECT_EQ(router_.session_count(), 2U);
  EXPECT_EQ(router_.pending_count(), 1U);
  EXPECT_TRUE(refusal(party, R"({"id":1,"method":"A.b","sessionId":"N3"})").find("-32001") !=
              std::string::npos);
  EXPECT_EQ(router_.from_browser(R"({"method":"A.c","sessionId":"N2"})").to,
            DevToolsRoute::To::nobody);
  EXPECT_EQ(answer(kept, "S1").to, DevToolsRoute::To::party);
}

TEST_F(RouterTest, only_the_parent_can_attach_or_detach_a_session) {
  PartyId one = join("S1");
  PartyId two = join("S2");
  attach("N1", "S1");
  EXPECT_EQ(attach("N1", "S2").party, two);  // seen by two, but the session stays one's
  detach("N1", "S2");
  detach("S1", "S2");
  EXPECT_EQ(detach("N1").to, DevToolsRoute::To::nobody);
  EXPECT_EQ(detach("").to, DevToolsRoute::To::nobody);
  EXPECT_GT(send(one, R"({"id":1,"method":"A.b","sessionId":"N1"})"), 0);
  EXPECT_EQ(router_.session_count(), 4U);
}

TEST_F(RouterTest, a_party_that_left_gets_nothing_any_more) {
  PartyId one = join("S1");
  PartyId two = join("S2");
  attach("N1", "S1");
  std::int32_t first = send(one, R"({"id":1,"method":"A.b"})");
  std::int32_t second = send(one, R"({"id":2,"method":"A.b","sessionId":"N1"})");
  std::int32_t other = send(two, R"({"id":1,"method":"A.b"})");
  router_.leave(one);
  router_.leave(one);
  EXPECT_EQ(router_.pending_count(), 1U);
  EXPECT_EQ(router_.session_count(), 2U);
  EXPECT_EQ(answer(first, "S1").to, DevToolsRoute::To::nobody);
  EXPECT_EQ(answer(second, "N1").to, DevToolsRoute::To::nobody);
  EXPECT_EQ(router_.from_browser(R"({"method":"A.c","sessionId":"S1"})").to,
            DevToolsRoute::To::nobody);
  EXPECT_FALSE(detach("S1").ended_party);
  EXPECT_EQ(router_.from_party(one, R"({"id":1,"method":"A.b"})").to, DevToolsRoute::To::nobody);
  EXPECT_EQ(answer(other, "S2").party, two);
}

TEST_F(RouterTest, a_party_ends_with_its_own_session) {
  PartyId party = join("S1");
  attach("N1", "S1");
  send(party, R"({"id":1,"method":"A.b","sessionId":"N1"})");
  DevToolsRoute route = detach("S1");
  EXPECT_EQ(route.to, DevToolsRoute::To::nobody);
  EXPECT_EQ(route.ended_party, party);
  EXPECT_EQ(router_.session_count(), 1U);
  EXPECT_EQ(router_.pending_count(), 0U);
}

TEST_F(RouterTest, nobody_joins_through_a_session_that_is_not_there) {
  EXPECT_FALSE(router_.join("S1"));
  EXPECT_FALSE(router_.join(""));
  join("S1");
  EXPECT_FALSE(router_.join("S1"));
  attach("N1", "S1");
  EXPECT_FALSE(router_.join("N1"));
  attach("S2");
  detach("S2");
  EXPECT_FALSE(router_.join("S2"));
}

TEST_F(RouterTest, a_partys_browser_close_never_reaches_the_browser) {
  PartyId party = join("S1");
  attach("N1", "S1");
  DevToolsRoute route = router_.from_party(party, R"({"id":5,"method":"Browser.close"})");
  EXPECT_EQ(route.to, DevToolsRoute::To::party);
  EXPECT_EQ(route.party, party);
  EXPECT_EQ(route.message, R"({"id":5,"result":{}})");
  EXPECT_TRUE(route.asks_to_close);
  route = router_.from_party(
      party, R"({"id":6,"method":"Browser.\u0063lose","params":{},"sessionId":"N1"})");
  EXPECT_EQ(route.message, R"({"id":6,"result":{},"sessionId":"N1"})");
  EXPECT_TRUE(route.asks_to_close);
  EXPECT_FALSE(router_.from_party(party, R"({"id":7,"method":"Browser.closed"})").asks_to_close);
  EXPECT_EQ(router_.from_party(ourselves, R"({"id":0,"method":"Browser.close"})").to,
            DevToolsRoute::To::browser);
}

TEST_F(RouterTest, we_speak_at_the_root) {
  join("S1");
  std::int32_t id = send(ourselves, R"({"id":0,"method":"Browser.getVersion"})");
  DevToolsRoute route = answer(id, "");
  EXPECT_EQ(route.to, DevToolsRoute::To::party);
  EXPECT_EQ(route.party, ourselves);
  EXPECT_EQ(route.id, id);
  std::uint64_t before = router_.dropped_count();
  EXPECT_EQ(router_.from_browser(R"({"method":"Target.targetCreated","params":{}})").to,
            DevToolsRoute::To::nobody);
  EXPECT_EQ(router_.from_browser(R"({"error":{"code":-32700,"message":"m"}})").to,
            DevToolsRoute::To::nobody);
  EXPECT_EQ(router_.dropped_count(), before + 2);
}

TEST_F(RouterTest, a_forgotten_command_has_no_answer) {
  std::int32_t id = send(ourselves, R"({"id":0,"method":"A.b"})");
  router_.forget(id);
  router_.forget(id);
  EXPECT_EQ(router_.pending_count(), 0U);
  EXPECT_EQ(answer(id, "").to, DevToolsRoute::To::nobody);
}

TEST_F(RouterTest, too_many_pending_commands_are_refused) {
  PartyId party = join("S1");
  std::int32_t first = send(party, R"({"id":1,"method":"A.b"})");
  for (int i = 0; i < 3; ++i) {
    send(party, R"({"id":1,"method":"A.b"})");
  }
  EXPECT_TRUE(refusal(party, R"({"id":9,"method":"A.b"})").starts_with(R"({"id":9,"error":)"));
  PartyId other = join("S2");
  EXPECT_GT(send(other, R"({"id":1,"method":"A.b"})"), 0);
  answer(first, "S1");
  EXPECT_GT(send(party, R"({"id":9,"method":"A.b"})"), 0);
}

TEST_F(RouterTest, too_many_sessions_are_refused) {
  PartyId party = join("S1");
  for (std::string session : {"N1", "N2", "N3", "N4"}) {
    attach(session, "S1");
  }
  for (std::string method : {"Target.attachToTarget", "Target.attachToBrowserTarget"}) {
    EXPECT_TRUE(refusal(party, R"({"id":1,"method":")" + method + "\"}").find("-32000") !=
                std::string::npos);
  }
  EXPECT_GT(send(party, R"({"id":1,"method":"Target.getTargets"})"), 0);
  // One that comes by itself stays unknown.
  EXPECT_EQ(attach("N5", "S1").party, party);
  EXPECT_EQ(router_.session_count(), 6U);
  EXPECT_TRUE(refusal(party, R"({"id":1,"method":"A.b","sessionId":"N5"})").find("-32001") !=
              std::string::npos);
  detach("N1", "S1");
  EXPECT_GT(send(party, R"({"id":1,"method":"Target.attachToTarget"})"), 0);
}

TEST_F(RouterTest, strange_session_ids_are_not_taken) {
  PartyId party = join("S1");
  for (std::string session : {"", "a b", "a\\\"b", "a\\\\b", "a\\u0000b", "\\u00e4"}) {
    EXPECT_EQ(attach(session, "S1").party, party);
  }
  attach(std::string(1000, 'a'), "S1");
  router_.from_browser(R"({"method":"Target.attachedToTarget","sessionId":"S1"})");
  router_.from_browser(R"({"method":"Target.attachedToTarget","params":[],"sessionId":"S1"})");
  EXPECT_EQ(router_.session_count(), 2U);
}

TEST_F(RouterTest, talk_through_messages_passes) {
  PartyId party = join("S1");
  attach("N1", "S1");
  std::string command =
      R"({"id":1,"method":"Target.sendMessageToTarget","params":{"sessionId":"N1",)"
      R"("message":"{\"id\":1,\"method\":\"A.b\"}"}})";
  EXPECT_TRUE(router_.from_party(party, command).message.ends_with(command.substr(8)));
  DevToolsRoute event = router_.from_browser(
      R"({"method":"Target.receivedMessageFromTarget","params":{"sessionId":"N1","message":"{}"},)"
      R"("sessionId":"S1"})");
  EXPECT_EQ(event.message, R"({"method":"Target.receivedMessageFromTarget","params":)"
                           R"({"sessionId":"N1","message":"{}"}})");
}

TEST_F(RouterTest, a_big_message_keeps_its_bytes) {
  PartyId party = join("S1");
  std::string big(20'000'000, 'x');
  DevToolsRoute route =
      router_.from_party(party, R"({"id":1,"method":"A.b","params":{"d":")" + big + "\"}}");
  EXPECT_EQ(route.message,
            R"({"id":1,"sessionId":"S1","method":"A.b","params":{"d":")" + big + "\"}}");
  DevToolsRoute back =
      router_.from_browser(R"({"id":1,"result":{"d":")" + big + R"("},"sessionId":"S1"})");
  EXPECT_EQ(back.message, R"({"id":1,"result":{"d":")" + big + R"("}})");
}

TEST_F(RouterTest, a_browser_that_speaks_nonsense_is_an_error) {
  for (std::string text : {"", "garbage", "[]", R"({"id":1)", R"({"id":1,"id":1,"result":{}})"}) {
    EXPECT_THROW(router_.from_browser(text), Error) << text;
  }
}

TEST(RouterDepth, sessions_far_below_each_other_are_forgotten_without_recursion) {
  DevToolsRouter router(DevToolsRouterLimits{.sessions_per_party_max = 60'000});
  auto attach = [&](const std::string& session, const std::string& parent) {
    router.from_browser(R"({"method":"Target.attachedToTarget","params":{"sessionId":")" + session +
                        R"("},"sessionId":")" + parent + "\"}");
  };
  attach("S0", "");
  auto party = router.join("S0");
  ASSERT_TRUE(party);
  for (int depth = 1; depth < 50'000; ++depth) {
    attach("S" + std::to_string(depth), "S" + std::to_string(depth - 1));
  }
  EXPECT_EQ(router.session_count(), 50'001U);
  router.leave(*party);
  EXPECT_EQ(router.session_count(), 1U);
}

}  // namespace
}  // namespace capstan
