-- History: every change of every row, who made it, when, and the row before and after.
--
-- Members read the history of their workspaces, owners alone that of its invitations, and a
-- person that of their own rows: nobody reads of a row they could not see. Nobody
-- writes it: the triggers do, and nobody changes or removes an entry, service_role included.
-- It goes with what it tells of: when a workspace or an account is removed, so is its history.
-- Who may write a row may put it back as it was.

create table public.history (
    id bigint generated always as identity primary key,
    workspace_id uuid references public.workspaces (id) on delete cascade,
    user_id uuid references public.users (id) on delete cascade,
    table_name text not null,
    row_id uuid not null,
    operation text not null check (operation in ('insert', 'update', 'delete')),
    changed_at timestamptz not null default now(),
    changed_by uuid,
    before jsonb,
    after jsonb,
    check (num_nonnulls(workspace_id, user_id) = 1),
    check ((before is null) = (operation = 'insert') and (after is null) = (operation = 'delete'))
);
comment on table public.history is 'Every change of every row. Entries are added by triggers and never change.';
comment on column public.history.id is 'The entry; later ones have greater numbers within a row''s history.';
comment on column public.history.workspace_id is
'Whose row it is: the workspace''s. Null for a row of a single person.';
comment on column public.history.user_id is 'Whose row it is: this person''s. Null for a row of a workspace.';
comment on column public.history.table_name is 'The table, in schema public.';
comment on column public.history.row_id is 'The row''s id.';
comment on column public.history.operation is 'insert, update or delete.';
comment on column public.history.changed_at is 'When the transaction began that made the change.';
comment on column public.history.changed_by is
'Who was signed in; null for the project itself. Not a foreign key: the fact outlives the account.';
comment on column public.history.before is 'The row before; null for an insert.';
comment on column public.history.after is 'The row after; null for a delete.';
create index history_row on public.history (row_id, id);
create index history_workspace on public.history (workspace_id, id);
create index history_user on public.history (user_id, id);

alter table public.history enable row level security;
revoke all on public.history from anon, authenticated, service_role;
grant select on public.history to authenticated, service_role;
create policy history_read on public.history for select to authenticated
using (
    workspace_id = any (array(select private.readable()))
    and (table_name <> 'invitations' or workspace_id = any (array(select private.owned())))
    or user_id = (select private.me())
);

create function private.append_only() returns trigger
language plpgsql set search_path = '' as $$
begin
    if tg_op = 'DELETE'
        and not exists (select from public.workspaces where id = old.workspace_id)
        and not exists (select from public.users where id = old.user_id) then
        return old;
    end if;
    raise exception 'history is only ever added to' using errcode = 'insufficient_privilege';
end
$$;
comment on function private.append_only() is 'Refuses to rewrite history.';
create trigger append_only before update or delete on public.history for each row
execute function private.append_only();
create function private.never_truncate() returns trigger
language plpgsql set search_path = '' as $$
begin
    raise exception 'history is only ever added to' using errcode = 'insufficient_privilege';
end
$$;
comment on function private.never_truncate() is 'Refuses to empty history.';
create trigger never_truncate before truncate on public.history for each statement
execute function private.never_truncate();

-- Arguments: history's column that says whose the row is, and the row's column that holds it.
create function private.log() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    before jsonb := to_jsonb(old);
    after jsonb := to_jsonb(new);
    whose uuid := coalesce(after, before) ->> tg_argv[1];
begin
    if tg_op = 'UPDATE' and before - 'updated_at' = after - 'updated_at' then
        return null;
    end if;
    -- Going together with its workspace or person, it is told of no more.
    if tg_op <> 'INSERT'
        and not exists (select from public.workspaces where id = whose)
        and not exists (select from public.users where id = whose) then
        return null;
    end if;
    insert into public.history (
        workspace_id, user_id, table_name, row_id, operation, changed_by, before, after
    ) values (
        case when tg_argv[0] = 'workspace_id' then whose end, case when tg_argv[0] = 'user_id' then whose end,
        tg_table_name, (coalesce(after, before) ->> 'id')::uuid, lower(tg_op), auth.uid(), before, after
    );
    return null;
end
$$;
comment on function private.log() is 'Adds a change to the history.';

-- What every table of ours has: updated_at, identity that stays, history. Not who may do what:
-- that stands with each table.
create procedure private.track(target regclass, whose text default 'workspace_id', whose_column text default null)
language plpgsql set search_path = '' as $$
declare
    fixed text;
begin
    select string_agg(format('old.%1$I is distinct from new.%1$I', attname), ' or ') into fixed
    from pg_catalog.pg_attribute
    where attrelid = target and attname in ('id', 'workspace_id', 'user_id', 'owner_id');
    execute format(
        'create trigger stay before update on %s for each row '
        'when (%s) execute function private.stay()', target, fixed
    );
    execute format(
        'create trigger touch before update on %s for each row execute function private.touch()', target
    );
    execute format(
        'create trigger log after insert or update or delete on %s for each row '
        'execute function private.log(%L, %L)', target, whose, coalesce(whose_column, whose)
    );
end
$$;
comment on procedure private.track(regclass, text, text) is
'Puts the triggers on a table that keep updated_at, its identity and its history.';

call private.track('public.users', 'user_id', 'id');
call private.track('public.workspaces', 'workspace_id', 'id');
call private.track('public.members');
call private.track('public.invitations');

-- The columns that every imported table has. Tables of a workspace are made like this one.
create table private.workspace_row (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    owner_id uuid not null default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    extra jsonb not null default '{}',
    legacy_scope text,
    legacy_id text,
    legacy_updated_at timestamptz,
    unique (workspace_id, id)
);
comment on table private.workspace_row is
'What rows of a workspace have in common: a pattern for create table, always empty.';
comment on column private.workspace_row.id is
'The row. Whoever makes it may choose it, so sending it twice makes one row.';
comment on column private.workspace_row.workspace_id is
'The workspace it belongs to, for good. Left out, it is the home of its owner.';
comment on column private.workspace_row.owner_id is
'Who added it, for good. Not a foreign key: the fact outlives the account.';
comment on column private.workspace_row.created_at is 'When it was made, here or in the old app.';
comment on column private.workspace_row.updated_at is 'When the row last changed here.';
comment on column private.workspace_row.extra is 'Fields of the old app that have no column.';
comment on column private.workspace_row.legacy_scope is 'With legacy_id, what the id was computed from.';
comment on column private.workspace_row.legacy_id is 'The id the old app gave it.';
comment on column private.workspace_row.legacy_updated_at is 'When the old app last changed it.';

-- With the secret key nobody is signed in, and the default of workspace_id finds no home: then
-- it is the owner's. The policies decide as always.
create function private.go_home() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    new.workspace_id := private.home(tg_argv[0], new.owner_id);
    return new;
end
$$;
comment on function private.go_home() is 'Puts a row without a workspace into its owner''s.';

-- As private.track, for a table made like private.workspace_row.
create procedure private.track_in(kind text, target regclass)
language plpgsql set search_path = '' as $$
begin
    execute format('alter table %s alter workspace_id set default private.home(%L)', target, kind);
    execute format(
        'create trigger go_home before insert on %s for each row '
        'when (new.workspace_id is null) execute function private.go_home(%L)', target, kind
    );
    call private.track(target);
end
$$;
comment on procedure private.track_in(text, regclass) is
'Puts the triggers on a table whose rows belong to workspaces of a kind, and the default that finds one.';

-- Puts a row back to what it was when an entry was written: as the insert or update left it, or
-- as it was before it was deleted. With the rights of who asks: policies, checks and grants
-- hold, and what only the database writes stays as it is.
create function public.restore(entry bigint) returns jsonb
language plpgsql set search_path = '' as $$
declare
    past public.history;
    image jsonb;
    target regclass;
    restored jsonb;
    names text;
begin
    select * into past from public.history where id = entry;
    if not found then
        raise exception 'there is no such entry' using errcode = 'no_data_found';
    end if;
    image := coalesce(past.after, past.before);
    target := format('public.%I', past.table_name)::regclass;

    select string_agg(format('%I', attname), ', ' order by attnum) into names
    from pg_catalog.pg_attribute
    where attrelid = target and attnum > 0 and not attisdropped and attgenerated = '' and image ? attname
        and attname not in ('id', 'workspace_id', 'user_id', 'owner_id', 'created_at', 'updated_at')
        and has_column_privilege(target, attnum, 'update');
    if names is not null then
        execute format(
            'update %1$s as here set (%2$s) = (select %2$s from jsonb_populate_record(null::%1$s, $1)) '
            'where here.id = $2 returning to_jsonb(here)', target, names
        ) into restored using image, past.row_id;
    end if;
    if restored is not null then
        return restored;
    end if;

    -- Whoever puts it back answers for it: owner_id is theirs.
    select string_agg(format('%I', attname), ', ' order by attnum) into names
    from pg_catalog.pg_attribute
    where attrelid = target and attnum > 0 and not attisdropped and attgenerated = '' and image ? attname
        and attname not in ('owner_id', 'updated_at')
        and has_column_privilege(target, attnum, 'insert');
    if names is null then
        raise exception 'a row of % cannot be put back', past.table_name using errcode = 'insufficient_privilege';
    end if;
    execute format(
        'insert into %1$s as here (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1) '
        'returning to_jsonb(here)', target, names
    ) into restored using image;
    return restored;
end
$$;
comment on function public.restore(bigint) is
'Puts a row back to what it was when an entry of the history was written, and gives it as it is now.';
grant execute on function public.restore(bigint) to authenticated;
