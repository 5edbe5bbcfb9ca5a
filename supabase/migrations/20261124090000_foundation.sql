-- What all tables stand on. Until a later file says otherwise in plain words, nobody may do
-- anything: a new table or function of ours is open to its maker and to service_role alone.
--
-- Schema private holds what a client may not ask for by name: PostgREST does not expose it.
-- Its functions are granted one by one, to who needs them in a policy or behind an RPC.

create schema private;
comment on schema private is 'Functions and tables behind the policies and RPCs; not exposed by the API.';
grant usage on schema private to anon, authenticated, service_role;

create extension if not exists pgcrypto with schema extensions;
create extension if not exists btree_gist with schema extensions;

alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated;
alter default privileges in schema public revoke all on sequences from anon, authenticated;
alter default privileges in schema public revoke execute on functions from anon, authenticated;
alter default privileges in schema extensions grant execute on functions to public; -- as it was

-- Whoever migrates with sqlx has its list of migrations in public: nobody's business.
do $$
begin
    if to_regclass('public._sqlx_migrations') is not null then
        revoke all on public._sqlx_migrations from anon, authenticated;
        alter table public._sqlx_migrations enable row level security;
    end if;
end
$$;

-- Whatever a client sends, updated_at is when the row last changed here. An update that
-- changes nothing, as a repeated upsert is, leaves it alone.
create function private.touch() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.updated_at := old.updated_at;
    if new is distinct from old then
        new.updated_at := now();
    end if;
    return new;
end
$$;
comment on function private.touch() is 'Sets updated_at when an update changes the row.';

-- A row stays who it is and where it is: an editor of two workspaces cannot carry rows from
-- one to the other, and nobody puts another name under a row.
create function private.stay() returns trigger
language plpgsql set search_path = '' as $$
begin
    raise exception 'the id of a row, its workspace and its owner are set once'
    using errcode = 'insufficient_privilege', table = tg_table_name;
end
$$;
comment on function private.stay() is 'Refuses to change what a row is or whose it is.';

-- 'Europe/Paris' has rules for summer and winter; '+02:00' and 'CEST' have not, and would be
-- wrong for half of the year. PostgreSQL takes any word before a number for a zone, 'Europe/Paris+2'
-- too, so a number is only for those of Etc.
create function private.is_time_zone(name text) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
    perform timestamp '2000-01-01' at time zone name;
    return name = 'UTC' or name ~ '^[A-Z][A-Za-z_-]+(/[A-Za-z_-]+)+$' or name ~ '^Etc/GMT[+-]?[0-9]{1,2}$';
exception
    when invalid_parameter_value then
        return false;
end
$$;
comment on function private.is_time_zone(text) is 'True for a name of the time zone database.';
grant execute on function private.is_time_zone(text) to authenticated, service_role;
