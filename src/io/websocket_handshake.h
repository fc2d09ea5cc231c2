#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace capstan {

// The two HTTP messages that open a WebSocket (RFC 6455, section 4) as bytes; no I/O. What a
// server has to refuse is the matter of whoever reads the request.

using HandshakeHeaders = std::vector<std::pair<std::string, std::string>>;

// The answer to `key` that shows that the server has understood.
std::string handshake_proof(std::string_view key);

std::string handshake_answer(std::string_view key, const HandshakeHeaders& headers);

// Throws invalid_argument for a target or headers that don't fit on their lines.
std::string handshake_request(std::string_view host, std::string_view target, std::string_view key,
                              const HandshakeHeaders& headers);

// `answer` begins with the answer's head. Throws unavailable unless it is a 101 with the right
// proof; the message then has the status line and what came of the body.
void check_handshake_answer(std::string_view answer, std::string_view key);

}  // namespace capstan
