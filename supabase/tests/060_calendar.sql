-- Bookings that never overlap, in the calendar's own time.
begin;
\ir people.psql
select no_plan();
select tests.as('owner');
update calendars set time_zone = 'Europe/Paris' where id = tests.shared('calendar');
select throws_ok(format('update calendars set time_zone = %L', zone), '23514', null, zone || ' is no place')
from unnest(array['CEST', '+02:00', 'Paris', 'Europe/Atlantis', '', 'FOO-2', 'Europe/Paris+2', 'Europe/Atlantis-2']) as zone;
select tests.as('editor');
insert into resources (id, workspace_id, name) values (tests.id('desk'), tests.shared('calendar'), 'desk'), (tests.id('room'), tests.shared('calendar'), 'room');
select book(tests.id('desk'), '2026-06-01 09:00', '2026-06-01 10:00', 'Zoé', id => tests.id('nine'));
select is(starts_at, timestamptz '2026-06-01 07:00Z', 'nine in summer is seven in UTC') from bookings where id = tests.id('nine');
select is((book(tests.id('desk'), '2026-01-05 09:00', '2026-01-05 10:00')).starts_at, timestamptz '2026-01-05 08:00Z', 'and eight in winter');
select lives_ok(format('select book(%L, ''2026-06-01 10:00'', ''2026-06-01 11:00'')', tests.id('desk')), 'one begins as another ends');
select lives_ok(format('select book(%L, ''2026-06-01 09:00'', ''2026-06-01 11:00'')', tests.id('room')), 'another room is free');
select throws_ok(format('select book(%L, %L, %L)', tests.id('desk'), start, finish), '23P01', null, format('taken: %s to %s', start, finish))
from (values ('2026-06-01 09:00', '2026-06-01 10:00'), ('2026-06-01 09:59', '2026-06-01 10:00'), ('2026-06-01', '2026-06-02'), ('2026-06-01 10:30', '2026-06-01 12:00')) as times (start, finish);
select throws_ok(format('select book(%L, ''2026-06-02 10:00'', ''2026-06-02 10:00'')', tests.id('desk')), '23514', null, 'nobody books no time');
select throws_ok(format('select book(%L, %L, %L)', tests.id('room'), start, finish), '23514', null, format('nobody books for ever: %s to %s', start, finish))
from (values ('2026-06-02', 'infinity'), ('-infinity', '2026-01-01')) as times (start, finish);
select throws_ok(format('select book(%L, ''2026-03-29 02:30'', ''2026-03-29 04:00'')', tests.id('desk')), '22008', null, 'half past two is skipped in spring');
select is(ends_at - starts_at, interval '23 hours', 'so that day is short') from book(tests.id('desk'), '2026-03-29', '2026-03-30');
select is(ends_at - starts_at, interval '25 hours', 'and one in autumn long') from book(tests.id('desk'), '2026-10-25', '2026-10-26');
update bookings set status = 'cancelled' where id = tests.id('nine');
select lives_ok(format('select book(%L, ''2026-06-01 09:00'', ''2026-06-01 10:00'', guest_name => ''Sam'')', tests.id('desk')), 'what is cancelled is free');
select throws_ok(format('update bookings set status = ''confirmed'' where id = %L', tests.id('nine')), '23P01', null, 'and cannot be had back');

select tests.as('owner');
select lives_ok(format('update calendars set time_zone = %L', zone), zone || ' is one')
from unnest(array['Etc/GMT+5', 'America/Port-au-Prince', 'America/Argentina/Buenos_Aires', 'UTC', 'Europe/Paris']) as zone;

-- What anybody may know.
select tests.as('owner');
update calendars set is_public = true where id = tests.shared('calendar');
update resources set is_bookable = false where id = tests.id('room');
select set_config('tests.calendar', tests.shared('calendar')::text, true), set_config('tests.others', tests.strangers('calendar')::text, true);
select tests.as('anonymous');
prepare taken as select resource_name, taken_from, taken_to
from availability((select current_setting('tests.calendar')::uuid), '2026-06-01Z', '2026-07-01Z');
select results_eq(
    'taken',
    $$values ('desk', timestamptz '2026-06-01 07:00Z', timestamptz '2026-06-01 08:00Z'), ('desk', '2026-06-01 08:00Z', '2026-06-01 09:00Z')$$,
    'of a public calendar anybody may ask which times are taken'
);
select is_empty(
    format('select from availability(%L, ''2026-06-01Z'', ''2026-07-01Z'')', current_setting('tests.others')),
    'and of no other'
);
select results_eq(
    format('select resource_name, taken_from from availability(%L, ''2027-06-01Z'', ''2027-07-01Z'')', current_setting('tests.calendar')),
    $$values ('desk', null::timestamptz)$$, 'a resource nobody has booked is named all the same'
);
select is(
    (select array_agg(unnest order by unnest) from unnest((select proargnames from pg_proc where oid = 'availability'::regproc))),
    array['calendar', 'from_time', 'resource_id', 'resource_name', 'taken_from', 'taken_to', 'to_time'],
    'no name, no note, no price'
);

select * from finish();
rollback;
