-- Inbound: what a hub sent, and what became of it.

create table bridge.inbox (
  id bigint generated always as identity unique,
  hub text not null,
  dialect text not null check (dialect in ('seed', 'wombat')),
  message_id text not null,
  type text not null,
  payload text not null,
  state text not null check (state in ('applied', 'failed', 'discarded')),
  attempts integer not null default 1,
  failures integer not null default 0,
  repeats integer not null default 0,
  status integer not null,
  answer text not null,
  last_error text,
  received_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  primary key (hub, dialect, message_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
comment on table bridge.inbox is 'Every inbound message, once: written in the transaction that applies it, so that a repeat is answered and not applied. A failed one keeps its reason and may be tried again.';
create index inbox_failed on bridge.inbox (id) where state = 'failed';
create index inbox_changed on bridge.inbox (changed_at);

create table bridge.stock_count (
  variant_id text not null,
  stock_location_id text not null,
  as_of timestamptz not null,
  primary key (variant_id, stock_location_id)
);
comment on table bridge.stock_count is 'Of which time the newest level is that a hub told with a time: what is older is refused.';

create table bridge.heard (
  aggregate text primary key,
  updated_at timestamptz not null
);
comment on table bridge.heard is 'Of which time the newest update is that a hub told with a time, and that was applied: what is older is refused.';
