-- Workspaces: a garage, a calendar or a site, and who works in it.
--
-- An owner may do everything, and alone names the workspace, invites, changes roles, sends
-- people away and removes the workspace. An editor reads and writes what is in it, a viewer
-- reads. Everybody else cannot see that it exists. Anybody may leave; there is always an
-- owner left while there is anybody.
--
-- Everybody has one workspace of each kind from the day they sign up, their home: a row that
-- does not say where it belongs goes there.

create table public.workspaces (
    id uuid primary key default gen_random_uuid(),
    kind text not null check (kind in ('garage', 'calendar', 'site')),
    name text not null check (char_length(name) between 1 and 200),
    home_of uuid references public.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (home_of, kind)
);
comment on table public.workspaces is 'What people share: a garage, a calendar or a site.';
comment on column public.workspaces.id is 'The workspace; every row in it names it.';
comment on column public.workspaces.kind is 'Which application it belongs to: garage, calendar or site.';
comment on column public.workspaces.name is 'What its members call it.';
comment on column public.workspaces.home_of is
'Whose rows go here when they do not say where; null for a further workspace.';
comment on column public.workspaces.created_at is 'When it was made.';
comment on column public.workspaces.updated_at is 'When the row last changed here.';

create table public.members (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    user_id uuid not null references public.users (id) on delete cascade,
    role text not null check (role in ('owner', 'editor', 'viewer')),
    name text check (char_length(name) <= 200),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (user_id, workspace_id)
);
comment on table public.members is 'Who works in a workspace, and as what.';
comment on column public.members.id is 'The membership.';
comment on column public.members.workspace_id is 'In which workspace.';
comment on column public.members.user_id is 'Who.';
comment on column public.members.role is 'owner, editor or viewer.';
comment on column public.members.name is 'What they are called here; all members see it.';
comment on column public.members.created_at is 'Since when.';
comment on column public.members.updated_at is 'When the row last changed here.';
create index members_workspace on public.members (workspace_id);

create table public.invitations (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    owner_id uuid not null default auth.uid(),
    email text check (email = lower(trim(email)) and email like '_%@_%'),
    role text not null check (role in ('owner', 'editor', 'viewer')),
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references public.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.invitations is
'Who was asked to join a workspace. The token itself is told once and kept nowhere.';
comment on column public.invitations.id is 'The invitation.';
comment on column public.invitations.workspace_id is 'To which workspace.';
comment on column public.invitations.owner_id is 'Who invited.';
comment on column public.invitations.email is
'The only address it is good for, in small letters; null: good for whoever has the token.';
comment on column public.invitations.role is 'The role it gives.';
comment on column public.invitations.expires_at is 'Until when it can be accepted.';
comment on column public.invitations.accepted_at is 'When it was accepted; it is good once.';
comment on column public.invitations.accepted_by is 'By whom it was accepted.';
comment on column public.invitations.created_at is 'When it was made.';
comment on column public.invitations.updated_at is 'When the row last changed here.';
create index invitations_workspace on public.invitations (workspace_id);
create index invitations_email on public.invitations (email);
create index invitations_accepted_by on public.invitations (accepted_by);

create table private.invitation_tokens (
    invitation_id uuid primary key references public.invitations (id) on delete cascade,
    hash bytea not null unique
);
comment on table private.invitation_tokens is 'What the token of an invitation must hash to.';
comment on column private.invitation_tokens.invitation_id is 'Whose token.';
comment on column private.invitation_tokens.hash is
'SHA-256 of the token. A token is 256 random bits, so it needs no salt.';

-- The one question the policies ask, once for each statement.

create function private.readable() returns setof uuid
language plpgsql stable security definer set search_path = '' rows 5 as $$
begin
    return query select members.workspace_id
    from public.users join public.members on members.user_id = users.id
    where users.id = auth.uid() and users.is_active and not users.is_banned;
end
$$;
comment on function private.readable() is 'The workspaces in which whoever asks may read.';

create function private.editable() returns setof uuid
language plpgsql stable security definer set search_path = '' rows 5 as $$
begin
    return query select members.workspace_id
    from public.users join public.members on members.user_id = users.id
    where users.id = auth.uid() and users.is_active and not users.is_banned and members.role in ('owner', 'editor');
end
$$;
comment on function private.editable() is 'The workspaces in which whoever asks may write.';

create function private.owned() returns setof uuid
language plpgsql stable security definer set search_path = '' rows 5 as $$
begin
    return query select members.workspace_id
    from public.users join public.members on members.user_id = users.id
    where users.id = auth.uid() and users.is_active and not users.is_banned and members.role = 'owner';
end
$$;
comment on function private.owned() is 'The workspaces whoever asks owns.';

create function private.home(kind text, person uuid default auth.uid()) returns uuid
language plpgsql stable security definer set search_path = '' as $$
begin
    return (select workspaces.id from public.workspaces where home_of = person and workspaces.kind = home.kind);
end
$$;
comment on function private.home(text, uuid) is 'Where rows of a person go that do not say where.';

-- Confirmed is what Auth calls so. A project that confirms nobody's address (enable_confirmations
-- off) takes everybody's word for it, and invites with the token alone.
create function private.address() returns text
language sql stable security definer set search_path = '' as $$
    select lower(email) from auth.users
    where id = (select private.me()) and email_confirmed_at is not null
$$;
comment on function private.address() is 'The confirmed e-mail address of whoever asks.';

grant execute on function
private.readable(), private.editable(), private.owned(), private.home(text, uuid), private.address()
to authenticated, service_role;

alter table public.workspaces enable row level security;
alter table public.members enable row level security;
alter table public.invitations enable row level security;
revoke all on public.workspaces, public.members, public.invitations from anon, authenticated;
grant all on public.workspaces, public.members, public.invitations to service_role;
grant select, update (name), delete on public.workspaces to authenticated; -- made by create_workspace()
grant select, update (role, name), delete on public.members to authenticated; -- made by accept_invitation()
grant select, delete on public.invitations to authenticated; -- made by invite()

create policy workspaces_read on public.workspaces for select to authenticated
using (id = any (array(select private.readable())));
create policy workspaces_change on public.workspaces for update to authenticated
using (id = any (array(select private.owned()))) with check (id = any (array(select private.owned())));
create policy workspaces_remove on public.workspaces for delete to authenticated
using (id = any (array(select private.owned())));

create policy members_read on public.members for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy members_change on public.members for update to authenticated
using (workspace_id = any (array(select private.owned())))
with check (workspace_id = any (array(select private.owned())));
create policy members_remove on public.members for delete to authenticated
using (workspace_id = any (array(select private.owned())) or user_id = (select private.me()));

create policy invitations_read on public.invitations for select to authenticated
using (workspace_id = any (array(select private.owned())) or email = (select private.address()));
create policy invitations_remove on public.invitations for delete to authenticated
using (workspace_id = any (array(select private.owned())));

-- A workspace is never without an owner. An owner who goes with their whole account leaves it
-- to the member who has been there longest, editors first; the last one takes it with them.
create function private.keep_an_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    -- One at a time, or two owners could leave at once, each believing in the other.
    perform from public.workspaces where id = old.workspace_id for no key update;
    if not found then
        return null; -- the workspace is being removed, and everybody with it
    end if;
    -- Whoever goes, as an owner or not, is at home there no more: their rows would go there too.
    if tg_op = 'DELETE' then
        update public.workspaces set home_of = null where id = old.workspace_id and home_of = old.user_id;
    end if;
    if old.role <> 'owner'
        or exists (select from public.members where workspace_id = old.workspace_id and role = 'owner') then
        return null;
    end if;
    if exists (select from public.users where id = old.user_id) then
        raise exception 'a workspace needs an owner: make another one first, or remove the workspace'
        using errcode = 'check_violation';
    end if;
    update public.members set role = 'owner' where id = (
        select id from public.members where workspace_id = old.workspace_id
        order by role = 'editor' desc, created_at, id limit 1
    );
    if not found then
        delete from public.workspaces where id = old.workspace_id;
    end if;
    return null;
end
$$;
comment on function private.keep_an_owner() is 'Sees to it that a workspace has an owner while it has anybody.';
create trigger keep_an_owner after update of role or delete on public.members for each row
execute function private.keep_an_owner();

-- Making a workspace, and one of each kind for who signs up.

create function private.create_workspace(
    person uuid, kind text, name text, is_home boolean
) returns public.workspaces
language plpgsql security definer set search_path = '' as $$
declare
    made public.workspaces;
begin
    insert into public.workspaces (kind, name, home_of)
    values (create_workspace.kind, create_workspace.name, case when is_home then person end)
    returning * into made;
    insert into public.members (workspace_id, user_id, role, name)
    select made.id, users.id, 'owner', users.name from public.users where users.id = person;
    return made;
end
$$;
comment on function private.create_workspace(uuid, text, text, boolean) is 'Makes a workspace with its first owner.';

create function private.create_my_workspace(kind text, name text) returns public.workspaces
language plpgsql security definer set search_path = '' as $$
declare
    me uuid := private.me();
begin
    if me is null then
        raise exception 'sign in first' using errcode = 'insufficient_privilege';
    end if;
    return private.create_workspace(me, kind, name, private.home(kind, me) is null);
end
$$;
comment on function private.create_my_workspace(text, text) is 'Makes a workspace that belongs to whoever asks.';
grant execute on function private.create_my_workspace(text, text) to authenticated;

create function public.create_workspace(kind text, name text) returns public.workspaces
language sql set search_path = '' as $$
    select private.create_my_workspace(kind, name)
$$;
comment on function public.create_workspace(text, text) is
'Makes a workspace: a garage, a calendar or a site. Whoever asks owns it; it becomes their home if they have none of its kind.';
grant execute on function public.create_workspace(text, text) to authenticated;

create function private.settle() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform private.create_workspace(new.id, kind, initcap(kind), true)
    from unnest(array['garage', 'calendar', 'site']) as kind;
    return new;
end
$$;
comment on function private.settle() is 'Gives a new person a workspace of each kind.';

do $$
begin
    perform private.create_workspace(users.id, kind, initcap(kind), true)
    from public.users cross join unnest(array['garage', 'calendar', 'site']) as kind;
end
$$;
create trigger settle after insert on public.users for each row execute function private.settle();

-- Invitations.

create function private.invite(
    workspace uuid, role text, email text, valid_for interval
) returns table (invitation_id uuid, token text)
language plpgsql security definer set search_path = '' as $$
begin
    if workspace is null or workspace not in (select private.owned()) then
        raise exception 'only an owner invites' using errcode = 'insufficient_privilege';
    end if;
    if valid_for is null or valid_for not between interval '1 minute' and interval '90 days' then
        raise exception 'an invitation is good for a minute at least and 90 days at most'
        using errcode = 'check_violation';
    end if;
    token := encode(extensions.gen_random_bytes(32), 'hex');
    insert into public.invitations (workspace_id, email, role, expires_at)
    values (workspace, nullif(lower(trim(invite.email)), ''), invite.role, now() + valid_for)
    returning id into invitation_id;
    insert into private.invitation_tokens (invitation_id, hash)
    values (invite.invitation_id, sha256(convert_to(token, 'UTF8')));
    return next;
end
$$;
comment on function private.invite(uuid, text, text, interval) is 'Makes an invitation and its token.';
grant execute on function private.invite(uuid, text, text, interval) to authenticated;

create function public.invite(
    workspace uuid, role text, email text default null, valid_for interval default '7 days'
) returns table (invitation_id uuid, token text)
language sql set search_path = '' as $$
    select * from private.invite(workspace, role, email, valid_for)
$$;
comment on function public.invite(uuid, text, text, interval) is
'Invites somebody to a workspace. The token is told this once; with an address, only its owner can use it.';
grant execute on function public.invite(uuid, text, text, interval) to authenticated;

-- Whoever holds the token, and has the address if one was named; or whoever has the address
-- that was named. It is good while whoever invited owns the workspace: who is sent away keeps no
-- way back. All that can be wrong with an invitation gets the same answer.
create function private.accept_invitation(token text, invitation uuid) returns public.members
language plpgsql security definer set search_path = '' as $$
declare
    me uuid := private.me();
    asked public.invitations;
    member public.members;
begin
    if me is null then
        raise exception 'sign in first' using errcode = 'insufficient_privilege';
    end if;
    -- Two questions, for an index each.
    if token is not null then
        select found.* into asked
        from private.invitation_tokens as secret join public.invitations as found on found.id = secret.invitation_id
        where secret.hash = sha256(convert_to(token, 'UTF8'))
            and (found.email is null or found.email = private.address())
        for update of found;
    else
        select found.* into asked from public.invitations as found
        where found.id = invitation and found.email = private.address()
        for update of found;
    end if;
    if not found or asked.accepted_at is not null or asked.expires_at <= now() or not exists (
        select from public.members join public.users on users.id = members.user_id
        where members.workspace_id = asked.workspace_id and members.user_id = asked.owner_id
            and members.role = 'owner' and users.is_active and not users.is_banned
    ) then
        raise exception 'this invitation is not yours, was used, or is over' using errcode = 'no_data_found';
    end if;
    update public.invitations set accepted_at = now(), accepted_by = me where id = asked.id;
    insert into public.members as here (workspace_id, user_id, role, name)
    select asked.workspace_id, me, asked.role, users.name from public.users where users.id = me
    on conflict (user_id, workspace_id) do update set role = excluded.role
    where array_position(array['owner', 'editor', 'viewer'], excluded.role)
        < array_position(array['owner', 'editor', 'viewer'], here.role); -- an invitation takes nothing away
    select * into member from public.members where user_id = me and workspace_id = asked.workspace_id;
    return member;
end
$$;
comment on function private.accept_invitation(text, uuid) is 'Makes a member of whoever was invited.';
grant execute on function private.accept_invitation(text, uuid) to authenticated;

create function public.accept_invitation(
    token text default null, invitation uuid default null
) returns public.members
language sql set search_path = '' as $$
    select private.accept_invitation(token, invitation)
$$;
comment on function public.accept_invitation(text, uuid) is
'Joins a workspace: with the token of an invitation, or with the id of one to the confirmed address of whoever asks.';
grant execute on function public.accept_invitation(text, uuid) to authenticated;
