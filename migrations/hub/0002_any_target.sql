-- Which addresses of mappings may be in a private network, whatever HUB_TARGETS says.

alter table hub.mapping add column any_target boolean;
comment on column hub.mapping.any_target is 'Whether the url may be in a private network, whatever HUB_TARGETS says. Null: that of a store''s own webhook may, which the admin token gave. False once another was given with the store''s token.';
