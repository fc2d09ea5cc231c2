-- The videos of sessions. Their bytes lie in files, one for each row.
create table recordings (
  id text primary key,
  session_id text not null references sessions (id),
  team_id text not null references teams (id),
  is_primary bigint not null,
  state text not null check (
    state in ('recording', 'finalizing', 'ready', 'partial', 'failed')),
  created_at bigint not null,
  ended_at bigint,                  -- set in the last three states
  duration_ms bigint not null,
  bytes bigint not null,
  width bigint not null,
  height bigint not null,
  note text not null                -- why it is partial or failed
);
create index recordings_by_session on recordings (session_id, created_at, id);
create unique index recordings_primary on recordings (session_id) where is_primary = 1;
create index recordings_open on recordings (state) where state in ('recording', 'finalizing');
create index recordings_by_end on recordings (ended_at, id) where ended_at is not null;
