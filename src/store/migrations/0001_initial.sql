-- Times are milliseconds since 1970 in UTC, flags 0 or 1, JSON is kept as text.

create table teams (
  id text primary key,
  name text not null unique,
  created_at bigint not null
);

create table api_keys (
  id text primary key,
  team_id text not null references teams (id),
  name text not null,
  hash text not null unique,        -- SHA-256 of the key; the key itself is never stored
  created_at bigint not null,
  revoked_at bigint
);

create table tasks (
  id text primary key,
  team_id text not null references teams (id),
  name text not null,
  description text,
  browser_configuration text,       -- for versions that don't bring their own; passwords sealed
  last_number bigint not null,      -- highest version number ever given; numbers are not reused
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint
);
-- A deleted task's name can be used again.
create unique index tasks_by_name on tasks (team_id, name) where deleted_at is null;

create table task_versions (
  id text primary key,
  task_id text not null references tasks (id),
  number bigint not null,           -- 0 is the draft
  code text not null,               -- base64, as it was sent
  bundle_hash text not null,
  language text not null,
  description text,
  browser_configuration text,
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint
);
create unique index task_versions_by_number on task_versions (task_id, number)
  where deleted_at is null;

-- What the bundler made of a source text, by the hash of that text.
create table bundles (
  hash text primary key,
  code text not null
);

create table runs (
  id text primary key,
  team_id text not null references teams (id),
  task_id text not null references tasks (id),
  task_version_id text not null references task_versions (id),
  version text not null,
  status text not null check (
    status in ('queued', 'running', 'success', 'failure', 'timeout', 'cancelled')),
  attempt bigint not null,          -- fences every later write: one by an older attempt is void
  settings text not null,           -- inputs, session and the like, passwords sealed; '' once ended
  output text,
  error text,
  server_failed bigint not null default 0,  -- the failure is the server's, not the code's
  session_ids text,
  accepted_at bigint not null,
  started_at bigint,
  finished_at bigint
);
create index runs_by_task on runs (task_id, accepted_at desc, id desc);
create index runs_open on runs (status, accepted_at, id) where status in ('queued', 'running');

-- The console lines of a run, in pieces of several lines.
create table run_logs (
  run_id text not null references runs (id),
  piece bigint not null,
  lines text not null,
  primary key (run_id, piece)
);

create table idempotency_keys (
  team_id text not null references teams (id),
  key text not null,
  request_hash text not null,
  run_id text not null references runs (id),
  created_at bigint not null,
  primary key (team_id, key)
);

create table sessions (
  id text primary key,
  team_id text not null references teams (id),
  run_id text,
  status text not null,
  configuration text not null,      -- as it is told to callers, so without secrets
  proxy_bytes bigint not null default 0,
  limits_met text not null default '[]',
  created_at bigint not null,
  ended_at bigint
);
create index sessions_by_team on sessions (team_id, created_at desc);
create index sessions_open on sessions (status) where status = 'running';
