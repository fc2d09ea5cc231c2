#pragma once

#include "api/call.h"
#include "session/sessions.h"

namespace capstan {

// The page on which a person watches a session, what it calls, and the tokens that lead there. The
// page needs no key: its link is one.
class LiveRoutes {
 public:
  explicit LiveRoutes(Sessions& sessions) : sessions_(sessions) {}

  Async<Response> page(Call call);
  Async<Response> asset(Call call);
  Async<Response> claim(Call call);
  Async<Response> connect(Call call);
  // A piece of a file for the page's open file chooser.
  Async<Response> send_file(Call call);

  Async<Response> create_token(Call call);
  Async<Response> revoke_token(Call call);
  // What the session shows now, as a small JPEG.
  Async<Response> thumbnail(Call call);

 private:
  // The running session that the call's link leads to; throws not_found and gone.
  std::shared_ptr<Session> session_of(const Call& call) const;

  Sessions& sessions_;
};

}  // namespace capstan
