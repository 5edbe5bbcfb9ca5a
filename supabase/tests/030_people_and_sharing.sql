-- People, invitations, the last owner, history and restoring.
begin;
\ir people.psql
select no_plan();

-- Signing up and in.
insert into auth.users (id, email, raw_user_meta_data, created_at) values
(tests.id('person', 'new'), 'new@example.test', jsonb_build_object('name', repeat('x', 300), 'country', 'Sénégal'), '2026-01-02Z');
select is(left(name, 201), repeat('x', 200), 'a long name is cut, and stops nobody from signing up') from users where id = tests.id('person', 'new');
select is((country, is_active, is_banned, login_count, registration_date)::text, ('Sénégal'::text, true, false, 0, timestamptz '2026-01-02Z')::text, 'a new person')
from users where id = tests.id('person', 'new');
update auth.users set last_sign_in_at = '2026-01-03' where id = tests.id('person', 'new');
update auth.users set last_sign_in_at = '2026-01-04' where id = tests.id('person', 'new');
update auth.users set updated_at = now() where id = tests.id('person', 'new');
select is(login_count, 2, 'each sign-in counts once') from users where id = tests.id('person', 'new');
select results_eq(
    format('select kind from workspaces where home_of = %L order by 1', tests.id('person', 'new')),
    array['calendar', 'garage', 'site'], 'a new person has a workspace of each kind'
);
select is(tests.attempt('stranger', 'insert into ratings (content_id, content_type, rating) values (''1'', ''movie'', 6)'), '23514', 'six stars are too many');
select is(tests.attempt('stranger', 'insert into ratings (content_id, content_type, rating) values (''1'', ''movie'', 1), (''1'', ''movie'', 2)'), '23505', 'one rating for each');
select is(tests.attempt('stranger', 'insert into watchlist (content_id, content_type) values (''1'', ''movie''), (''1'', ''series'')'), '2', 'a film is no series');
select is(tests.attempt('stranger', 'insert into watch_history (content_id, content_type) values (''1'', ''movie''), (''1'', ''movie'')'), '2', 'watched twice is watched twice');

-- Invitations.
select tests.as('owner');
select * from invite(tests.shared('garage'), 'viewer') \gset open_
select * from invite(tests.shared('garage'), 'editor', ' Stranger@Example.TEST ') \gset named_
select * from invite(tests.shared('garage'), 'editor', 'new@example.test') \gset unconfirmed_
select * from invite(tests.shared('garage'), 'viewer', valid_for => '1 minute') \gset over_
select throws_ok(format('select * from invite(%L, ''king'')', tests.shared('garage')), '23514', null, 'there are three roles');
select throws_ok(format('select * from invite(%L, ''viewer'', valid_for => ''1 year'')', tests.shared('garage')), '23514', null, 'no invitation is for ever');
select isnt(:'open_token'::text, :'named_token'::text, 'each has a token of its own');
select tests.as('postgres');
update invitations set expires_at = now() where id = :'over_invitation_id';
select is((select count(*) from private.invitation_tokens where position(:'open_token' in encode(hash, 'hex')) > 0), 0::bigint, 'the token is not kept');
select is(tests.attempt('colleague', format('select accept_invitation(%L)', :'named_token')), 'P0002', 'an address and no token to it');
select is(tests.attempt('new', format('select accept_invitation(%L)', :'unconfirmed_token')), 'P0002', 'an address that was not confirmed');
select is(tests.attempt('new', format('select accept_invitation(%L)', :'over_token')), 'P0002', 'too late');
select is(tests.attempt('new', format('select accept_invitation(invitation => %L)', :'open_invitation_id')), 'P0002', 'the id alone is no token');
select is(tests.attempt('stranger', 'select from invitations'), '1', 'whoever was invited sees it');
select tests.as('stranger');
select is((accept_invitation(invitation => :'named_invitation_id')).role, 'editor', 'and accepts it');
select is((select count(*) from workspaces where id = tests.shared('garage')), 1::bigint, 'and is in');
select is((accept_invitation(:'open_token')).role, 'editor', 'an invitation takes nothing away');
select throws_ok(format('select accept_invitation(%L)', :'open_token'), 'P0002', null, 'it is good once');
select tests.as('postgres');

-- Owners.
select is(tests.attempt('owner', format('delete from members where workspace_id = %L and role = ''owner'' and user_id = %L', tests.shared('garage'), tests.id('person', 'owner'))), '1', 'an owner leaves another owner');
delete from members where user_id = tests.id('person', 'banned') and workspace_id = tests.shared('garage');
select is(tests.attempt('owner', format('delete from members where user_id = %L and workspace_id = %L', tests.id('person', 'owner'), tests.shared('garage'))), '23514', 'the last one stays');
select is(tests.attempt('owner', format('update members set role = ''viewer'' where user_id = %L and workspace_id = %L', tests.id('person', 'owner'), tests.shared('garage'))), '23514', 'and stays owner');
select is(tests.attempt('owner', format('delete from workspaces where id = %L', tests.shared('garage'))), '1', 'or removes the workspace');
select is(tests.attempt('stranger', 'delete from members'), '23514', 'also when there is nobody else');

-- Who is sent away, and what they leave.
select tests.as('owner');
update members set role = 'owner' where user_id = tests.id('person', 'colleague') and workspace_id = tests.shared('garage');
select tests.as('colleague');
select * from invite(tests.shared('garage'), 'owner') \gset back_
select tests.as('owner');
delete from members where user_id = tests.id('person', 'colleague') and workspace_id = tests.shared('garage');
select is(tests.attempt('colleague', format('select accept_invitation(%L)', :'back_token')), 'P0002', 'an owner who was sent away has no way back');
select is(tests.attempt('stranger', format('select accept_invitation(%L)', :'back_token')), 'P0002', 'nor has anybody through them');
select tests.as('postgres');
create temporary table left_home as select private.home('site', tests.id('person', 'colleague')) as id;
insert into members (workspace_id, user_id, role) select id, tests.id('person', 'stranger'), 'owner' from left_home;
grant select on left_home to authenticated;
select tests.as('colleague');
update members set role = 'viewer' where user_id = tests.id('person', 'colleague') and workspace_id = (select id from left_home);
delete from members where user_id = tests.id('person', 'colleague') and workspace_id = (select id from left_home);
select is(private.home('site'), null, 'whoever left is at home there no more, whatever they were');
select tests.as('postgres');
update users set login_count = 2147483647 where id = tests.id('person', 'new');
update auth.users set last_sign_in_at = '2026-01-05' where id = tests.id('person', 'new');
select is(login_count, 2147483647, 'a full count stops no sign-in') from users where id = tests.id('person', 'new');

-- History.
select tests.as('editor');
insert into customers (id, workspace_id, last_name) values (tests.id('c'), tests.shared('garage'), 'one');
update customers set last_name = 'two' where id = tests.id('c');
update customers set last_name = last_name where id = tests.id('c');
select tests.as('owner');
update customers set last_name = 'three', updated_at = '2000-01-01' where id = tests.id('c');
select isnt(updated_at, timestamptz '2000-01-01', 'updated_at is not what was sent') from customers where id = tests.id('c');
delete from customers where id = tests.id('c');
select tests.as('viewer');
select results_eq(
    format($$select operation, changed_by, before ->> 'last_name', after ->> 'last_name' from history where row_id = %L order by id$$, tests.id('c')),
    format($$values ('insert', %1$L::uuid, null, 'one'), ('update', %1$L, 'one', 'two'), ('update', %2$L, 'two', 'three'), ('delete', %2$L, 'three', null)$$,
        tests.id('person', 'editor'), tests.id('person', 'owner')),
    'who, when, before and after; what changed nothing is not told of'
);
select tests.as('editor');
select is(restore((select min(id) from history where row_id = tests.id('c'))) ->> 'last_name', 'one', 'a row that is gone comes back');
select is(owner_id, tests.id('person', 'editor'), 'under the name of who brought it back') from customers where id = tests.id('c');
select is(restore((select max(id) - 0 from history where row_id = tests.id('c') and operation = 'delete')) ->> 'last_name', 'three', 'and goes to any time');
select is(count(*), 1::bigint, 'it is one row') from customers where id = tests.id('c');
select tests.as('stranger');
select is((select count(*) from history where workspace_id = tests.shared('calendar')), 0::bigint, 'a stranger reads no history');
select tests.as('owner');
insert into ratings (id, content_id, content_type, rating) values (tests.id('r'), '1', 'movie', 5);
select is((select count(*) from history where row_id = tests.id('r')), 1::bigint, 'a person reads that of their own rows');
select tests.as('editor');
select is((select count(*) from history where row_id = tests.id('r')), 0::bigint, 'and nobody else does');

-- Going.
select tests.as('postgres');
insert into members (workspace_id, user_id, role) values (tests.strangers('garage'), tests.id('person', 'viewer'), 'viewer'), (tests.strangers('garage'), tests.id('person', 'editor'), 'editor');
create temporary table kept as select id, kind from workspaces where home_of = tests.id('person', 'stranger');
delete from auth.users where id = tests.id('person', 'stranger');
select results_eq(
    'select kind from workspaces where id in (select id from kept)', array['garage'],
    'an account takes its workspaces with it, but what others are in'
);
select is(role, 'owner', 'which goes to the editor') from members where user_id = tests.id('person', 'editor') and workspace_id = (select id from kept where kind = 'garage');
select is_empty(format('select from history where user_id = %L', tests.id('person', 'stranger')), 'and its history');
delete from workspaces where id = tests.shared('garage');
select is_empty(format('select from history where workspace_id = %L', tests.shared('garage')), 'a workspace takes its history with it');

select tests.as('owner');
select is((create_workspace('garage', 'Second')).home_of, tests.id('person', 'owner'), 'a new garage becomes the home of who has none');
select is((create_workspace('garage', 'Third')).home_of, null, 'a further one does not');
insert into customers (id) values (tests.id('home'));
select is(workspace_id, private.home('garage'), 'a row that says nothing goes home') from customers where id = tests.id('home');
select tests.as('service');
insert into customers (id, owner_id) values (tests.id('by service'), tests.id('person', 'owner'));
select is(workspace_id, private.home('garage', tests.id('person', 'owner')), 'also when the project writes it for its owner') from customers where id = tests.id('by service');

select * from finish();
rollback;
