-- Deliveries, withdrawals and counts: whole or not at all, and never below zero.
begin;
\ir people.psql
select no_plan();
create function tests.level(product text) returns text language sql stable as $$
    select string_agg(coalesce(lots.number, '-') || ' ' || trim_scale(quantity), ', ' order by lots.number nulls first)
    from public.product_levels as levels left join public.lots on lots.id = levels.lot_id
    where levels.product_id = tests.id(product)
$$;
create function tests.lines(variadic what text[]) returns jsonb language sql immutable as $$
    select jsonb_agg(jsonb_build_object('product_id', tests.id(split_part(line, ' ', 1)), 'quantity', split_part(line, ' ', 2)::numeric,
        'lot_number', nullif(split_part(line, ' ', 3), ''), 'expires_on', nullif(split_part(line, ' ', 4), ''))) from unnest(what) as line
$$;

select tests.as('editor');
insert into products (id, workspace_id, name, threshold) values
(tests.id('gauze'), tests.shared('site'), 'gauze', 5), (tests.id('tape'), tests.shared('site'), 'tape', null);

select receive_stock(tests.lines('gauze 10 B 2099-06-01', 'gauze 5 A 2099-01-01', 'gauze 7 old 2020-01-01', 'tape 3'), tests.shared('site'), 'Supplier', id => tests.id('r1'));
select is(tests.level('gauze'), 'A 5, B 10, old 7', 'a delivery makes its lots');
select receive_stock(tests.lines('gauze 10 B 2099-06-01'), tests.shared('site'), id => tests.id('r1'));
select is(tests.level('gauze'), 'A 5, B 10, old 7', 'sent twice it comes once');
select receive_stock(tests.lines('gauze 1 B 2099-06-01'), tests.shared('site'));
select is(tests.level('gauze'), 'A 5, B 11, old 7', 'a lot that is there is the same');
select withdraw_stock(tests.lines('gauze 6', 'tape 1'), tests.shared('site'), 'Ward 3', id => tests.id('w1'));
select is(tests.level('gauze'), 'A 0, B 10, old 7', 'what expires first goes first, and what has expired does not');
select throws_ok(format('select withdraw_stock(%L, %L)', tests.lines('tape 1', 'gauze 11'), tests.shared('site')), '23514', null, 'more than there is');
select is(tests.level('tape'), '- 2', 'and nothing of it happened');
select is((select count(*) from withdrawals where workspace_id = tests.shared('site')), 1::bigint, 'not even its heading');
select throws_ok(format('select withdraw_stock(%L, %L)', lines, tests.shared('site')), '23514', null, 'nonsense: ' || lines)
from unnest(array['[]', format('[{"product_id": "%s", "quantity": 0}]', tests.id('tape')), format('[{"product_id": "%s", "quantity": -1}]', tests.id('tape')), format('[{"product_id": "%s", "quantity": 0.0004}]', tests.id('tape')), format('[{"product_id": "%s"}]', tests.id('tape'))]) as lines;
select throws_ok(format('select %s(null, %L)', operation, tests.shared('site')), '23514', null, 'nothing at all: ' || operation)
from unnest(array['receive_stock', 'withdraw_stock', 'count_stock']) as operation;
select throws_ok(format('select receive_stock(%L, %L)', tests.lines('tape NaN'), tests.shared('site')), '23514', null, 'what is no number does not come in');
select throws_ok(format('select withdraw_stock(%L, %L)', tests.lines('tape NaN'), tests.shared('site')), '23514', null, 'nor go out');
select throws_ok(format('insert into inventory_counts (workspace_id, product_id, counted) values (%L, %L, ''NaN'')', tests.shared('site'), tests.id('tape')), '23514', null, 'nor is it counted');
select throws_ok(format('select receive_stock(%L, id => %L)', tests.lines('tape 1'), tests.id('r1')), 'P0002', null, 'the id of a delivery to another site is no answer here');
select throws_ok(format('select receive_stock(%L, %L)', tests.lines('bandage 1'), tests.shared('site')), '23503', null, 'a product that is not there');
select throws_ok(format('select withdraw_stock(''[{"product_id": "%s", "quantity": 8, "lot_id": "%s"}]'', %L)', tests.id('gauze'),
    (select id from lots where number = 'old'), tests.shared('site')), '23514', null, 'more than there is of a lot');
select withdraw_stock(jsonb_build_array(jsonb_build_object('product_id', tests.id('gauze'), 'quantity', 7, 'lot_id', (select id from lots where number = 'old'))), tests.shared('site'), reason => 'destroyed');
select is(tests.level('gauze'), 'A 0, B 10, old 0', 'a lot that is named is taken, expired or not');

select count_stock(jsonb_build_array(jsonb_build_object('product_id', tests.id('tape'), 'counted', 5)), tests.shared('site'), id => tests.id('n1'));
select is((expected, difference)::text, '(2.000,3.000)', 'a count says what was missing') from inventory_counts where inventory_id = tests.id('n1');
select is(tests.level('tape'), '- 5', 'and the level becomes what was counted');
select throws_ok(format('select count_stock(''[{"product_id": "%1$s", "counted": 1}, {"product_id": "%1$s", "counted": 2}]'', %2$L)', tests.id('tape'), tests.shared('site')), '23514', null, 'nobody counts the same twice at once');
select is(tests.level('tape'), '- 5', 'and nothing of it happened');
update inventory_counts set counted = 4, expected = 0, difference = 99 where inventory_id = tests.id('n1');
select is(tests.level('tape'), '- 4', 'a count that is corrected moves the difference');

-- Lines, whichever way they are written.
update withdrawal_lines set quantity = 3 where withdrawal_id = tests.id('w1') and product_id = tests.id('tape');
select is(tests.level('tape'), '- 2', 'a line that is corrected moves the difference');
delete from withdrawals where id = tests.id('w1');
select is(tests.level('tape') || '; ' || tests.level('gauze'), '- 5; A 5, B 11, old 0', 'one that is removed moves it back');
insert into receptions (id, workspace_id) values (tests.id('history'), tests.shared('site'));
insert into reception_lines (workspace_id, reception_id, product_id, quantity, moves_stock) values (tests.shared('site'), tests.id('history'), tests.id('tape'), 100, false);
insert into inventory_counts (workspace_id, product_id, counted) values (tests.shared('site'), tests.id('tape'), 8);
select is(tests.level('tape'), '- 8', 'what is only remembered moves nothing; what an old app ended with is counted');
select throws_ok(format('insert into inventory_counts (workspace_id, product_id, counted) values (%L, %L, -1)', tests.shared('site'), tests.id('tape')), '23514', null, 'nobody counts less than nothing');
select throws_ok(format('delete from receptions where id = %L', tests.id('r1')), '23514', null, 'a delivery that was handed out since cannot be removed')
from (select withdraw_stock(tests.lines('gauze 16'), tests.shared('site'))) as all_of_it;

-- The level is the sum of its movements, for each.
select tests.as('postgres');
select is_empty($$
    select from product_levels as levels where quantity <> (
        select coalesce(sum(quantity), 0) from product_movements as moved
        where moved.product_id = levels.product_id and moved.lot_id is not distinct from levels.lot_id
    )
$$, 'every level is the sum of its movements');
delete from workspaces where id = tests.shared('site');
select is_empty(format('select from product_movements where workspace_id = %L', tests.shared('site')), 'a site goes with everything in it');

select * from finish();
rollback;
