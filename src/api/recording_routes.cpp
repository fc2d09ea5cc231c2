#include "api/recording_routes.h"

#include <array>
#include <cstdio>

#include "http/file_response.h"

namespace capstan {
namespace {

// Seconds with three places: "12.345".
std::string to_seconds(std::chrono::milliseconds duration) {
  std::array<char, 32> text{};
  int length = std::snprintf(text.data(), text.size(), "%lld.%03d",
                             static_cast<long long>(duration.count() / 1000),
                             static_cast<int>(duration.count() % 1000));
  return std::string(text.data(), static_cast<std::size_t>(length));
}

// Without its ending.
std::string suggested_name(const RecordingRow& row) {
  return row.is_primary ? "session-" + row.session.text() : "recording-" + row.id.text();
}

std::string file_link(const Request& request, const RecordingRow& row) {
  return "http://" + host_of(request) + "/v1/sessions/" + row.session.text() + "/recordings/" +
         row.id.text() + "/fetch";
}

json::object to_json(const Request& request, const RecordingRow& row) {
  return {
      {"id", row.id.text()},
      {"is_primary", row.is_primary},
      {"file_link", file_link(request, row)},
      {"suggested_file_name", suggested_name(row) + ".mp4"},
      {"duration", to_seconds(row.progress.duration)},
      {"size", row.progress.bytes},
      {"created_at", to_rfc3339(row.created_at)},
      {"status", to_text(row.progress.state)},
      {"width", row.width},
      {"height", row.height},
      {"note", row.progress.note},
  };
}

OfferedFile offer(const RecordingFile& file, std::string content_type, std::string_view ending) {
  return {.file = file.open.file,
          .size = file.open.bytes,
          .etag = "\"" + file.row.id.text() + "-" + file.open.version + "\"",
          .content_type = std::move(content_type),
          .name = suggested_name(file.row) + std::string(ending)};
}

}  // namespace

Async<SessionId> RecordingRoutes::session_of(const Call* call) {
  SessionId id = call->id<SessionId>("sessionId", "session");
  co_await sessions_.view(call->caller.team, id);
  co_await sessions_.end_stored(id);
  co_return id;
}

Async<Response> RecordingRoutes::list(Call call) {
  SessionId session = co_await session_of(&call);
  json::array items;
  for (const RecordingRow& row : co_await recordings_.list(call.caller.team, session)) {
    items.push_back(to_json(call.request, row));
  }
  std::size_t count = items.size();
  co_return data_response(json::object{{"count", count}, {"items", std::move(items)}});
}

Async<Response> RecordingRoutes::fetch_primary(Call call) {
  return fetch_one(std::move(call), "primary");
}

Async<Response> RecordingRoutes::fetch(Call call) {
  std::string which = call.field("recordingId");
  return fetch_one(std::move(call), std::move(which));
}

Async<Response> RecordingRoutes::fetch_one(Call call, std::string which) {
  SessionId session = co_await session_of(&call);
  RecordingFile video =
      co_await recordings_.open_video(call.caller.team, session, std::move(which));
  co_return file_response(offer(video, "video/mp4", ".mp4"), call.request);
}

Async<Response> RecordingRoutes::fetch_by_link(Call call) {
  const LiveLinks::Link link =
      sessions_.live_links()
          .seen_by(call.field("token"), call.request.query_value("ticket").value_or(""))
          .link;
  co_await sessions_.end_stored(link.session);
  RecordingFile video = co_await recordings_.open_video(link.team, link.session, "primary");
  co_return file_response(offer(video, "video/mp4", ".mp4"), call.request);
}

Async<Response> RecordingRoutes::timeline(Call call) {
  SessionId session = co_await session_of(&call);
  RecordingFile timeline =
      co_await recordings_.open_timeline(call.caller.team, session, call.field("recordingId"));
  co_return file_response(offer(timeline, "application/json", ".json"), call.request);
}

Async<Response> RecordingRoutes::remove(Call call) {
  SessionId session = co_await session_of(&call);
  co_await recordings_.remove(call.caller.team, session, call.field("recordingId"));
  co_return data_response(json::object{{"status", "success"}});
}

Async<std::shared_ptr<Recorder>> RecordingRoutes::recorder_of(const Call* call) {
  SessionId id = call->id<SessionId>("sessionId", "session");
  std::shared_ptr<Session> session = co_await sessions_.find_running(call->caller.team, id);
  if (!session->recorder()) {
    throw Error(ErrorCode::invalid_argument, "session " + id.text() + " is not recorded");
  }
  if (session->recorder()->has_ended()) {
    throw Error(ErrorCode::conflict, "the recording of session " + id.text() +
                                         " has ended; the list of recordings tells why");
  }
  co_return session->recorder();
}

Async<Response> RecordingRoutes::pause(Call call) {
  (co_await recorder_of(&call))->pause();
  co_return data_response(json::object{{"data", json::object{{"status", "paused"}}}});
}

Async<Response> RecordingRoutes::resume(Call call) {
  (co_await recorder_of(&call))->resume();
  co_return data_response(json::object{{"data", json::object{{"status", "recording"}}}});
}

}  // namespace capstan
