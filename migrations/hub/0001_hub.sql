-- The hub: its stores, their mappings and parameters, and the two queues that a message passes.

create table hub.worker (
  id uuid primary key,
  process text not null,
  host text not null,
  pid integer not null,
  version text not null,
  started_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  status text not null default '{}'
);
comment on table hub.worker is 'One row per running hub: its lease. An expired row is deleted by any other, which frees what it owned.';

create table hub.store (
  id text primary key,
  name text not null,
  created_at timestamptz not null default clock_timestamp()
);

create table hub.token (
  digest bytea primary key,
  store_id text not null references hub.store (id) on delete cascade,
  created_at timestamptz not null default clock_timestamp()
);
comment on table hub.token is 'What a pusher sends in X-Augury-Token, as its SHA-256: the token itself is told once, when it is made.';

create table hub.mapping (
  id text primary key,
  store_id text not null references hub.store (id) on delete cascade,
  name text not null,
  url text not null,
  token text not null,
  messages text[] not null check (cardinality(messages) > 0),
  parameters text[] not null default '{}',
  filters jsonb not null default '[]',
  options jsonb not null default '{"retries_allowed": true}',
  enabled boolean not null default true,
  required boolean not null default false,
  is_store boolean not null default false,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
comment on column hub.mapping.is_store is 'The mapping to the store''s own webhook: what the store itself has pushed, and what follows from it, never goes there.';
comment on column hub.mapping.filters is 'All have to hold of a message for the mapping to get it: path, operator, value, match_rule.';
create index mapping_store on hub.mapping (store_id);

create table hub.parameter (
  id text primary key,
  store_id text not null references hub.store (id) on delete cascade,
  name text not null,
  value jsonb not null,
  data_type text not null default 'string' check (data_type in ('string', 'integer', 'float', 'boolean', 'list')),
  updated_at timestamptz not null default clock_timestamp(),
  unique (store_id, name)
);
comment on table hub.parameter is 'Values that mappings add to what they deliver; consumers move them on in their answers.';

create table hub.idempotency (
  store_id text not null references hub.store (id) on delete cascade,
  key text not null,
  message_id text not null,
  fingerprint bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (store_id, key)
);
comment on table hub.idempotency is 'Idempotency-Key of each push of the last 14 days: a repeat is answered with the first message_id and adds no message.';
comment on column hub.idempotency.fingerprint is 'SHA-256 of type and payload: the same key with another message is refused.';
create index idempotency_created on hub.idempotency (created_at);

create table hub.seen_type (
  store_id text not null references hub.store (id) on delete cascade,
  type text not null,
  primary key (store_id, type)
);
comment on table hub.seen_type is 'Message types that were routed for a store: part of available_messages.';

create table hub.raw_order (
  store_id text not null references hub.store (id) on delete cascade,
  number text not null,
  payload text not null,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (store_id, number)
);
comment on table hub.raw_order is 'The last known raw order of each number: what order:new, order:updated and order:canceled are told from.';

create table hub.notification (
  id text primary key,
  store_id text not null references hub.store (id) on delete cascade,
  message_id text not null,
  level text not null check (level in ('info', 'warn', 'error')),
  subject text not null,
  description text not null,
  origin text not null default '',
  occurrences integer not null default 1,
  reference_type text,
  reference_id text,
  reference_token text,
  logged_on timestamptz not null default clock_timestamp(),
  last_update timestamptz not null default clock_timestamp()
);
create unique index notification_identity on hub.notification (message_id, level, md5(subject), md5(description));
create index notification_store on hub.notification (store_id, last_update);
create index notification_last_update on hub.notification (last_update);

create table hub.alarm (
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
comment on table hub.alarm is 'What is the matter and a person has to know, and who was told of it: each change of state once, whichever process sees it. A row goes when it is over and told.';

-- Both queues count from one sequence, so that an id names one message in the archive.
create sequence hub.message_id;

-- Incoming: pushed or produced, not yet routed.
create table hub.incoming_lane (
  lane integer primary key,
  owner uuid references hub.worker (id) on delete set null,
  epoch bigint not null default 0,
  clean boolean not null default true,
  revision bigint not null default 0
);
insert into hub.incoming_lane (lane) select generate_series(0, 15);

create table hub.incoming (
  id bigint primary key default nextval('hub.message_id'),
  xid xid8 not null default pg_current_xact_id(),
  lane integer not null,
  aggregate text not null,
  key text not null,
  type text not null,
  payload text not null,
  subject text,
  state text not null default 'waiting' check (state in ('waiting', 'failing', 'parked')),
  attempts integer not null default 0,
  due timestamptz not null default clock_timestamp(),
  last_error text,
  changed_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp(),
  source text not null default 'incoming',
  store_id text not null,
  mapping_id text,
  parent_id text not null default '',
  origin text,
  envelope text not null default '{}'
) with (toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
comment on column hub.incoming.key is 'The message_id: 24 hexadecimal digits.';
comment on column hub.incoming.envelope is 'What the pusher sent beside message and payload, as JSON.';
create index incoming_lane_xid_id on hub.incoming (lane, xid, id);
create index incoming_aggregate_xid_id on hub.incoming (aggregate, xid, id);
create unique index incoming_key on hub.incoming (key);
create index incoming_store on hub.incoming (store_id, id);
create index incoming_parent on hub.incoming (parent_id) where parent_id <> '';
create index incoming_parked on hub.incoming (id) where state <> 'waiting';

-- Accepted: one copy for each mapping that takes the message, to be delivered.
create table hub.accepted_lane (
  lane integer primary key,
  owner uuid references hub.worker (id) on delete set null,
  epoch bigint not null default 0,
  clean boolean not null default true,
  revision bigint not null default 0
);
insert into hub.accepted_lane (lane) select generate_series(0, 63);

create table hub.accepted (
  id bigint primary key default nextval('hub.message_id'),
  xid xid8 not null default pg_current_xact_id(),
  lane integer not null,
  aggregate text not null,
  key text not null,
  type text not null,
  payload text not null,
  subject text,
  state text not null default 'waiting' check (state in ('waiting', 'failing', 'parked')),
  attempts integer not null default 0,
  due timestamptz not null default clock_timestamp(),
  last_error text,
  changed_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp(),
  source text not null default 'accepted',
  store_id text not null,
  mapping_id text not null,
  parent_id text not null,
  origin text,
  envelope text not null default '{}',
  poll_url text
) with (toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
comment on column hub.accepted.poll_url is 'Where a consumer that asked for time wants to be asked again.';
create index accepted_lane_xid_id on hub.accepted (lane, xid, id);
create index accepted_aggregate_xid_id on hub.accepted (aggregate, xid, id);
create unique index accepted_key on hub.accepted (key);
create index accepted_store on hub.accepted (store_id, id);
create index accepted_parent on hub.accepted (parent_id);
create index accepted_parked on hub.accepted (id) where state <> 'waiting';

create table hub.archived (
  id bigint not null,
  aggregate text not null,
  key text not null,
  type text not null,
  payload text not null,
  subject text,
  state text not null check (state in ('done', 'discarded', 'superseded')),
  attempts integer not null,
  last_error text,
  answer text,
  changed_at timestamptz not null,
  created_at timestamptz not null,
  finished_at timestamptz not null default clock_timestamp(),
  source text not null,
  store_id text not null,
  mapping_id text,
  parent_id text not null,
  origin text,
  envelope text not null,
  poll_url text
) partition by range (finished_at);
comment on table hub.archived is 'Finished messages of both queues (source), partitioned by day and dropped by retention.';
create table hub.archived_default partition of hub.archived default with (toast_tuple_target = 4080);
create index archived_key on hub.archived (key);
create index archived_parent on hub.archived (parent_id);
create index archived_store on hub.archived (store_id, id);

-- What a consumer answered last, success or not: kept for people (`result`).
create table hub.result (
  message_id text primary key,
  code integer not null,
  response text not null,
  at timestamptz not null default clock_timestamp()
);
create index result_at on hub.result (at);

do $lz4$
begin
  -- As text: PostgreSQL 13 does not know the words, and would refuse the whole block.
  execute 'alter table hub.incoming alter column payload set compression lz4';
  execute 'alter table hub.accepted alter column payload set compression lz4';
  execute 'alter table hub.archived alter column payload set compression lz4';
exception when syntax_error or feature_not_supported or invalid_parameter_value then
  null;
end
$lz4$;
