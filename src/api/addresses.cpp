#include "api/addresses.h"

#include "api/call.h"

namespace capstan {

std::string devtools_address(const Request& request, const Session& session,
                             std::string_view token) {
  return "ws://" + host_of(request) + "/?sessionId=" + session.id().text() +
         "&token=" + std::string(token);
}

std::string live_view_address(const Request& request, std::string_view token) {
  return "http://" + host_of(request) + "/live/" + std::string(token);
}

}  // namespace capstan
