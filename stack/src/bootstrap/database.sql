-- What a hosted project's database holds before the first migration, but for the tables of auth.
-- Runs as supabase_admin in a new database, once.

do $$
begin
    execute format('alter database %I owner to postgres', current_database());
    execute format('grant all on database %I to dashboard_user', current_database());
end
$$;

-- public: a new table is open to the API roles as far as grants go. Row-level security decides.

grant usage on schema public to anon, authenticated, service_role;
grant all on schema public to postgres;
alter default privileges for role postgres, supabase_admin in schema public
grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres, supabase_admin in schema public
grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role postgres, supabase_admin in schema public
grant all on functions to postgres, anon, authenticated, service_role;

-- extensions

create schema extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to dashboard_user;
do $$
declare
    missing text;
    optional text;
begin
    select string_agg(wanted.name, ', ') into missing
    from (values ('pgcrypto'), ('uuid-ossp')) as wanted (name)
    where not exists (select from pg_available_extensions as found where found.name = wanted.name);
    if missing is not null then
        raise exception 'this PostgreSQL lacks %: install its contrib package, often called postgresql-contrib', missing;
    end if;
    create extension pgcrypto with schema extensions;
    create extension "uuid-ossp" with schema extensions;
    -- The first is there on every hosted project. The second may be installed there by postgres,
    -- but only a superuser may do so here: a migration's `if not exists` finds it done.
    for optional in
        select name from pg_available_extensions where name in ('pg_stat_statements', 'moddatetime')
    loop
        execute format('create extension %I with schema extensions', optional);
    end loop;
end
$$;

-- auth: who asks. The claims of the request's token are a setting of its transaction.
-- The settings named request.jwt.claim.* are an older way, still honoured first.

create schema auth;
grant usage on schema auth to postgres, anon, authenticated, service_role;
grant all on schema auth to supabase_auth_admin, dashboard_user;

create function auth.jwt() returns jsonb language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')
    )::jsonb
$$;

create function auth.uid() returns uuid language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )::uuid
$$;

create function auth.role() returns text language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
    )
$$;

create function auth.email() returns text language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.email', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
    )
$$;

alter function auth.jwt() owner to supabase_auth_admin;
alter function auth.uid() owner to supabase_auth_admin;
alter function auth.role() owner to supabase_auth_admin;
alter function auth.email() owner to supabase_auth_admin;

-- storage: what is stored, not the bytes. No policy: until a project adds some, only
-- service_role sees anything.

create schema storage;
grant usage on schema storage to
postgres, anon, authenticated, service_role, supabase_storage_admin, dashboard_user;

create type storage.buckettype as enum ('STANDARD', 'ANALYTICS');

create table storage.buckets (
    id text primary key,
    name text not null unique,
    owner uuid, -- older than owner_id, which takes any subject
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    public boolean default false,
    avif_autodetection boolean default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    owner_id text,
    type storage.buckettype not null default 'STANDARD'
);

create table storage.objects (
    id uuid primary key default gen_random_uuid(),
    bucket_id text references storage.buckets (id),
    name text,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    last_accessed_at timestamptz default now(),
    metadata jsonb,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored,
    version text,
    owner_id text,
    user_metadata jsonb
);
create unique index bucketid_objname on storage.objects (bucket_id, name);
create index name_prefix_search on storage.objects (name text_pattern_ops);

alter type storage.buckettype owner to supabase_storage_admin;
alter table storage.buckets owner to supabase_storage_admin;
alter table storage.objects owner to supabase_storage_admin;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
grant all on storage.buckets, storage.objects to postgres, anon, authenticated, service_role;

create function storage.foldername(name text) returns text[] language sql immutable as $$
    select parts[1:array_length(parts, 1) - 1] from string_to_array(name, '/') as parts
$$;

create function storage.filename(name text) returns text language sql immutable as $$
    select parts[array_length(parts, 1)] from string_to_array(name, '/') as parts
$$;

create function storage.extension(name text) returns text language sql immutable as $$
    select parts[array_length(parts, 1)] from string_to_array(storage.filename(name), '.') as parts
$$;

alter function storage.foldername(text) owner to supabase_storage_admin;
alter function storage.filename(text) owner to supabase_storage_admin;
alter function storage.extension(text) owner to supabase_storage_admin;

-- realtime: messages, and whom they may reach. Policies on messages are asked with the topic set.

create schema realtime;
grant usage on schema realtime to
postgres, anon, authenticated, service_role, supabase_realtime_admin, dashboard_user;

create table realtime.messages (
    topic text not null,
    extension text not null,
    payload jsonb,
    event text,
    private boolean default false,
    updated_at timestamp not null default now(),
    inserted_at timestamp not null default now(),
    id uuid not null default gen_random_uuid(),
    primary key (id, inserted_at)
);
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;
grant all on realtime.messages to postgres;

create function realtime.topic() returns text language sql stable as $$
    select nullif(current_setting('realtime.topic', true), '')
$$;

-- A message that can not be kept is a warning: a trigger that sends one does not fail for it.
create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void language plpgsql as $$
declare
    message_id constant uuid := gen_random_uuid();
begin
    perform set_config('realtime.topic', send.topic, true);
    insert into realtime.messages (id, payload, event, topic, private, extension)
    values (
        message_id, jsonb_build_object('id', message_id) || send.payload,
        send.event, send.topic, send.private, 'broadcast'
    );
exception when others then
    raise warning 'ErrorSendingBroadcastMessage: %', sqlerrm;
end
$$;

create function realtime.broadcast_changes(
    topic_name text, event_name text, operation text, table_name text, table_schema text,
    new record, old record, level text default 'ROW'
) returns void language plpgsql as $$
begin
    if level <> 'ROW' then
        raise exception 'realtime.broadcast_changes is for row triggers, not for %', level;
    end if;
    perform realtime.send(
        jsonb_build_object(
            'schema', table_schema, 'table', table_name, 'operation', operation,
            'record', to_jsonb(new), 'old_record', to_jsonb(old)
        ),
        event_name, topic_name
    );
end
$$;

alter function realtime.topic() owner to supabase_realtime_admin;

create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;
-- What is sent from SQL is read out of the log, as the changes are.
create publication supabase_realtime_messages_publication
for table realtime.messages with (publish = 'insert');

create schema graphql_public;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;
