-- Which addresses of mappings may be in a private network, whatever HUB_TARGETS says.

alter table hub.mapping add column any_target boolean not null default false;
comment on column hub.mapping.any_target is 'The url is the one that the admin token gave: it may be in a private network, whatever HUB_TARGETS says.';

-- Up to now those of the stores' own webhooks were.
update hub.mapping set any_target = is_store;
