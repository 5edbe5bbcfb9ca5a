-- What was tried to get more than one may: every attempt ends in a refusal or in nothing.
begin;
\ir people.psql
select no_plan();

-- What is there, and what the editor has elsewhere: a garage of their own, where they may do anything.
insert into customers (id, workspace_id, owner_id, last_name) values
(tests.id('ours'), tests.shared('garage'), tests.id('person', 'owner'), 'Benali'),
(tests.id('theirs'), tests.strangers('garage'), tests.id('person', 'stranger'), 'Lefèvre'),
(tests.id('editors'), private.home('garage', tests.id('person', 'editor')), tests.id('person', 'editor'), 'O''Brien');
insert into ratings (id, user_id, content_id, content_type, rating) values
(tests.id('rating'), tests.id('person', 'owner'), '1', 'movie', 5);
insert into resources (id, workspace_id, owner_id, name) values
(tests.id('desk'), tests.shared('calendar'), tests.id('person', 'owner'), 'desk');
insert into bookings (id, workspace_id, owner_id, resource_id, starts_at, ends_at) values
(tests.id('booking'), tests.shared('calendar'), tests.id('person', 'owner'), tests.id('desk'), '2026-01-01', '2026-01-02');
insert into products (id, workspace_id, owner_id, name) values
(tests.id('gauze'), tests.shared('site'), tests.id('person', 'owner'), 'gauze');
insert into inventory_counts (workspace_id, owner_id, product_id, counted) values
(tests.shared('site'), tests.id('person', 'owner'), tests.id('gauze'), 10);
insert into stock_items (id, workspace_id, owner_id, opening_quantity) values
(tests.id('oil'), tests.shared('garage'), tests.id('person', 'owner'), 10);

create table tests.attempts (who text, statement text, answer text, what text);
insert into tests.attempts values

-- Carrying a row somewhere else.
('editor', format('update customers set workspace_id = %L where id = %L',
    private.home('garage', tests.id('person', 'editor')), tests.id('ours')), '42501', 'an editor of two garages moves no row from one'),
('editor', format('update customers set workspace_id = %L where id = %L',
    tests.shared('garage'), tests.id('editors')), '42501', 'nor into the other'),
('owner', format('update customers set workspace_id = %L where id = %L',
    tests.strangers('garage'), tests.id('ours')), '42501', 'an owner pushes no row on a stranger'),
('owner', format('update customers set id = %L where id = %L', tests.id('new'), tests.id('ours')), '42501', 'a row stays who it is'),
('stranger', format('update ratings set user_id = %L', tests.id('person', 'stranger')), '0', 'nobody takes another''s rating'),
('owner', format('update ratings set user_id = %L', tests.id('person', 'stranger')), '42501', 'nor gives theirs away'),
('editor', format('insert into customers (workspace_id) values (%L)', tests.strangers('garage')), '42501', 'nobody adds to a garage they are not in'),
('viewer', format('insert into customers (workspace_id) values (%L)', tests.shared('garage')), '42501', 'nor to one they only read'),
('owner', format('insert into customers (workspace_id) values (%L)', tests.shared('calendar')), '23503', 'a calendar has no customers'),

-- Another's name.
('editor', format('insert into customers (workspace_id, owner_id) values (%L, %L)',
    tests.shared('garage'), tests.id('person', 'owner')), '42501', 'nobody adds a row in another''s name'),
('stranger', format('insert into customers (owner_id) values (%L)', tests.id('person', 'owner')), '42501', 'nor with it into their home'),
('editor', format('update customers set owner_id = %L where id = %L',
    tests.id('person', 'editor'), tests.id('ours')), '42501', 'nor puts theirs under it'),
('stranger', format('insert into ratings (user_id, content_id, content_type, rating) values (%L, ''2'', ''movie'', 1)',
    tests.id('person', 'owner')), '42501', 'nobody rates for another'),

-- Upserts.
('stranger', format('insert into customers (id, last_name) values (%L, ''x'') on conflict (id) do update set last_name = excluded.last_name',
    tests.id('ours')), '42501', 'an upsert takes over nobody''s row'),
('stranger', format('insert into customers (id, workspace_id, owner_id, last_name) values (%L, %L, %L, ''x'') on conflict (id) do update set last_name = excluded.last_name',
    tests.id('ours'), tests.shared('garage'), tests.id('person', 'owner')), '42501', 'nor with forged columns'),
('viewer', format('insert into customers (id, workspace_id, last_name) values (%L, %L, ''x'') on conflict (id) do update set last_name = excluded.last_name',
    tests.id('ours'), tests.shared('garage')), '42501', 'nor as a viewer'),
('stranger', format('insert into customers (id) values (%L) on conflict do nothing', tests.id('ours')), '0', 'one that does nothing does nothing'),

-- Counting what is not theirs: the answer is the same whether there is such a product or not.
('stranger', format('insert into inventory_counts (workspace_id, product_id, lot_id, counted) values (%L, %L, %L, 1)',
    tests.shared('site'), tests.id('gauze'), tests.id('nothing')), '42501', 'a count tells nobody that there is a product'),
('stranger', format('insert into inventory_counts (workspace_id, product_id, lot_id, counted) values (%L, %L, %L, 1)',
    tests.shared('site'), tests.id('nothing'), tests.id('nothing')), '42501', 'nor that there is none'),

-- Pointing at what is not theirs. Foreign keys see through policies, so they name the workspace.
('stranger', format('insert into vehicles (customer_id) values (%L)', tests.id('ours')), '23503', 'a row points at nobody else''s'),
('stranger', format('insert into bookings (resource_id, starts_at, ends_at) values (%L, ''2026-01-01'', ''2026-01-02'')',
    tests.id('desk')), '23503', 'a taken time and a free one'),
('stranger', format('insert into bookings (resource_id, starts_at, ends_at) values (%L, ''2027-01-01'', ''2027-01-02'')',
    tests.id('desk')), '23503', 'look the same to who may not know'),
('stranger', format('insert into stock_movements (stock_item_id, kind, quantity) values (%L, ''out'', 1)', tests.id('oil')), '23503', 'nobody takes from another''s stock'),
('stranger', format('insert into inventory_counts (workspace_id, product_id, counted) values (%L, %L, 0)',
    tests.shared('site'), tests.id('gauze')), '42501', 'nor counts it'),
('stranger', format('insert into inventory_counts (product_id, counted) values (%L, 0)', tests.id('gauze')), '23503', 'nor as if it were theirs'),

-- What only the database writes.
('owner', 'update users set is_banned = false', '42501', 'nobody lifts a ban'),
('owner', 'update users set login_count = 0', '42501', 'nor counts their logins'),
('owner', 'update product_levels set quantity = 99', '42501', 'nobody writes a level'),
('owner', 'update stock_items set quantity = 99', '42501', 'neither of parts'),
('owner', 'insert into stock_items (quantity) values (99)', '42501', 'nor begins with one'),
('owner', 'update history set changed_by = null', '42501', 'nobody rewrites history'),
('service', 'update history set changed_by = null', '42501', 'neither does the project'),
('service', 'delete from history', '42501', 'nor forgets it'),
('postgres', 'delete from history', '42501', 'nor does the owner of the table'),
('postgres', 'truncate history', '42501', 'nor empties it'),
('service', 'update product_levels set quantity = 99', '42501', 'the project writes no level'),

-- Who is in a workspace.
('editor', format('update members set role = ''owner'' where id = %L', tests.id('garage', 'editor')), '0', 'an editor makes themselves no owner'),
('editor', format('delete from members where id = %L', tests.id('garage', 'colleague')), '0', 'nor sends anybody away'),
('editor', format('delete from members where id = %L', tests.id('garage', 'editor')), '1', 'but may leave'),
('stranger', format('insert into members (workspace_id, user_id, role) values (%L, %L, ''owner'')',
    tests.shared('garage'), tests.id('person', 'stranger')), '42501', 'nobody lets themselves in'),
('owner', format('insert into members (workspace_id, user_id, role) values (%L, %L, ''viewer'')',
    tests.shared('garage'), tests.id('person', 'stranger')), '42501', 'nor draws anybody in who was not asked'),
('owner', format('update members set user_id = %L where id = %L', tests.id('person', 'stranger'), tests.id('garage', 'colleague')), '42501', 'nor puts one in another''s place'),
('editor', format('select * from invite(%L, ''owner'')', tests.shared('garage')), '42501', 'an editor invites nobody'),
('stranger', format('select * from invite(%L, ''owner'')', tests.shared('garage')), '42501', 'nor does a stranger'),
('banned', format('select * from invite(%L, ''owner'')', tests.shared('garage')), '42501', 'nor who is banned'),
('banned', 'select * from create_workspace(''garage'', ''mine'')', '42501', 'who makes no workspace either'),
('stranger', 'select * from accept_invitation(''no such token'')', 'P0002', 'a token that was never made is good for nothing'),
('stranger', 'select * from accept_invitation()', 'P0002', 'nor is none'),
('anonymous', 'select * from accept_invitation(''x'')', '42501', 'nobody who is not signed in joins'),
('editor', format('update workspaces set home_of = %L', tests.id('person', 'editor')), '42501', 'nobody makes another''s home theirs'),

-- Through functions.
('stranger', format('select restore(%s)', (select min(id) from history where row_id = tests.id('ours'))), 'P0002', 'nobody restores what they cannot see'),
('viewer', format('select restore(%s)', (select min(id) from history where row_id = tests.id('ours'))), '42501', 'nor what they may not write'),
('viewer', format('select book(%L, ''2026-02-01'', ''2026-02-02'')', tests.id('desk')), '42501', 'a viewer books nothing'),
('stranger', format('select book(%L, ''2026-02-01'', ''2026-02-02'')', tests.id('desk')), 'P0002', 'a stranger finds nothing to book'),
('anonymous', format('select book(%L, ''2026-02-01'', ''2026-02-02'')', tests.id('desk')), '42501', 'nor does an anonymous visitor'),
('stranger', format('select from availability(%L, ''2026-01-01'', ''2026-02-01'')', tests.shared('calendar')), '0', 'a private calendar tells strangers nothing'),
('viewer', format('select withdraw_stock(''[{"product_id": "%s", "quantity": 1}]'', %L)', tests.id('gauze'), tests.shared('site')), '42501', 'a viewer withdraws nothing'),
('stranger', format('select withdraw_stock(''[{"product_id": "%s", "quantity": 1}]'', %L)', tests.id('gauze'), tests.shared('site')), '42501', 'nor does a stranger'),
('stranger', format('select withdraw_stock(''[{"product_id": "%s", "quantity": 1}]'')', tests.id('gauze')), '23514', 'at their own site there is none of it'),
('stranger', format('select receive_stock(''[{"product_id": "%s", "quantity": 1}]'', %L)', tests.id('gauze'), tests.shared('site')), '42501', 'a stranger delivers nothing'),
('stranger', format('select count_stock(''[{"product_id": "%s", "counted": 0}]'', %L)', tests.id('gauze'), tests.shared('site')), '42501', 'nor counts'),
('stranger', 'select private.create_workspace(gen_random_uuid(), ''garage'', ''x'', true)', '42501', 'what stands behind the functions is closed'),
('stranger', format('select private.move_product(%L, %L, null, 5, ''count'', %L)', tests.shared('site'), tests.id('gauze'), tests.id('x')), '42501', 'to everybody'),
('stranger', format('select * from private.pick(%L, %L, 1)', tests.shared('site'), tests.id('gauze')), '42501', 'and what is open asks who is there'),
('stranger', 'select * from private.invitation_tokens', '42501', 'nobody reads the hashes of tokens'),
('owner', 'select * from private.invoice_counters', '42501', 'nor the counters'),

-- Files and topics.
('editor', format('insert into storage.objects (bucket_id, name) values (''vehicle-photos'', ''%s/car/1.jpg'')', tests.shared('garage')), '1', 'an editor adds a photo'),
('viewer', format('insert into storage.objects (bucket_id, name) values (''vehicle-photos'', ''%s/car/1.jpg'')', tests.shared('garage')), '42501', 'a viewer does not'),
('stranger', format('insert into storage.objects (bucket_id, name) values (''vehicle-photos'', ''%s/car/1.jpg'')', tests.shared('garage')), '42501', 'nor does a stranger'),
('stranger', 'insert into storage.objects (bucket_id, name) values (''vehicle-photos'', ''1.jpg'')', '42501', 'nor outside of a folder'),
('stranger', format('insert into storage.objects (bucket_id, name) values (''avatars'', ''%s/me.png'')', tests.id('person', 'owner')), '42501', 'nobody gives another a face'),
('owner', format('insert into storage.objects (bucket_id, name) values (''avatars'', ''%s/me.png'')', tests.id('person', 'owner')), '1', 'but themselves'),
('editor', format('insert into storage.objects (bucket_id, name) values (''backups'', ''%s/b.json'')', tests.shared('garage')), '42501', 'only an owner keeps backups'),
('owner', format('insert into storage.objects (bucket_id, name) values (''backups'', ''%s/b.json'')', tests.shared('garage')), '1', 'of the workspace'),
('banned', format('insert into storage.objects (bucket_id, name) values (''avatars'', ''%s/me.png'')', tests.id('person', 'banned')), '42501', 'who is banned keeps no files'),
('anonymous', 'select from storage.objects', '0', 'nobody lists files without signing in');

select is(tests.attempt(who, statement), answer, format('%s: %s', who, what)) from tests.attempts;

-- Nothing of it happened.
select is(last_name, 'Benali', 'the row is as it was') from customers where id = tests.id('ours');

-- The stores of two kinds of files, looked at by each.
insert into storage.objects (bucket_id, name) values
('vehicle-photos', tests.shared('garage') || '/car/1.jpg'), ('backups', tests.shared('garage') || '/b.json'),
('avatars', tests.id('person', 'owner') || '/me.png');
select is(tests.attempt(who, 'select from storage.objects'), sees, format('%s sees %s files', who, sees))
from (values ('owner', '3'), ('editor', '1'), ('viewer', '1'), ('stranger', '0'), ('banned', '0'), ('anonymous', '0')) as seen (who, sees);

-- Topics.
create function tests.topic(who text, topic text, statement text) returns text language plpgsql as $$
begin
    perform set_config('realtime.topic', topic, true);
    return tests.attempt(who, statement);
end
$$;
select is(
    tests.topic(who, topic, format('insert into realtime.messages (topic, extension) values (%L, %L)', topic, extension)),
    answer, format('%s sends %s to %s: %s', who, extension, left(topic, 9), answer)
)
from (values
    ('owner', 'broadcast', '1'), ('editor', 'broadcast', '1'), ('viewer', 'broadcast', '42501'), ('viewer', 'presence', '1'),
    ('stranger', 'broadcast', '42501'), ('stranger', 'presence', '42501'), ('banned', 'presence', '42501'),
    ('anonymous', 'broadcast', '42501')
) as senders (who, extension, answer), (select 'workspace:' || tests.shared('garage') as topic) as place;
select is(
    tests.topic('stranger', 'person:' || tests.id('person', 'owner'), 'insert into realtime.messages (topic, extension) values (''x'', ''broadcast'')'),
    '42501', 'nobody sends to another''s own topic'
);
select is(
    tests.topic('owner', 'person:' || tests.id('person', 'owner'), 'insert into realtime.messages (topic, extension) values (''x'', ''broadcast'')'),
    '1', 'but to theirs'
);
insert into realtime.messages (topic, extension) values ('workspace:' || tests.shared('garage'), 'broadcast');
select is(tests.topic(who, 'workspace:' || tests.shared('garage'), 'select from realtime.messages limit 1'), sees, format('%s listens: %s', who, sees))
from (values ('viewer', '1'), ('stranger', '0'), ('banned', '0'), ('anonymous', '0')) as seen (who, sees);

select * from finish();
rollback;
