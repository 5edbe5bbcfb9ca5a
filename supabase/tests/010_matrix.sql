-- Who may do what to a row of each table: s see it, i add one like it, u change it, d remove it.
-- The tables come from the catalogue: one without a line here fails.
begin;
\ir people.psql

create table tests.expected (
    name text primary key, owner text, editor text, viewer text, stranger text, anonymous text, banned text
);

insert into tests.expected values -- everybody's
--                    owner   editor  viewer  stranger anonymous banned
('users',             'su',   '',     '',     '',      '',       ''),
('workspaces',        'sud',  's',    's',    '',      '',       ''),
('members',           'sud',  's',    's',    '',      '',       ''),
('invitations',       'sd',   '',     '',     '',      '',       ''),
('history',           's',    's',    's',    '',      '',       '');

insert into tests.expected values -- streaming: a person's own, whoever else they share a workspace with
('user_profiles',     's(i: 23505)ud', 'i', 'i', 'i',  '',       ''), -- has one already
('contents',          'siud', 'i',    'i',    'i',     '',       ''),
('watch_history',     'siud', 'i',    'i',    'i',     '',       ''),
('watchlist',         'siud', 'i',    'i',    'i',     '',       ''),
('ratings',           'siud', 'i',    'i',    'i',     '',       '');

insert into tests.expected values -- the calendar
('calendars',         'su',   's',    's',    '',      '',       ''),
('resources',         'siud', 'siud', 's',    '',      '',       ''),
('bookings',          'siud', 'siud', 's',    '',      '',       ''),
('waiting_list',      'siud', 'siud', 's',    '',      '',       '');

insert into tests.expected values -- the garage
('garages',           'su',   's',    's',    '',      '',       ''),
('customers',         'siud', 'siud', 's',    '',      '',       ''),
('vehicles',          'siud', 'siud', 's',    '',      '',       ''),
('vehicle_photos',    'siud', 'siud', 's',    '',      '',       ''),
('mechanics',         'siud', 'siud', 's',    '',      '',       ''),
('repairs',           'siud', 'siud', 's',    '',      '',       ''),
('repair_lines',      'siud', 'siud', 's',    '',      '',       ''),
('invoices',          'siud', 'siud', 's',    '',      '',       ''),
('invoice_lines',     'siud', 'siud', 's',    '',      '',       ''),
('appointments',      'siud', 'siud', 's',    '',      '',       ''),
('stock_items',       'siud', 'siud', 's',    '',      '',       ''),
('stock_movements',   'siud', 'siud', 's',    '',      '',       ''),
('settings',          'siud', 'siud', 's',    '',      '',       '');

insert into tests.expected values -- health stock
('sites',             'su',   's',    's',    '',      '',       ''),
('products',          'siud', 'siud', 's',    '',      '',       ''),
('lots',              'siud', 'siud', 's',    '',      '',       ''),
('receptions',        'siud', 'siud', 's',    '',      '',       ''),
('reception_lines',   'siud', 'siud', 's',    '',      '',       ''),
('withdrawals',       'siud', 'siud', 's',    '',      '',       ''),
('withdrawal_lines',  'siud', 'siud', 's',    '',      '',       ''),
('inventories',       'siud', 'siud', 's',    '',      '',       ''),
('inventory_counts',  'siud', 'siud', 's',    '',      '',       ''),
('product_levels',    's',    's',    's',    '',      '',       ''),
('product_movements', 's',    's',    's',    '',      '',       '');

-- What a row needs beside its id, and in which kind of workspace it is. A parent is the row of its
-- table called 'parent'.
create table tests.sample (name text primary key, kind text, needs jsonb not null default '{}');
insert into tests.sample
select name, kind, needs from (values
    ('users', null, '{}'::jsonb),
    ('workspaces', 'garage', '{"kind": "garage", "name": "another"}'),
    ('members', 'garage', jsonb_build_object('user_id', tests.id('person', 'stranger'), 'role', 'viewer')),
    ('invitations', 'garage', '{"role": "viewer", "expires_at": "2100-01-01"}'),
    ('history', 'garage', '{"table_name": "customers", "row_id": "00000000-0000-0000-0000-000000000000",
        "operation": "insert", "after": {}}'),
    ('user_profiles', null, '{"display_name": "Zoé"}'),
    ('contents', null, '{"content_id": "36", "title": "Ayla"}'),
    ('watch_history', null, '{"content_id": "36", "content_type": "movie"}'),
    ('watchlist', null, '{"content_type": "movie"}'),
    ('ratings', null, '{"content_type": "movie", "rating": 5}'),
    ('calendars', 'calendar', '{}'),
    ('resources', 'calendar', '{"name": "desk"}'),
    ('bookings', 'calendar', jsonb_build_object('resource_id', tests.id('resources', 'parent'))),
    ('waiting_list', 'calendar', '{}'),
    ('garages', 'garage', '{}'),
    ('customers', 'garage', '{}'), ('vehicles', 'garage', '{}'), ('mechanics', 'garage', '{}'),
    ('vehicle_photos', 'garage', jsonb_build_object('vehicle_id', tests.id('vehicles', 'parent'))),
    ('repairs', 'garage', '{}'),
    ('repair_lines', 'garage', jsonb_build_object('repair_id', tests.id('repairs', 'parent'))),
    ('invoices', 'garage', '{"subtotal": 0, "tax_amount": 0, "total_amount": 0}'),
    ('invoice_lines', 'garage', jsonb_build_object('invoice_id', tests.id('invoices', 'parent'))),
    ('appointments', 'garage', '{}'), ('stock_items', 'garage', '{}'),
    ('stock_movements', 'garage', jsonb_build_object(
        'stock_item_id', tests.id('stock_items', 'parent'), 'kind', 'in', 'quantity', 1
    )),
    ('settings', 'garage', '{"name": "main", "value": {}}'),
    ('sites', 'site', '{}'), ('products', 'site', '{"name": "gauze"}'),
    ('lots', 'site', jsonb_build_object('product_id', tests.id('products', 'parent'))),
    ('receptions', 'site', '{}'),
    ('reception_lines', 'site', jsonb_build_object(
        'reception_id', tests.id('receptions', 'parent'), 'product_id', tests.id('products', 'parent'), 'quantity', 1
    )),
    ('withdrawals', 'site', '{}'),
    ('withdrawal_lines', 'site', jsonb_build_object(
        'withdrawal_id', tests.id('withdrawals', 'parent'), 'product_id', tests.id('products', 'parent'), 'quantity', 1
    )),
    ('inventories', 'site', '{}'),
    ('inventory_counts', 'site', jsonb_build_object('product_id', tests.id('products', 'parent'), 'counted', 9)),
    ('product_levels', 'site', jsonb_build_object('product_id', tests.id('products', 'parent'))),
    ('product_movements', 'site', jsonb_build_object(
        'product_id', tests.id('products', 'parent'), 'quantity', 1, 'cause', 'count', 'line_id', tests.id('x')
    ))
) as samples (name, kind, needs);

-- Every table, view and foreign table the API exposes.
create view tests.exposed as
select relname::text as name, oid from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
    and relname <> '_sqlx_migrations'; -- a tool's own, closed to the API, tried in 000_catalogue

select no_plan();
select set_eq('select name from tests.exposed', 'select name from tests.expected', 'every exposed table says who may do what');
select set_eq('select name from tests.exposed', 'select name from tests.sample', 'every exposed table has a sample');

create function tests.has_column(target text, col text) returns boolean language sql stable as $$
    select exists (
        select from pg_attribute where attrelid = format('public.%I', target)::regclass and attname = col and not attisdropped
    )
$$;

-- A row like the sample, with an id of its own, as an insert.
create function tests.addition(target text, label text, whose text default null) returns text
language plpgsql stable as $$
declare
    sample tests.sample;
    values_ jsonb;
begin
    select * into sample from tests.sample where name = target;
    values_ := sample.needs;
    if target in ('history', 'product_movements') then
        null; -- numbered by the database
    else
        values_ := values_ || jsonb_build_object('id', tests.id(target, label));
    end if;
    if tests.has_column(target, 'workspace_id') then
        values_ := values_ || jsonb_build_object('workspace_id', tests.shared(sample.kind));
    end if;
    if whose is not null and tests.has_column(target, 'owner_id') then
        values_ := values_ || jsonb_build_object('owner_id', tests.id('person', whose));
    end if;
    if whose is not null and sample.kind is null and tests.has_column(target, 'user_id') then
        values_ := values_ || jsonb_build_object('user_id', tests.id('person', whose));
    end if;
    if target in ('watchlist', 'ratings') then
        values_ := values_ || jsonb_build_object('content_id', label);
    elsif target = 'lots' then
        values_ := values_ || jsonb_build_object('number', label);
    elsif target = 'bookings' then -- each at a time of its own
        values_ := values_ || jsonb_build_object(
            'starts_at', timestamptz '2026-01-01Z' + abs(hashtext(label)) % 100000 * interval '1 hour',
            'ends_at', timestamptz '2026-01-01 00:30Z' + abs(hashtext(label)) % 100000 * interval '1 hour'
        );
    end if;
    return format(
        'insert into public.%1$I (%2$s) select %2$s from jsonb_populate_record(null::public.%1$I, %3$L)',
        target, (select string_agg(format('%I', key), ', ') from jsonb_object_keys(values_) as key), values_
    );
end
$$;

-- The rows that are looked at. Parents first, then one of each for everybody to try; streaming's
-- are the owner's, and one of each is that of who is banned.
do $$
declare
    target text;
begin
    foreach target in array array[
        'resources', 'vehicles', 'repairs', 'invoices', 'stock_items', 'products', 'receptions', 'withdrawals'
    ] loop
        execute tests.addition(target, 'parent', 'owner');
    end loop;
    for target in select name from tests.sample where name not in (
        'users', 'workspaces', 'members', 'history', 'calendars', 'garages', 'sites', 'product_levels', 'product_movements'
    ) order by name = 'withdrawal_lines', name = 'inventory_counts' loop
        execute tests.addition(target, 'row', 'owner');
    end loop;
    for target in select name from tests.sample where kind is null and name <> 'users' loop
        execute tests.addition(target, 'banned', 'banned');
    end loop;
end
$$;

create function tests.condition(target text, who text) returns text language plpgsql stable as $$
begin
    return format('id = %L', case
        when target = 'users' then tests.id('person', case who when 'banned' then 'banned' else 'owner' end)::text
        when target in ('workspaces', 'garages') then tests.shared('garage')::text
        when target = 'calendars' then tests.shared('calendar')::text
        when target = 'sites' then tests.shared('site')::text
        when target = 'members' then tests.id('garage', 'colleague')::text
        when target = 'history' then (select min(id)::text from public.history where workspace_id = tests.shared('garage'))
        when target = 'product_levels' then (select id::text from public.product_levels limit 1)
        when target = 'product_movements' then (select min(id)::text from public.product_movements)
        when who = 'banned' and (select kind is null from tests.sample where name = target) then tests.id(target, 'banned')::text
        else tests.id(target, 'row')::text
    end);
end
$$;

-- A column that may be changed, to itself.
create function tests.change(target text) returns text language sql stable as $$
    select coalesce(
        min(attname) filter (where has_column_privilege('authenticated', attrelid, attnum, 'update')
            and attname not in ('id', 'workspace_id', 'owner_id', 'user_id')),
        min(attname)
    )
    from pg_attribute where attidentity = '' and attrelid = format('public.%I', target)::regclass and attnum > 0 and not attisdropped
$$;

create function tests.may(target text, who text) returns text language plpgsql stable as $$
declare
    found text := '';
    answer text;
    attempt record;
begin
    for attempt in
        select letter, statement from (values
            ('s', format('select from public.%I where %s', target, tests.condition(target, who))),
            ('i', tests.addition(target, who)),
            ('u', format('update public.%1$I set %2$I = %2$I where %3$s', target, tests.change(target), tests.condition(target, who))),
            ('d', format('delete from public.%I where %s', target, tests.condition(target, who)))
        ) as attempts (letter, statement)
    loop
        answer := tests.attempt(who, attempt.statement);
        found := found || case answer when '1' then attempt.letter when '0' then '' when '42501' then ''
            else '(' || attempt.letter || ': ' || answer || ')' end;
    end loop;
    return found;
end
$$;

select is(tests.may(expected.name, who), to_jsonb(expected) ->> who, format('%s: %s', expected.name, who))
from tests.expected
cross join unnest(array['owner', 'editor', 'viewer', 'stranger', 'anonymous', 'banned']) as who
where to_regclass('public.' || expected.name) is not null
order by expected.name, who;

-- And history tells nobody of a row they may not see.
select is(
    tests.attempt(who, format(
        'select from public.history where table_name = %L and %L in (workspace_id, user_id)',
        expected.name, coalesce(tests.shared(kind), tests.id('person', 'owner'))
    )) <> '0',
    position('s' in to_jsonb(expected) ->> who) > 0 and expected.name not in ('history', 'product_levels', 'product_movements'),
    format('history of %s: %s', expected.name, who)
)
from tests.expected
join tests.sample using (name)
cross join unnest(array['owner', 'editor', 'viewer', 'stranger', 'banned']) as who
where to_regclass('public.' || expected.name) is not null
order by expected.name, who;

-- Nothing else keeps them out: who is banned no more is an owner again.
update users set is_banned = false where id = tests.id('person', 'banned');
select is(tests.may('customers', 'banned'), 'siud', 'who is banned no more is back');
update users set is_active = false where id = tests.id('person', 'banned');
select is(tests.may('customers', 'banned'), '', 'who is not active is shut out of what they share');
select is(tests.may('ratings', 'banned'), '', 'and of what is theirs');

select * from finish();
rollback;
