-- The roles of a hosted project. They belong to the cluster, so all of this may run again.

do $$
declare
    role record;
begin
    for role in
        select wanted.* from (values
            -- What a request runs as.
            ('anon', 'nologin noinherit'),
            ('authenticated', 'nologin noinherit'),
            ('service_role', 'nologin noinherit bypassrls'),
            ('authenticator', 'login noinherit'),
            -- What a person works as: everything but a superuser.
            ('postgres', 'login createdb createrole replication bypassrls'),
            ('dashboard_user', 'nologin createdb createrole replication'),
            ('supabase_read_only_user', 'login bypassrls'),
            -- What a service works as.
            ('supabase_auth_admin', 'login noinherit createrole'),
            ('supabase_storage_admin', 'login noinherit createrole'),
            ('supabase_realtime_admin', 'nologin noinherit'),
            ('supabase_replication_admin', 'login replication'),
            ('pgbouncer', 'login')
        ) as wanted (name, options)
    loop
        if not exists (select from pg_roles where rolname = role.name) then
            execute format('create role %I', role.name);
        end if;
        execute format('alter role %I %s', role.name, role.options);
    end loop;
end
$$;

grant anon, authenticated, service_role to authenticator;
-- With the admin option, so that a migration may grant them on and set their timeouts.
grant anon, authenticated, service_role, authenticator to postgres with admin option;
-- Only an owner may put a policy on a table, and a project's policies on storage.objects
-- and realtime.messages are made by postgres. Hosted, an extension allows exactly that;
-- here postgres shares in what these two roles own, which allows more.
grant supabase_storage_admin, supabase_realtime_admin to postgres;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
grant pg_read_all_data to supabase_read_only_user;
grant pg_monitor to dashboard_user;

-- What a project may set on authenticator for its API, though nobody but a superuser knows it.
grant set on parameter
pgrst.db_aggregates_enabled, pgrst.db_extra_search_path, pgrst.db_max_rows, pgrst.db_plan_enabled,
pgrst.db_pre_request, pgrst.db_schemas, pgrst.openapi_mode to postgres;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role supabase_read_only_user set default_transaction_read_only = on;

alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_storage_admin set search_path = storage;
