-- Capture: what the store's triggers write, what the collector remembers, and who is at work.

create table bridge.worker (
  id uuid primary key,
  process text not null,
  host text not null,
  pid integer not null,
  version text not null,
  started_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  status text not null default '{}'
);
comment on table bridge.worker is 'One row per running worker: its lease. An expired row is deleted by any other worker, which frees what it owned.';

create table bridge.lease (
  name text primary key,
  owner uuid references bridge.worker (id) on delete set null,
  epoch bigint not null default 0
);
comment on table bridge.lease is 'Named leases of which one worker at a time is the owner; the epoch fences out a former one.';
insert into bridge.lease (name) values ('collector');

create table bridge.outbox (
  id bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null default clock_timestamp(),
  kind text not null,
  table_name text not null,
  row_id text,
  op text not null,
  parent text,
  parent_old text,
  delta numeric,
  origin text
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
comment on table bridge.outbox is 'That a row of the store changed, written by triggers in the transaction that changed it. No unique key: a trigger must not be able to fail.';
create index outbox_xid_id on bridge.outbox (xid, id);

-- What triggers need to know. Sequences, since a trigger reads those without a plan, a lock or a snapshot.
create sequence bridge.pulse_asleep minvalue 0;
comment on sequence bridge.pulse_asleep is '1 while the collector sleeps: then notify it.';
create sequence bridge.pulse_collected_id minvalue 0;
comment on sequence bridge.pulse_collected_id is 'How far the collector has come in the outbox: the fuse blows so many ids later.';
create sequence bridge.pulse_fuse_rows minvalue 0;
comment on sequence bridge.pulse_fuse_rows is 'By how many ids the collector may be behind before triggers stop recording.';
select setval('bridge.pulse_asleep', 0), setval('bridge.pulse_collected_id', 0), setval('bridge.pulse_fuse_rows', 1000000);

create table bridge.watched (
  table_name text primary key,
  kind text not null,
  installed_at timestamptz not null default clock_timestamp()
);
comment on table bridge.watched is 'Tables that have had their triggers: where they are missing now, changes went unseen.';

create table bridge.gap (
  id bigint generated always as identity primary key,
  kind text not null,
  reason text not null,
  table_name text,
  opened_at timestamptz not null default clock_timestamp(),
  closed_at timestamptz
);
comment on table bridge.gap is 'A time in which changes of a kind were not recorded (TRUNCATE, fuse, missing triggers); open until reconciled.';
create index gap_open on bridge.gap (kind) where closed_at is null;

create table bridge.baseline (
  aggregate text not null,
  part text not null,
  digest text,
  level numeric,
  natural_key text,
  shape integer not null,
  told text,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz,
  primary key (aggregate, part)
);
comment on table bridge.baseline is 'What was last announced of each aggregate. Only the collector writes it.';
comment on column bridge.baseline.changed_at is 'Of a catalogue: when the shop itself last changed it; older updates from a hub are refused.';
comment on column bridge.baseline.told is 'With orders: generic, the raw order that was last announced: what order:updated tells previous and diff from.';

create table bridge.stock_ledger (
  variant_id text not null,
  stock_item_id text,
  stock_location_id text,
  delta numeric not null,
  origin text,
  at timestamptz not null
) partition by range (at);
comment on table bridge.stock_ledger is 'Each stock delta that was collected, for "as of" levels and for reconcile; dropped by partitions.';
create table bridge.stock_ledger_default partition of bridge.stock_ledger default;
create index stock_ledger_variant_at on bridge.stock_ledger (variant_id, at);

create table bridge.seeding (
  kind text primary key,
  last_id text not null default '0',
  finished_at timestamptz,
  last_variant text
);
comment on column bridge.seeding.last_variant is 'The last variant that was there when the seeding of products ended: of later ones every change was recorded.';
comment on table bridge.seeding is 'How far the silent seeding of baselines has come; until it is finished, a missing baseline does not mean new.';
insert into bridge.seeding (kind) values ('product'), ('order');

create table bridge.tally (
  at timestamptz not null default clock_timestamp(),
  changes bigint not null default 0,
  told bigint not null default 0,
  silent bigint not null default 0,
  unmapped bigint not null default 0,
  messages bigint not null default 0,
  last_message bigint not null default 0
);
comment on table bridge.tally is 'What became of the changes that each pass of the collector took: the proof of reconcile adds it up. The first row is where the count begins.';
insert into bridge.tally default values;

create table bridge.reconciliation (
  singleton boolean primary key default true check (singleton),
  due_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  report text
);
comment on table bridge.reconciliation is 'When the store was last compared with what was announced, what came of it, and since when it is due again.';
insert into bridge.reconciliation default values;

create table bridge.backfill (
  entity text not null,
  since text not null,
  condition text not null,
  since_at timestamptz,
  position text not null default '0',
  last_id text not null,
  expected bigint not null,
  asked bigint not null default 0,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz default clock_timestamp(),
  finished_at timestamptz,
  primary key (entity, since, condition)
);
comment on table bridge.backfill is 'How far each backfill has come, by what was asked for as it was written: the same command goes on there.';
comment on column bridge.backfill.seen_at is 'When a process last worked at it, or waited for room; null where it stopped in order.';

create table bridge.unmapped (
  aggregate text primary key,
  reason text not null,
  at timestamptz not null default clock_timestamp()
);
comment on table bridge.unmapped is 'Aggregates whose state could not be made into a message: parked, one entry each, until a later change or a retry maps.';

create table bridge.withheld (
  type text not null,
  withheld_by text not null check (withheld_by in ('announce', 'filters', 'dialect')),
  count bigint not null,
  since timestamptz not null default clock_timestamp(),
  last_at timestamptz not null default clock_timestamp(),
  last_aggregate text not null,
  primary key (type, withheld_by)
);
comment on table bridge.withheld is 'Messages that the configuration or the hub''s dialect keeps back, counted: so that none is missing without a word.';

create table bridge.shadow (
  type text primary key,
  trial text not null,
  compared bigint not null,
  differing bigint not null,
  since timestamptz not null default clock_timestamp()
);
comment on table bridge.shadow is 'How many messages a configuration on trial has shaped beside the live one, and how many otherwise.';

create table bridge.shadow_difference (
  type text not null references bridge.shadow (type) on delete cascade,
  path text not null,
  count bigint not null,
  live text not null,
  shadow text not null,
  last_at timestamptz not null default clock_timestamp(),
  last_aggregate text not null,
  primary key (type, path)
);
comment on table bridge.shadow_difference is 'Where in the payload the two differed, how often, and about what the last time, without the values.';

create table bridge.installation (
  singleton boolean primary key default true check (singleton),
  id uuid not null default gen_random_uuid(),
  system_identifier text,
  database_name text not null,
  database_oid text not null,
  host text,
  hub_url text,
  hub_store_id text,
  store_schema text,
  installed boolean not null default true,
  adopted_at timestamptz not null default clock_timestamp()
);
comment on table bridge.installation is 'Which database, store and hub this installation belongs to; a copy must not send.';

create table bridge.alarm (
  cause text not null,
  subject text not null,
  text text not null,
  first_seen_at timestamptz not null default clock_timestamp(),
  last_seen_at timestamptz not null default clock_timestamp(),
  raised_at timestamptz,
  recovered_at timestamptz,
  webhook_told text check (webhook_told in ('raised', 'recovered')),
  mail_told text check (mail_told in ('raised', 'recovered')),
  attempts integer not null default 0,
  next_try_at timestamptz not null default clock_timestamp(),
  last_error text,
  primary key (cause, subject)
);
comment on table bridge.alarm is 'What is the matter and a person has to know, and who was told of it: each change of state once, whichever process sees it. A row goes when it is over and told.';

-- The queue: messages on their way to the hub, in order per aggregate.

create table bridge.lane (
  lane integer primary key,
  owner uuid references bridge.worker (id) on delete set null,
  epoch bigint not null default 0,
  clean boolean not null default true,
  revision bigint not null default 0
);
comment on table bridge.lane is 'Shares of the queue, each worked by one owner at a time; clean: given back in order, nothing was in flight; revision: raised when a person changes messages, so that the owner reads them anew.';
insert into bridge.lane (lane) select generate_series(0, 63);

create table bridge.message (
  id bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  lane integer not null,
  aggregate text not null,
  key uuid not null default gen_random_uuid(),
  type text not null,
  payload text not null,
  subject text,
  state text not null default 'waiting' check (state in ('waiting', 'failing', 'parked')),
  attempts integer not null default 0,
  due timestamptz not null default clock_timestamp(),
  last_error text,
  changed_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp()
) with (toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
-- A compressed order of five kilobytes then stays in its row: moving it to the history costs half as much.
comment on table bridge.message is 'Messages not yet accepted by the hub; what is done leaves at once.';
comment on column bridge.message.subject is 'What the told state is of: a newer message of the aggregate and type with the same subject makes this one old news. Null: each message counts.';
create index message_lane_xid_id on bridge.message (lane, xid, id);
create index message_aggregate_xid_id on bridge.message (aggregate, xid, id);
create index message_parked on bridge.message (id) where state <> 'waiting';

create table bridge.paused (
  type text primary key,
  paused_at timestamptz not null default clock_timestamp()
);
comment on table bridge.paused is 'Message types that a person has paused: they wait, and what comes behind them in their aggregates waits as well. Whoever changes it raises the revision of the lanes.';

create table bridge.history (
  id bigint not null,
  aggregate text not null,
  key uuid not null,
  type text not null,
  payload text not null,
  subject text,
  state text not null check (state in ('done', 'discarded', 'superseded')),
  attempts integer not null,
  last_error text,
  answer text,
  changed_at timestamptz not null,
  created_at timestamptz not null,
  finished_at timestamptz not null default clock_timestamp()
) partition by range (finished_at);
comment on table bridge.history is 'Finished messages, partitioned by day and dropped by retention; the default partition keeps an insert from ever failing.';
create table bridge.history_default partition of bridge.history default with (toast_tuple_target = 4080);
create index history_id on bridge.history (id);
create index history_not_done on bridge.history (id) where state <> 'done';
create index history_aggregate on bridge.history (aggregate, finished_at);

create table bridge.acknowledged (
  aggregate text not null,
  type text not null,
  at timestamptz not null,
  primary key (aggregate, type)
);
comment on table bridge.acknowledged is 'When the hub last accepted a message of this type about this aggregate: the echo rule asks for it.';

-- A payload of a few kilobytes lies just above the threshold of compression; lz4 costs a third of pglz, where the server has it.
do $lz4$
begin
  -- As text: PostgreSQL 13 does not know the words, and would refuse the whole block.
  execute 'alter table bridge.message alter column payload set compression lz4';
  execute 'alter table bridge.history alter column payload set compression lz4';
  execute 'alter table bridge.baseline alter column told set compression lz4';
exception when syntax_error or feature_not_supported or invalid_parameter_value then
  null;
end
$lz4$;
