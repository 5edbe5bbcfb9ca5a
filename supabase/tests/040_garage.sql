-- Invoices that add up, are numbered and stay; stock that follows its movements.
begin;
\ir people.psql
select no_plan();
select tests.as('owner');
update garages set invoice_prefix = 'F-' where id = tests.shared('garage');
select tests.as('editor');
insert into invoices (id, workspace_id, tax_rate, subtotal, total_amount, number, serial) values (tests.id('i'), tests.shared('garage'), 20, 1, 1, 'FAKE', 7);
select is((number, serial, subtotal, total_amount)::text, '(,,0.00,0.00)', 'a draft has no number and only what its lines say') from invoices where id = tests.id('i');
insert into invoice_lines (id, workspace_id, invoice_id, description, quantity, unit_price, total_price) values
(tests.id('l1'), tests.shared('garage'), tests.id('i'), 'oil', 3, 9.99, 1),
(tests.id('l2'), tests.shared('garage'), tests.id('i'), 'work', 0.333, 60, null);
select is((subtotal, tax_amount, total_amount)::text, '(49.95,9.99,59.94)', 'lines are rounded, and their sum taxed') from invoices where id = tests.id('i');
update invoice_lines set quantity = 1 where id = tests.id('l1');
delete from invoice_lines where id = tests.id('l2');
update invoices set tax_rate = 10, total_amount = 5 where id = tests.id('i');
select is((subtotal, tax_amount, total_amount)::text, '(9.99,1.00,10.99)', 'a draft follows its lines') from invoices where id = tests.id('i');
select throws_ok(format('update invoices set serial = 3 where id = %L', tests.id('i')), '23514', null, 'nobody numbers by hand');
select throws_ok(format('update invoices set status = ''cancelled'' where id = %L', tests.id('i')), '23514', null, 'a draft is removed, not cancelled');
select throws_ok('insert into invoices (status) values (''sent'')', '23514', null, 'an invoice begins as a draft');
insert into invoices (id, workspace_id) values (tests.id('empty'), tests.shared('garage'));
select throws_ok(format('select issue_invoice(%L)', tests.id('empty')), '23514', null, 'one without lines is not sent');
select is((issue_invoice(tests.id('i'), '2026-12-31')).number, 'F-000001', 'the first number: what was refused took none');
select throws_ok(format('select issue_invoice(%L)', tests.id('i')), 'P0002', null, 'it is sent once');
select throws_ok(format('update invoices set %s where id = %L', change, tests.id('i')), '23514', null, 'sent, it does not change: ' || change)
from unnest(array['tax_rate = 0', 'due_on = null', 'customer_id = null, tax_rate = 1', 'number = ''x''', 'serial = 9', 'status = ''draft''', 'issued_at = now() + interval ''1 day''', 'legacy_id = ''x''']) as change;
select throws_ok(statement, '23514', null, 'nor do its lines: ' || left(statement, 6)) from (values
    (format('update invoice_lines set quantity = 9 where invoice_id = %L', tests.id('i'))),
    (format('delete from invoice_lines where invoice_id = %L', tests.id('i'))),
    (format('insert into invoice_lines (workspace_id, invoice_id, legacy_id) values (%L, %L, ''x'')', tests.shared('garage'), tests.id('i'))),
    (format('delete from invoices where id = %L', tests.id('i')))
) as attempts (statement);
select lives_ok(format('update invoices set status = ''paid'', paid_amount = 10.99, paid_at = now() where id = %L', tests.id('i')), 'it is paid');

-- Nor does a draft become the old app's, whose amounts are taken as they are.
insert into invoices (id, workspace_id) values (tests.id('d'), tests.shared('garage'));
insert into invoice_lines (workspace_id, invoice_id, unit_price) values (tests.shared('garage'), tests.id('d'), 10);
update invoices set subtotal = 1000, tax_amount = 0, total_amount = 1000, number = 'X', legacy_updated_at = now() where id = tests.id('d');
select is((number, total_amount)::text, '(,10.00)', 'a clock of the old app gives a draft no other amount') from invoices where id = tests.id('d');
select throws_ok(format('update invoices set legacy_id = ''x'', legacy_updated_at = ''2025-01-01'', %s where id = %L', change, tests.id('d')), '23514', null, 'nor does its id: ' || change)
from unnest(array['status = ''sent'', number = ''F-000009''', 'total_amount = 5']) as change;
select throws_ok(format('update invoices set tax_rate = ''NaN'' where id = %L', tests.id('d')), '23514', null, 'no tax is no number');
select throws_ok(format('update invoice_lines set unit_price = ''NaN'' where invoice_id = %L', tests.id('d')), '23514', null, 'nor any price');
update invoices set status = 'sent', subtotal = 1000, total_amount = 1000, legacy_updated_at = '2025-01-01' where id = tests.id('d');
select is((number, total_amount)::text, '(F-000002,10.00)', 'sent with such a clock, it adds up') from invoices where id = tests.id('d');

-- Another garage counts for itself.
select tests.as('stranger');
insert into invoices (id) values (tests.id('s'));
insert into invoice_lines (invoice_id, unit_price) values (tests.id('s'), 1);
select is((issue_invoice(tests.id('s'))).serial, 1::bigint, 'each garage counts for itself');

-- What the old app issued.
insert into invoices (id, number, status, subtotal, tax_amount, total_amount, legacy_id, legacy_updated_at) values
(tests.id('old'), 'FACT-1', 'sent', 10, 1, 12, 'a', '2025-01-01'), (tests.id('twin'), 'FACT-1', 'draft', 10, 2, 12, 'b', '2025-01-01');
insert into invoice_lines (invoice_id, quantity, unit_price, total_price, legacy_id) values (tests.id('old'), 2, 5, 11, 'a#1'), (tests.id('twin'), 2, 5, 10, 'b#1');
select is((number, serial, total_amount)::text, '(FACT-1,,12.00)', 'keeps its number and amounts, though they do not add up') from invoices where id = tests.id('old');
select throws_ok(format('update invoices set total_amount = 11 where id = %L', tests.id('old')), '23514', null, 'and does not change');
select lives_ok(format('update invoices set total_amount = 11, legacy_updated_at = ''2025-02-01'' where id = %L', tests.id('old')), 'but as the old app does');

-- It is an owner's: an editor could give any amount a number with it.
select tests.as('owner');
insert into invoices (id, workspace_id, number, status, total_amount, legacy_id, legacy_updated_at) values
(tests.id('theirs'), tests.shared('garage'), 'FACT-1', 'sent', 12, 'c', '2025-01-01'),
(tests.id('open'), tests.shared('garage'), 'FACT-2', 'draft', 12, 'd', '2025-01-01');
insert into invoice_lines (id, workspace_id, invoice_id, total_price, legacy_id) values (tests.id('line'), tests.shared('garage'), tests.id('theirs'), 12, 'c#1');
select is(tests.attempt(who, statement), case who when 'editor' then '42501' else '1' end, who || ': ' || left(statement, 30))
from unnest(array['owner', 'editor', 'service']) as who cross join (values
    (format('insert into invoices (workspace_id, owner_id, number, status, total_amount, legacy_id) values (%L, coalesce(auth.uid(), %L), ''000001'', ''sent'', -5, ''w'')', tests.shared('garage'), tests.id('person', 'owner'))),
    (format('update invoices set total_amount = 11, legacy_updated_at = now() where id = %L', tests.id('theirs'))),
    (format('update invoices set status = ''sent'', legacy_updated_at = now() where id = %L', tests.id('open'))),
    (format('delete from invoices where id = %L', tests.id('theirs'))),
    (format('update invoice_lines set total_price = 11 where id = %L', tests.id('line'))),
    (format('delete from invoice_lines where id = %L', tests.id('line')))
) as attempts (statement);
select is(tests.attempt('editor', format('update invoices set status = ''paid'' where id = %L', tests.id('theirs'))), '1', 'it is paid like any other');
select is(tests.attempt('editor', format('update invoices set total_amount = 13, legacy_updated_at = now() where id = %L', tests.id('open'))), '1', 'and a draft is an editor''s');
select tests.as('stranger');
update invoices set tax_rate = 20 where id = tests.id('twin');
select is((issue_invoice(tests.id('twin'))).serial, 2::bigint, 'a draft of the old app is sent like any other');
select is(total_amount, 12.00, 'and adds up') from invoices where id = tests.id('twin');

-- Parts.
select tests.as('editor');
insert into stock_items (id, workspace_id, name, opening_quantity) values (tests.id('oil'), tests.shared('garage'), 'oil', -2);
select is(quantity, -2.000, 'what the old app counted may be below zero') from stock_items where id = tests.id('oil');
insert into stock_movements (id, workspace_id, stock_item_id, kind, quantity) values (tests.id('m'), tests.shared('garage'), tests.id('oil'), 'in', 10);
insert into stock_movements (workspace_id, stock_item_id, kind, quantity, moves_stock) values (tests.shared('garage'), tests.id('oil'), 'out', 100, false);
select is(quantity, 8.000, 'a level follows its movements, but those it has in it already') from stock_items where id = tests.id('oil');
update stock_movements set quantity = 12 where id = tests.id('m');
update stock_items set opening_quantity = 0 where id = tests.id('oil');
select is(quantity, 12.000, 'and what is corrected') from stock_items where id = tests.id('oil');
select throws_ok(format('insert into stock_movements (workspace_id, stock_item_id, kind, quantity) values (%L, %L, ''out'', 13)', tests.shared('garage'), tests.id('oil')), '23514', null, 'no more goes than there is');
insert into stock_movements (workspace_id, stock_item_id, kind, quantity) values (tests.shared('garage'), tests.id('oil'), 'out', 12);
select throws_ok(format('insert into stock_movements (workspace_id, stock_item_id, kind, quantity) values (%L, %L, %L, ''NaN'')', tests.shared('garage'), tests.id('oil'), kind), '23514', null, 'what is no number moves nothing: ' || kind)
from unnest(array['in', 'out', 'adjustment']) as kind;
select throws_ok(format('update stock_items set opening_quantity = ''NaN'' where id = %L', tests.id('oil')), '23514', null, 'and begins nothing');
select throws_ok(format('delete from stock_movements where id = %L', tests.id('m')), '23514', null, 'what came and went cannot be undone from the beginning');
select is(quantity, 0.000, 'nothing is left') from stock_items where id = tests.id('oil');

select * from finish();
rollback;
