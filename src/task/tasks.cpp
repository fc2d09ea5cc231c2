#include "task/tasks.h"

#include "base/secret.h"
#include "base/take_over.h"
#include "base/text.h"

namespace capstan {
namespace {

constexpr std::string_view language = "typescript";

Error no_such_task(const TaskId& id) { return Error(ErrorCode::not_found, "no task " + id.text()); }

Error no_such_version(const VersionSelector& which) {
  if (which.kind == VersionSelector::Kind::latest) {
    return Error(ErrorCode::not_found, "the task has no version yet; create a draft or deploy it");
  }
  return Error(ErrorCode::not_found, "the task has no version " + which.text());
}

Task need_task(Transaction& tx, const TeamId& team, const TaskId& id) {
  auto task = task_table::find(tx, team, id);
  if (!task) {
    throw no_such_task(id);
  }
  return std::move(*task);
}

TaskVersion need_version(Transaction& tx, const TaskId& task, const VersionSelector& which) {
  auto version = task_table::find_version(tx, task, which);
  if (!version) {
    throw no_such_version(which);
  }
  return std::move(*version);
}

VersionSelector numbered(std::int64_t number) { return {VersionSelector::Kind::number, number}; }

}  // namespace

Tasks::Tasks(Database& database, Clock& clock, Random& random, Bundler& bundler, TaskLimits limits)
    : database_(database), clock_(clock), random_(random), bundler_(bundler), limits_(limits) {}

Async<Tasks::Bundle> Tasks::check_code(std::string name, std::string base64) {
  auto source = decode_base64(base64);
  if (base64.empty() || !source) {
    throw Error(ErrorCode::invalid_argument,
                "code must be base64 without line breaks (base64 -w0), and not empty");
  }
  if (source->size() > limits_.code_bytes_max) {
    throw Error(ErrorCode::invalid_argument, "code must not be longer than " +
                                                 std::to_string(limits_.code_bytes_max) +
                                                 " bytes once decoded");
  }
  if (!is_utf8(*source)) {
    throw Error(ErrorCode::invalid_argument, "code must be UTF-8 once decoded");
  }
  // The name is part of it because error stacks name the file after the task.
  Bundle bundle{.code = std::move(base64), .hash = sha256_hex(name + '\0' + *source), .text = {}};
  bool is_known = co_await database_.read([hash = bundle.hash](Transaction& tx) {
    return task_table::find_bundle(tx, hash).has_value();
  });
  if (!is_known) {
    bundle.text = co_await bundler_.bundle(std::move(name), std::move(*source));
  }
  co_return bundle;
}

Async<std::optional<Tasks::Bundle>> Tasks::check_code_of(TeamId team, TaskId id,
                                                         std::optional<std::string> base64) {
  if (!base64) {
    co_return std::nullopt;
  }
  Task task = co_await find(team, id);
  co_return co_await check_code(task.name, std::move(*base64));
}

TaskVersion Tasks::make_version(const TaskId& task, std::int64_t number, const Bundle& bundle,
                                const NewVersion& version) {
  WallTime now = clock_.wall_now();
  return {
      .id = TaskVersionId::make(now, random_),
      .task = task,
      .number = number,
      .code = bundle.code,
      .bundle_hash = bundle.hash,
      .language = std::string(language),
      .description = version.description,
      .browser_configuration = version.browser_configuration,
      .created_at = now,
      .updated_at = now,
  };
}

namespace {

void put(Transaction& tx, const TaskVersion& version, const std::string& bundle) {
  if (!bundle.empty()) {
    task_table::put_bundle(tx, version.bundle_hash, bundle);
  }
  task_table::raise_last_number(tx, version.task, version.number);
  task_table::put_version(tx, version);
}

}  // namespace

Async<std::pair<Task, std::optional<TaskVersion>>> Tasks::create(TeamId team, NewTask order) {
  std::optional<Bundle> bundle;
  if (order.version.code) {
    bundle = co_await check_code(order.name, *order.version.code);
  }
  WallTime now = clock_.wall_now();
  Task fresh{.id = TaskId::make(now, random_),
             .team = team,
             .name = order.name,
             .description = order.version.description,
             .browser_configuration = order.version.browser_configuration,
             .created_at = now,
             .updated_at = now,
             .latest = {}};
  std::optional<TaskVersion> draft;
  if (bundle) {
    draft = make_version(fresh.id, draft_number, *bundle, order.version);
  }
  co_return co_await database_.write([=](Transaction& tx) {
    auto known = task_table::find_by_name(tx, team, order.name);
    if (known) {
      take_over(known->description, fresh.description);
      take_over(known->browser_configuration, fresh.browser_configuration);
      known->updated_at = now;
      task_table::update(tx, *known);
    } else {
      task_table::insert(tx, fresh);
    }
    const TaskId& id = known ? known->id : fresh.id;
    if (draft) {
      TaskVersion version = *draft;
      version.task = id;
      put(tx, version, bundle->text);
    }
    return std::pair(need_task(tx, team, id), task_table::find_version(tx, id, {}));
  });
}

Async<TaskPage> Tasks::list(TeamId team, std::optional<std::string> name, std::int64_t page,
                            std::int64_t limit) {
  co_return co_await database_.read([=](Transaction& tx) {
    TaskPage result{.tasks = {}, .total = task_table::count(tx, team, name)};
    std::size_t code_bytes = 0;
    for (Task& task : task_table::list(tx, team, name, (page - 1) * limit, limit)) {
      std::optional<TaskVersion> latest;
      if (code_bytes <= listed_text_bytes_max) {
        latest = task_table::find_version(tx, task.id, {});
        code_bytes += latest ? latest->code.size() : 0;
      }
      if (code_bytes > listed_text_bytes_max) {
        latest.reset();
      }
      result.tasks.emplace_back(std::move(task), std::move(latest));
    }
    return result;
  });
}

Async<Task> Tasks::find(TeamId team, TaskId id) {
  co_return co_await database_.read([=](Transaction& tx) { return need_task(tx, team, id); });
}

Async<Task> Tasks::change(TeamId team, TaskId id, TaskChange change) {
  WallTime now = clock_.wall_now();
  auto changed = co_await outcome_of(database_.write([=](Transaction& tx) {
    Task task = need_task(tx, team, id);
    if (change.name) {
      task.name = *change.name;
    }
    take_over(task.description, change.description);
    task.updated_at = now;
    task_table::update(tx, task);
    return task;
  }));
  if (!changed.ok() && changed.error().code() == ErrorCode::conflict) {
    throw Error(ErrorCode::conflict, "another task is named " + change.name.value_or(""));
  }
  co_return std::move(changed).take();
}

Async<> Tasks::remove(TeamId team, TaskId id) {
  WallTime now = clock_.wall_now();
  co_await database_.write([=](Transaction& tx) {
    need_task(tx, team, id);
    task_table::remove(tx, id, now);
  });
}

Async<std::vector<ListedVersion>> Tasks::versions(TeamId team, TaskId id) {
  co_return co_await database_.read([=](Transaction& tx) {
    need_task(tx, team, id);
    return task_table::versions(tx, id);
  });
}

Async<TaskVersion> Tasks::version(TeamId team, TaskId id, VersionSelector which) {
  co_return co_await database_.read([=](Transaction& tx) {
    need_task(tx, team, id);
    return need_version(tx, id, which);
  });
}

Async<TaskVersion> Tasks::write_draft(TeamId team, TaskId id, NewVersion version) {
  std::optional<Bundle> bundle = co_await check_code_of(team, id, version.code);
  if (!bundle) {
    throw Error(ErrorCode::invalid_argument, "code is required");
  }
  TaskVersion draft = make_version(id, draft_number, *bundle, version);
  co_return co_await database_.write([=](Transaction& tx) {
    need_task(tx, team, id);
    put(tx, draft, bundle->text);
    return need_version(tx, id, numbered(draft_number));
  });
}

Async<TaskVersion> Tasks::deploy(TeamId team, TaskId id, NewVersion version) {
  std::optional<Bundle> bundle = co_await check_code_of(team, id, version.code);
  TaskVersion made = make_version(id, draft_number, bundle.value_or(Bundle{}), version);
  co_return co_await database_.write([=](Transaction& tx) {
    need_task(tx, team, id);
    TaskVersion published = made;
    if (!bundle) {
      auto draft = task_table::find_version(tx, id, numbered(draft_number));
      if (!draft) {
        throw Error(ErrorCode::invalid_argument,
                    "code is required, because the task has no draft to deploy");
      }
      published.code = draft->code;
      published.bundle_hash = draft->bundle_hash;
      if (!published.description) {
        published.description = draft->description;
      }
      if (!published.browser_configuration) {
        published.browser_configuration = draft->browser_configuration;
      }
    }
    published.number = task_table::last_number(tx, id) + 1;
    put(tx, published, bundle ? bundle->text : std::string());
    return published;
  });
}

Async<TaskVersion> Tasks::publish(TeamId team, TaskId id, std::int64_t number, NewVersion version) {
  std::optional<Bundle> bundle = co_await check_code_of(team, id, version.code);
  TaskVersion made = make_version(id, number, bundle.value_or(Bundle{}), version);
  co_return co_await database_.write([=](Transaction& tx) {
    need_task(tx, team, id);
    auto known = task_table::find_version(tx, id, numbered(number));
    if (known) {
      if (bundle && bundle->hash != known->bundle_hash) {
        throw Error(ErrorCode::conflict, "version " + std::to_string(number) +
                                             " is published and can't change; deploy a new one");
      }
      take_over(known->description, made.description);
      take_over(known->browser_configuration, made.browser_configuration);
      known->updated_at = made.updated_at;
      task_table::put_version(tx, *known);
      return *known;
    }
    if (number <= task_table::last_number(tx, id)) {
      throw Error(ErrorCode::conflict,
                  "version number " + std::to_string(number) +
                      " was passed already, and numbers are not used again; deploy instead");
    }
    if (!bundle) {
      throw Error(ErrorCode::invalid_argument, "code is required for a new version");
    }
    put(tx, made, bundle->text);
    return made;
  });
}

Async<> Tasks::remove_version(TeamId team, TaskId id, VersionSelector which) {
  WallTime now = clock_.wall_now();
  co_await database_.write([=](Transaction& tx) {
    need_task(tx, team, id);
    task_table::remove_version(tx, need_version(tx, id, which).id, now);
  });
}

}  // namespace capstan
