#include "store/sealer.h"

#include <set>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"
#include "io/outcome.h"

namespace capstan {
namespace {

class SealerTest : public testing::Test {
 public:
  static SecretKey key(std::string id, std::uint8_t fill) {
    SecretKey key{.id = std::move(id)};
    key.bytes.fill(fill);
    return key;
  }

  Sealer sealer(std::vector<SecretKey> keys) { return Sealer(std::move(keys), random_); }

  // Why the text does not open; empty if it does.
  static std::string cause_of_failure(const Sealer& sealer, const SealedText& sealed,
                                      std::string_view context = "acme") {
    auto outcome = outcome_of_call([&] { return sealer.open(sealed, context); });
    if (outcome.ok()) {
      return {};
    }
    EXPECT_EQ(outcome.error().code(), ErrorCode::internal);
    EXPECT_TRUE(outcome.error().message().starts_with("a stored secret can't be opened any more"));
    return outcome.error().cause();
  }

 protected:
  static constexpr std::uint64_t seed = 77;
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  SeededRandom random_{seed};
  const Sealer sealer_{{key("first", 1)}, random_};
};

}  // namespace

TEST_F(SealerTest, opens_what_it_has_sealed) {
  for (const std::string& secret :
       {std::string(), std::string("p"), std::string("hunter2 \xe2\x82\xac"), std::string(9, '\0'),
        std::string(100'000, 'x')}) {
    SealedText sealed = sealer_.seal(secret, "acme");
    EXPECT_EQ(sealer_.open(sealed, "acme"), secret);
    EXPECT_TRUE(sealed.text.starts_with("v1:first:")) << sealed.text;
  }
}

TEST_F(SealerTest, a_sealed_text_tells_nothing_but_its_length) {
  std::set<std::string> texts;
  for (int time = 0; time < 100; ++time) {
    SealedText sealed = sealer_.seal("the password", "acme");
    EXPECT_EQ(sealed.text.find("password"), std::string::npos);
    EXPECT_EQ(sealed.text.find(encode_base64("the password")), std::string::npos);
    texts.insert(sealed.text);
  }
  EXPECT_EQ(texts.size(), 100U) << "none is like another";
}

TEST_F(SealerTest, a_text_opens_in_its_own_context_alone) {
  SealedText sealed = sealer_.seal("secret", "acme");
  for (const char* context : {"", "acm", "acme ", "other"}) {
    EXPECT_EQ(cause_of_failure(sealer_, sealed, context),
              "it was changed, or sealed for somebody or something else");
  }
}

TEST_F(SealerTest, a_text_that_was_changed_does_not_open) {
  SealedText sealed = sealer_.seal("secret", "acme");
  std::string box = decode_base64(sealed.text.substr(9)).value();
  for (std::size_t place = 0; place < box.size(); ++place) {
    std::string changed = box;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    EXPECT_EQ(cause_of_failure(sealer_, {"v1:first:" + encode_base64(changed)}),
              "it was changed, or sealed for somebody or something else")
        << place;
  }
  for (std::size_t size = 0; size < sealed.text.size(); ++size) {
    EXPECT_NE(cause_of_failure(sealer_, {sealed.text.substr(0, size)}), "") << size;
  }
}

TEST_F(SealerTest, what_was_never_sealed_does_not_open) {
  EXPECT_EQ(cause_of_failure(sealer_, {""}), "it is not sealed in a way that is known");
  EXPECT_EQ(cause_of_failure(sealer_, {"hunter2"}), "it is not sealed in a way that is known");
  EXPECT_EQ(cause_of_failure(sealer_, {"v1:"}), "there is no key ");
  EXPECT_EQ(cause_of_failure(sealer_, {"v1:first"}), "it is cut short");
  EXPECT_EQ(cause_of_failure(sealer_, {"v1:first:"}), "it is cut short");
  EXPECT_EQ(cause_of_failure(sealer_, {"v1:first:no base64"}), "it is cut short");
}

TEST_F(SealerTest, a_new_key_seals_and_the_old_one_still_opens) {
  SealedText old_text = sealer_.seal("old", "acme");
  Sealer both = sealer({key("second", 2), key("first", 1)});
  EXPECT_EQ(both.open(old_text, "acme"), "old");
  SealedText new_text = both.seal("new", "acme");
  EXPECT_TRUE(new_text.text.starts_with("v1:second:"));
  EXPECT_EQ(both.open(new_text, "acme"), "new");
  Sealer second_alone = sealer({key("second", 2)});
  EXPECT_EQ(second_alone.open(new_text, "acme"), "new");
  EXPECT_EQ(cause_of_failure(second_alone, old_text), "there is no key first");
  EXPECT_EQ(cause_of_failure(sealer({key("first", 9)}), old_text),
            "it was changed, or sealed for somebody or something else");
}

}  // namespace capstan
