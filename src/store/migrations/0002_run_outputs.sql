-- Outputs are long, and most who look at runs don't want them.
create table run_outputs (
  run_id text primary key references runs (id),
  output text not null              -- JSON
);
insert into run_outputs select id, output from runs where output is not null;
alter table runs drop column output;
