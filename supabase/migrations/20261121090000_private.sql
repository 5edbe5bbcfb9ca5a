-- What tables share and no client may call. The schema is not exposed by the REST API,
-- and nobody but its owner may use it: triggers run without that right.
create schema if not exists private;
revoke all on schema private from public;

-- Whatever a client sends, updated_at is when the row last changed here.
create function private.touch_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.updated_at := now();
    return new;
end
$$;
comment on function private.touch_updated_at() is 'Sets updated_at on every update.';
