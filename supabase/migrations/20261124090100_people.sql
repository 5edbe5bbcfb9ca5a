-- People. Everybody who signs up has a row here. They read and change their own name, phone
-- and country; what counts against them (active, banned, logins, registration) is set by the
-- database and by service_role alone. Nobody reads another's row.
--
-- Who is banned or not active is shut out of everything, in all four applications: every
-- policy asks private.me() or a function that does.

create table public.users (
    id uuid primary key references auth.users (id) on delete cascade,
    name text check (char_length(name) <= 200),
    phone text check (char_length(phone) <= 50),
    country text check (char_length(country) <= 100),
    is_active boolean not null default true,
    is_banned boolean not null default false,
    login_count integer not null default 0 check (login_count >= 0),
    registration_date timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    extra jsonb not null default '{}',
    legacy_scope text,
    legacy_id text,
    legacy_updated_at timestamptz
);
comment on table public.users is 'People who signed up, one row for each account.';
comment on column public.users.id is 'The account''s id in auth.users.';
comment on column public.users.name is 'What they call themselves.';
comment on column public.users.phone is 'Where they can be reached.';
comment on column public.users.country is 'Where they live, as they wrote it.';
comment on column public.users.is_active is 'False shuts them out, until it is true again.';
comment on column public.users.is_banned is 'True shuts them out.';
comment on column public.users.login_count is 'How often they signed in.';
comment on column public.users.registration_date is 'When they signed up.';
comment on column public.users.created_at is 'When the row was made.';
comment on column public.users.updated_at is 'When the row last changed here.';
comment on column public.users.extra is 'Fields of the old app that have no column.';
comment on column public.users.legacy_scope is 'Which export the row came from.';
comment on column public.users.legacy_id is 'The id the old app gave it.';
comment on column public.users.legacy_updated_at is 'When the old app last changed it.';

-- In plpgsql, which keeps its plan: PostgreSQL before 18 plans a function in SQL at each call, and
-- this one is called by almost every statement.
create function private.me() returns uuid
language plpgsql stable security definer set search_path = '' as $$
begin
    return (select id from public.users where id = auth.uid() and is_active and not is_banned);
end
$$;
comment on function private.me() is 'Who asks; null for nobody, and for who is banned or not active.';
grant execute on function private.me() to authenticated, service_role;

alter table public.users enable row level security;
revoke all on public.users from anon, authenticated;
grant all on public.users to service_role;
grant select, update (name, phone, country, extra, legacy_scope, legacy_id, legacy_updated_at) on public.users
to authenticated;
create policy users_read on public.users for select to authenticated using (id = (select private.me()));
create policy users_change on public.users for update to authenticated
using (id = (select private.me())) with check (id = (select private.me()));

-- What a person says at sign-up is theirs to say, so it is cut to what fits: a sign-up never
-- fails here.
create function private.welcome() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.users (id, name, phone, country, registration_date)
    values (
        new.id,
        left(coalesce(new.raw_user_meta_data ->> 'name', new.raw_user_meta_data ->> 'full_name'), 200),
        left(coalesce(new.raw_user_meta_data ->> 'phone', new.phone), 50),
        left(new.raw_user_meta_data ->> 'country', 100),
        coalesce(new.created_at, now())
    );
    return new;
end
$$;
comment on function private.welcome() is 'Gives a new account its row.';

create function private.count_login() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    -- A count that is full stops nobody from signing in.
    update public.users set login_count = login_count + 1 where id = new.id and login_count < 2147483647;
    return new;
end
$$;
comment on function private.count_login() is 'Counts a sign-in.';

-- Who signed up before there was a trigger.
insert into public.users (id, name, phone, country, registration_date)
select
    account.id,
    left(coalesce(account.raw_user_meta_data ->> 'name', account.raw_user_meta_data ->> 'full_name'), 200),
    left(coalesce(account.raw_user_meta_data ->> 'phone', account.phone), 50),
    left(account.raw_user_meta_data ->> 'country', 100),
    coalesce(account.created_at, now())
from auth.users as account;

create trigger welcome after insert on auth.users for each row execute function private.welcome();
create trigger count_login after update of last_sign_in_at on auth.users for each row
when (new.last_sign_in_at is distinct from old.last_sign_in_at) execute function private.count_login();
