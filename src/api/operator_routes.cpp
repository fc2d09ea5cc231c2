#include "api/operator_routes.h"

namespace capstan {

json::object to_json(const NewApiKey& made) { return {{"id", made.id.text()}, {"key", made.key}}; }

json::object to_json(const std::vector<ApiKeyInfo>& keys) {
  json::array items;
  for (const ApiKeyInfo& key : keys) {
    json::object item{{"id", key.id.text()},
                      {"team", key.team_name},
                      {"name", key.name},
                      {"created_at", to_rfc3339(key.created_at)}};
    if (key.revoked_at) {
      item["revoked_at"] = to_rfc3339(*key.revoked_at);
    }
    items.push_back(std::move(item));
  }
  return {{"keys", std::move(items)}};
}

Async<Response> OperatorRoutes::create_key(Call call) {
  json::object body = call.body();
  Fields in(body);
  std::string team = in.required_string("team");
  std::string name = in.required_string("name");
  in.done();
  co_return data_response(to_json(co_await teams_.create_key(std::move(team), std::move(name))));
}

Async<Response> OperatorRoutes::keys(Call) {
  co_return data_response(to_json(co_await teams_.keys()));
}

Async<Response> OperatorRoutes::revoke_key(Call call) {
  auto id = call.id<ApiKeyId>("keyId", "key");
  if (!co_await teams_.revoke_key(id)) {
    throw Error(ErrorCode::not_found, "no valid key has the id " + id.text());
  }
  co_return data_response(json::object{{"success", true}, {"message", "API key revoked"}});
}

}  // namespace capstan
