#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "store/secret_keys.h"

namespace capstan {

// A secret as it may be stored: sealed, or empty for none. A type of its own, so that neither is
// ever taken for the other.
struct SealedText {
  std::string text;

  friend bool operator==(const SealedText&, const SealedText&) = default;
};

// Seals secrets before they are stored, so that the database alone does not give them away, and
// opens them where they are used. What is sealed in one context ("whose it is, and what") opens in
// no other, so a row that is given another team's sealed text gains nothing. Owned by App.
class Sealer {
 public:
  // The first key seals, all of them open.
  Sealer(std::vector<SecretKey> keys, Random& random);

  SealedText seal(std::string_view secret, std::string_view context) const;
  // Throws internal, with a message that the text's owner may see, when its key is not there any
  // more, or when it was changed or sealed in another context.
  std::string open(const SealedText& sealed, std::string_view context) const;

 private:
  std::vector<SecretKey> keys_;
  Random& random_;
};

}  // namespace capstan
