#pragma once

#include "access/teams.h"
#include "api/call.h"

namespace capstan {

// What the operator of this server does to its data folder while the server has it: `capstan keys`
// asks here, because no two processes may open the database at once.
class OperatorRoutes {
 public:
  explicit OperatorRoutes(Teams& teams) : teams_(teams) {}

  Async<Response> create_key(Call call);
  Async<Response> keys(Call call);
  Async<Response> revoke_key(Call call);

 private:
  Teams& teams_;
};

// The same shapes for who works on the data folder without a server.
json::object to_json(const NewApiKey& made);
json::object to_json(const std::vector<ApiKeyInfo>& keys);

}  // namespace capstan
