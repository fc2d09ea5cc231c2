#include "base/secret.h"

#include <array>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/text.h"

namespace capstan {

std::string sha256_hex(std::string_view bytes) {
  std::array<std::byte, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return to_hex(digest);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace capstan
