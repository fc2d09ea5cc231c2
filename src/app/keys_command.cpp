#include "app/keys_command.h"

#include "api/operator_routes.h"
#include "app/command_loop.h"
#include "app/table.h"
#include "app/task_calls.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// A server has the folder, but can't be asked, while it starts and while it stops.
constexpr auto access_limit = 40s;
constexpr auto access_look_interval = 50ms;

// The folder itself, or the server that has it.
Async<std::variant<DataFolder, OperatorAccess>> find_access(std::filesystem::path path) {
  SystemClock clock;
  SteadyTime deadline = clock.now() + access_limit;
  while (true) {
    auto folder = outcome_of_call([&] { return DataFolder(path); });
    if (folder.ok()) {
      co_return std::move(folder).take();
    }
    if (folder.error().code() != ErrorCode::conflict) {
      throw Error(folder.error());
    }
    if (auto server = read_operator_file(DataFolder::operator_file(path))) {
      co_return std::move(*server);
    }
    if (clock.now() > deadline) {
      throw Error(ErrorCode::unavailable,
                  folder.error().message() + ", which doesn't say how to ask it");
    }
    co_await clock.sleep(access_look_interval);
  }
}

}  // namespace

KeysCommand::KeysCommand(CLI::App& command) {
  command.require_subcommand(1);
  create_ = command.add_subcommand("create", "Make a key, and print it this once");
  create_->add_option("--team", team_, "The team it is for; made if there is none of that name");
  create_->add_option("--name", name_, "What to call the key");
  list_ = command.add_subcommand("list", "List keys, without the keys themselves");
  revoke_ = command.add_subcommand("revoke", "Make a key invalid");
  revoke_->add_option("ID", id_, "The key's id, from `keys list`")->required();
  for (CLI::App* subcommand : {create_, list_, revoke_}) {
    add_config_flags(*subcommand, flags_);
    subcommand->add_flag("--json", json_, "Print JSON");
  }
}

ExitCode KeysCommand::run() {
  Config config = read_config(flags_, environment_of_process());
  asio::io_context loop(1);
  auto access = run_on(loop, find_access(config.data));
  loop.restart();
  auto* folder = std::get_if<DataFolder>(&access);
  show(folder != nullptr ? run_on(loop, work_on(std::move(*folder)))
                         : ask(std::get<OperatorAccess>(access)));
  return ExitCode::ok;
}

Async<json::value> KeysCommand::work_on(DataFolder folder) {
  Database database(folder.database());
  SystemClock clock;
  SystemRandom random;
  Teams teams(database, clock, random);
  if (create_->parsed()) {
    auto made = co_await outcome_of(teams.create_key(team_, name_));
    if (!made.ok() && made.error().code() == ErrorCode::invalid_argument) {
      throw Error(ErrorCode::unprocessable, made.error().message());  // as a server refuses it
    }
    co_return to_json(std::move(made).take());
  }
  if (list_->parsed()) {
    co_return to_json(co_await teams.keys());
  }
  auto id = ApiKeyId::parse(id_);
  if (!id || !co_await teams.revoke_key(*id)) {
    throw Error(ErrorCode::not_found, "no valid key has the id " + id_);
  }
  co_return json::object{{"success", true}};
}

json::value KeysCommand::ask(const OperatorAccess& server) {
  ApiClient api(server.url, {"capstan-operator-token", server.token});
  if (create_->parsed()) {
    return api.post("/operator/keys", {{"team", team_}, {"name", name_}});
  }
  if (list_->parsed()) {
    return api.get("/operator/keys");
  }
  return api.del("/operator/keys/" + encode_percent(id_));
}

void KeysCommand::show(const json::value& data) const {
  if (json_) {
    print(data);
  } else if (create_->parsed()) {
    print(text_in(data.as_object(), "key"));
  } else if (list_->parsed()) {
    std::vector<TableRow> rows{{"ID", "TEAM", "NAME", "CREATED", "REVOKED"}};
    for (const json::value& item : data.at("keys").as_array()) {
      const json::object& key = item.as_object();
      rows.push_back({text_in(key, "id"), text_in(key, "team"), text_in(key, "name"),
                      text_in(key, "created_at"), text_in(key, "revoked_at")});
    }
    print(to_table(rows));
  }
}

}  // namespace capstan
