#pragma once

#include "api/call.h"
#include "session/recordings.h"
#include "session/sessions.h"

namespace capstan {

// AnchorBrowser's /v1/sessions/{sessionId}/recordings, and what we add to it: timelines, parts of a
// video by Range, and {recordingId} as "primary" everywhere.
class RecordingRoutes {
 public:
  RecordingRoutes(Sessions& sessions, Recordings& recordings)
      : sessions_(sessions), recordings_(recordings) {}

  Async<Response> list(Call call);
  Async<Response> fetch_primary(Call call);
  Async<Response> fetch(Call call);
  // For who watched the session live, and has its link and ticket instead of a key.
  Async<Response> fetch_by_link(Call call);
  Async<Response> timeline(Call call);
  Async<Response> remove(Call call);
  Async<Response> pause(Call call);
  Async<Response> resume(Call call);

 private:
  // What records the session of the call's path. Throws not_found, invalid_argument for one that
  // isn't recorded, and conflict if its recording is over.
  Async<std::shared_ptr<Recorder>> recorder_of(const Call* call);
  // The session of the call's path; throws not_found, as for one of another team.
  Async<SessionId> session_of(const Call* call);
  Async<Response> fetch_one(Call call, std::string which);

  Sessions& sessions_;
  Recordings& recordings_;
};

}  // namespace capstan
