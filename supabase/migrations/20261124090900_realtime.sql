-- News. Who may read a row may be told that it changed: the tables are published, and Realtime
-- asks their policies for each listener. Of a row that is gone it cannot ask: it tells everybody
-- who listens to the table the primary key, which is a random number, and nothing else. So no
-- table here has replica identity full, and no key that says anything.
--
-- A topic belongs to a workspace (workspace:<id>) or a person (person:<id>). Members of the
-- workspace listen and show that they are there, editors also send; a person does both on
-- their own topic. Nobody else joins one.

alter publication supabase_realtime add table
public.users, public.user_profiles, public.contents, public.watch_history, public.watchlist,
public.ratings,
public.workspaces, public.members, public.invitations,
public.calendars, public.resources, public.bookings, public.waiting_list,
public.garages, public.customers, public.vehicles, public.vehicle_photos, public.mechanics, public.repairs,
public.repair_lines, public.invoices, public.invoice_lines, public.appointments, public.stock_items,
public.stock_movements, public.settings,
public.sites, public.products, public.lots, public.receptions, public.reception_lines, public.withdrawals,
public.withdrawal_lines, public.inventories, public.inventory_counts, public.product_levels;

create policy topics_listen on realtime.messages for select to authenticated
using (
    extension in ('broadcast', 'presence')
    and (select realtime.topic()) = any (array(
        select 'workspace:' || id from private.readable() as id union all select 'person:' || private.me()
    ))
);
create policy topics_send on realtime.messages for insert to authenticated
with check (
    extension = 'presence' and (select realtime.topic()) = any (array(
        select 'workspace:' || id from private.readable() as id union all select 'person:' || private.me()
    ))
    or extension = 'broadcast' and (select realtime.topic()) = any (array(
        select 'workspace:' || id from private.editable() as id union all select 'person:' || private.me()
    ))
);
