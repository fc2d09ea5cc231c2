#include "store/sealer.h"

#include <algorithm>
#include <sodium.h>

#include "base/check.h"
#include "base/error.h"
#include "base/text.h"

namespace capstan {
namespace {

// v1:KEY_ID:BASE64 of the nonce and what XChaCha20-Poly1305 makes of the secret. The nonce is long
// enough to be drawn at random.
constexpr std::string_view version = "v1:";
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(sizeof(SecretKey::bytes) == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Error cannot_open(std::string cause) {
  return Error(ErrorCode::internal,
               "a stored secret can't be opened any more; store it once more, or ask whoever runs "
               "this server for the key that it was sealed with",
               std::move(cause));
}

}  // namespace

Sealer::Sealer(std::vector<SecretKey> keys, Random& random)
    : keys_(std::move(keys)), random_(random) {
  CHECK(!keys_.empty());
  CHECK(::sodium_init() >= 0);
}

SealedText Sealer::seal(std::string_view secret, std::string_view context) const {
  const SecretKey& key = keys_.front();
  std::string box(nonce_bytes + secret.size() + tag_bytes, '\0');
  random_.fill(std::as_writable_bytes(std::span(box.data(), nonce_bytes)));
  ::crypto_aead_xchacha20poly1305_ietf_encrypt(
      bytes_of(box) + nonce_bytes, nullptr, bytes_of(secret), secret.size(), bytes_of(context),
      context.size(), nullptr, bytes_of(box), key.bytes.data());
  return {std::string(version) + key.id + ":" + encode_base64(box)};
}

std::string Sealer::open(const SealedText& sealed, std::string_view context) const {
  std::string_view text = sealed.text;
  if (!text.starts_with(version)) {
    throw cannot_open("it is not sealed in a way that is known");
  }
  text.remove_prefix(version.size());
  std::string_view id = text.substr(0, text.find(':'));
  auto key = std::find_if(keys_.begin(), keys_.end(),
                          [&](const SecretKey& candidate) { return candidate.id == id; });
  if (key == keys_.end()) {
    throw cannot_open("there is no key " + std::string(clip_utf8(id, 32)));
  }
  auto box = decode_base64(text.substr(std::min(text.size(), id.size() + 1)));
  if (!box || box->size() < nonce_bytes + tag_bytes) {
    throw cannot_open("it is cut short");
  }
  std::string secret(box->size() - nonce_bytes - tag_bytes, '\0');
  if (::crypto_aead_xchacha20poly1305_ietf_decrypt(
          bytes_of(secret), nullptr, nullptr, bytes_of(*box) + nonce_bytes,
          box->size() - nonce_bytes, bytes_of(context), context.size(), bytes_of(*box),
          key->bytes.data()) != 0) {
    throw cannot_open("it was changed, or sealed for somebody or something else");
  }
  return secret;
}

}  // namespace capstan
