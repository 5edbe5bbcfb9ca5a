-- What tables share and no client may call. The schema is not exposed by the REST API,
-- and nobody but its owner may use it: triggers run without that right.
create schema if not exists private;
revoke all on schema private from public;

-- Keeps updated_at true without overruling a writer who knows better: an import
-- brings the old app's own dates, and must read back what it wrote.
create function private.touch_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
    if new.updated_at is not distinct from old.updated_at then
        new.updated_at := now();
    end if;
    return new;
end
$$;
comment on function private.touch_updated_at() is
    'Sets updated_at on an update that did not set it itself.';
