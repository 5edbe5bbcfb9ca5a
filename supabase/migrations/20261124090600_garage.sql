-- The garage: customers, their vehicles, what was repaired, what was invoiced, who did it,
-- when they come next, what lies in stock, and the app's settings.
--
-- Members of a garage read it and its editors write; an owner keeps what is printed on its
-- invoices. A row can only point at rows of the same garage: foreign keys are checked without
-- row-level security, so each of them carries workspace_id.
--
-- A date, a number or a text that the old app left out is null. Amounts are exact decimals.
-- Plates, e-mails and the invoice numbers of the old app may repeat: old data does.
--
-- Invoices. A draft may change; its lines and totals are computed here. When it is sent, it
-- gets the garage's next number, without a gap and in the order of sending, and from then on
-- only what happens to it later changes: its status and its payment. An invoice the old app
-- issued keeps its number and its amounts, whether they add up or not, and follows the old app:
-- only an import that brings another legacy_updated_at changes it.
--
-- Stock. What lies there is what the count began with and every movement since. Nobody writes
-- the level; a movement that takes more than there is, is refused.

create table public.garages (
    id uuid primary key references public.workspaces (id) on delete cascade,
    legal_name text,
    address text,
    phone text,
    email text,
    tax_number text,
    currency text not null default 'EUR' check (currency ~ '^[A-Z]{3}$'),
    time_zone text not null default 'UTC' check (private.is_time_zone(time_zone)),
    invoice_prefix text not null default '' check (char_length(invoice_prefix) <= 20),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.garages is 'Garages, one for each workspace of that kind: what stands on their paper.';
comment on column public.garages.id is 'The workspace.';
comment on column public.garages.legal_name is 'The name on an invoice.';
comment on column public.garages.address is 'The address on an invoice.';
comment on column public.garages.phone is 'The number on an invoice.';
comment on column public.garages.email is 'The e-mail address on an invoice.';
comment on column public.garages.tax_number is 'What the tax office calls it.';
comment on column public.garages.currency is 'What its amounts are in, as MAD.';
comment on column public.garages.time_zone is 'Where it stands, as Africa/Casablanca.';
comment on column public.garages.invoice_prefix is 'What an invoice number begins with.';
comment on column public.garages.created_at is 'When it was made.';
comment on column public.garages.updated_at is 'When the row last changed here.';

create table private.garage_row (like private.workspace_row including all);
comment on table private.garage_row is 'What rows of a garage have in common: a pattern, always empty.';
alter table private.garage_row alter workspace_id set default private.home('garage');

create table public.customers (
    like private.garage_row including all,
    first_name text,
    last_name text,
    email text,
    phone text,
    address text,
    city text,
    postal_code text,
    notes text,
    foreign key (workspace_id) references public.garages (id) on delete cascade
);
comment on table public.customers is 'People and companies whose vehicles the garage repairs.';
comment on column public.customers.first_name is 'First name.';
comment on column public.customers.last_name is 'Last name, or the company''s.';
comment on column public.customers.email is 'E-mail address, as it was written.';
comment on column public.customers.phone is 'Telephone number, as it was written.';
comment on column public.customers.address is 'Street and number.';
comment on column public.customers.city is 'City.';
comment on column public.customers.postal_code is 'Postal code.';
comment on column public.customers.notes is 'Anything else.';
create index customers_name on public.customers (workspace_id, last_name, first_name);

create table public.vehicles (
    like private.garage_row including all,
    customer_id uuid,
    brand text,
    model text,
    year integer,
    license_plate text,
    vin text,
    color text,
    mileage_km numeric,
    fuel_type text,
    notes text,
    foreign key (workspace_id) references public.garages (id) on delete cascade,
    foreign key (workspace_id, customer_id) references public.customers (workspace_id, id)
    on delete set null (customer_id)
);
comment on table public.vehicles is 'Vehicles, each usually with the customer it belongs to.';
comment on column public.vehicles.customer_id is 'Whose it is.';
comment on column public.vehicles.brand is 'Who built it.';
comment on column public.vehicles.model is 'The model.';
comment on column public.vehicles.year is 'The model year.';
comment on column public.vehicles.license_plate is 'The plate, as it was written.';
comment on column public.vehicles.vin is 'The vehicle identification number.';
comment on column public.vehicles.color is 'The colour.';
comment on column public.vehicles.mileage_km is 'How far it has run, in kilometres.';
comment on column public.vehicles.fuel_type is 'What it runs on.';
comment on column public.vehicles.notes is 'Anything else.';
create index vehicles_customer on public.vehicles (workspace_id, customer_id);

create table public.vehicle_photos (
    like private.garage_row including all,
    vehicle_id uuid not null,
    position integer not null default 0,
    path text,
    file_name text,
    category text,
    caption text,
    taken_at timestamptz,
    foreign key (workspace_id) references public.garages (id) on delete cascade,
    foreign key (workspace_id, vehicle_id) references public.vehicles (workspace_id, id) on delete cascade
);
comment on table public.vehicle_photos is 'Pictures of a vehicle, in the order the app listed them.';
comment on column public.vehicle_photos.vehicle_id is 'Of which vehicle.';
comment on column public.vehicle_photos.position is 'Where it stands among the pictures.';
comment on column public.vehicle_photos.path is 'Where it lies in bucket vehicle-photos.';
comment on column public.vehicle_photos.file_name is 'What the file was called.';
comment on column public.vehicle_photos.category is 'What it shows: the front, a damage.';
comment on column public.vehicle_photos.caption is 'What one should know about it.';
comment on column public.vehicle_photos.taken_at is 'When it was taken.';
create index vehicle_photos_vehicle on public.vehicle_photos (workspace_id, vehicle_id, position);

create table public.mechanics (
    like private.garage_row including all,
    first_name text,
    last_name text,
    email text,
    phone text,
    specialties text[] not null default '{}',
    hourly_rate numeric(12, 2),
    is_active boolean not null default true,
    hired_on date,
    foreign key (workspace_id) references public.garages (id) on delete cascade
);
comment on table public.mechanics is 'People who work on the vehicles.';
comment on column public.mechanics.first_name is 'First name.';
comment on column public.mechanics.last_name is 'Last name.';
comment on column public.mechanics.email is 'E-mail address.';
comment on column public.mechanics.phone is 'Telephone number.';
comment on column public.mechanics.specialties is 'What they are good at.';
comment on column public.mechanics.hourly_rate is 'What an hour costs.';
comment on column public.mechanics.is_active is 'Whether they still work here.';
comment on column public.mechanics.hired_on is 'Since when.';

create table public.repairs (
    like private.garage_row including all,
    vehicle_id uuid,
    customer_id uuid,
    mechanic_id uuid,
    title text,
    description text,
    status text not null default 'pending' check (status in ('quote', 'pending', 'in_progress', 'done', 'cancelled')),
    priority text check (priority in ('low', 'normal', 'high', 'urgent')),
    estimated_cost numeric(12, 2),
    actual_cost numeric(12, 2),
    labor_cost numeric(12, 2),
    estimated_hours numeric,
    actual_hours numeric,
    labor_hours numeric,
    started_at timestamptz,
    ended_at timestamptz,
    notes text,
    foreign key (workspace_id) references public.garages (id) on delete cascade,
    foreign key (workspace_id, vehicle_id) references public.vehicles (workspace_id, id)
    on delete set null (vehicle_id),
    foreign key (workspace_id, customer_id) references public.customers (workspace_id, id)
    on delete set null (customer_id),
    foreign key (workspace_id, mechanic_id) references public.mechanics (workspace_id, id)
    on delete set null (mechanic_id)
);
comment on table public.repairs is 'Work on a vehicle, from the quote to the end.';
comment on column public.repairs.vehicle_id is 'On which vehicle.';
comment on column public.repairs.customer_id is 'For whom.';
comment on column public.repairs.mechanic_id is 'By whom.';
comment on column public.repairs.title is 'What it is, in a few words.';
comment on column public.repairs.description is 'What it is, in full.';
comment on column public.repairs.status is 'quote, pending, in_progress, done or cancelled.';
comment on column public.repairs.priority is 'low, normal, high or urgent.';
comment on column public.repairs.estimated_cost is 'What it was thought to cost.';
comment on column public.repairs.actual_cost is 'What it cost.';
comment on column public.repairs.labor_cost is 'How much of it is work.';
comment on column public.repairs.estimated_hours is 'How long it was thought to take.';
comment on column public.repairs.actual_hours is 'How long it took.';
comment on column public.repairs.labor_hours is 'How many hours are charged.';
comment on column public.repairs.started_at is 'When it began.';
comment on column public.repairs.ended_at is 'When it ended.';
comment on column public.repairs.notes is 'Anything else.';
create index repairs_vehicle on public.repairs (workspace_id, vehicle_id);
create index repairs_customer on public.repairs (workspace_id, customer_id);
create index repairs_mechanic on public.repairs (workspace_id, mechanic_id);

create table public.repair_lines (
    like private.garage_row including all,
    repair_id uuid not null,
    position integer not null default 0,
    part_reference text,
    label text,
    quantity numeric(12, 3),
    unit_price numeric(12, 2),
    total_price numeric(12, 2),
    foreign key (workspace_id) references public.garages (id) on delete cascade,
    foreign key (workspace_id, repair_id) references public.repairs (workspace_id, id) on delete cascade
);
comment on table public.repair_lines is 'Parts used in a repair, in the order the app listed them.';
comment on column public.repair_lines.repair_id is 'In which repair.';
comment on column public.repair_lines.position is 'Where it stands among the lines.';
comment on column public.repair_lines.part_reference is 'What the part is called in a catalogue.';
comment on column public.repair_lines.label is 'What the part is.';
comment on column public.repair_lines.quantity is 'How many.';
comment on column public.repair_lines.unit_price is 'What one costs.';
comment on column public.repair_lines.total_price is 'What all of them cost, as the app had it.';
create index repair_lines_repair on public.repair_lines (workspace_id, repair_id, position);

create table public.invoices (
    like private.garage_row including all,
    customer_id uuid,
    repair_id uuid,
    number text,
    serial bigint,
    status text not null default 'draft' check (status in ('draft', 'sent', 'paid', 'overdue', 'cancelled')),
    issued_at timestamptz,
    due_on date,
    subtotal numeric(12, 2),
    tax_rate numeric(5, 2),
    tax_amount numeric(12, 2),
    total_amount numeric(12, 2),
    paid_amount numeric(12, 2),
    payment_method text,
    paid_at timestamptz,
    notes text,
    constraint invoices_sent_has_number check (status = 'draft' or serial is not null or legacy_id is not null),
    constraint invoices_add_up check (
        legacy_id is not null and serial is null
        or coalesce(
            tax_amount = round(subtotal * coalesce(tax_rate, 0) / 100, 2)
            and total_amount = subtotal + tax_amount and total_amount <> 'NaN', false -- NaN equals itself
        )
    ),
    unique (workspace_id, serial),
    foreign key (workspace_id) references public.garages (id) on delete cascade,
    foreign key (workspace_id, customer_id) references public.customers (workspace_id, id)
    on delete set null (customer_id),
    foreign key (workspace_id, repair_id) references public.repairs (workspace_id, id) on delete set null (repair_id)
);
comment on table public.invoices is 'What a customer owes and has paid.';
comment on column public.invoices.customer_id is 'Who owes.';
comment on column public.invoices.repair_id is 'For which repair.';
comment on column public.invoices.number is
'What is printed on it: the garage''s prefix and the serial, or what the old app printed.';
comment on column public.invoices.serial is
'The garage''s 1st, 2nd, 3rd invoice sent from here. Null for a draft, and for one the old app issued.';
comment on column public.invoices.status is 'draft, sent, paid, overdue or cancelled.';
comment on column public.invoices.issued_at is 'When it was sent.';
comment on column public.invoices.due_on is 'When it should be paid.';
comment on column public.invoices.subtotal is 'The lines together.';
comment on column public.invoices.tax_rate is 'Tax in percent.';
comment on column public.invoices.tax_amount is 'Tax.';
comment on column public.invoices.total_amount is 'Lines and tax together.';
comment on column public.invoices.paid_amount is 'What was paid.';
comment on column public.invoices.payment_method is 'How it was paid.';
comment on column public.invoices.paid_at is 'When it was paid.';
comment on column public.invoices.notes is 'Anything else; not printed.';
create index invoices_customer on public.invoices (workspace_id, customer_id);
create index invoices_repair on public.invoices (workspace_id, repair_id);

create table public.invoice_lines (
    like private.garage_row including all,
    invoice_id uuid not null,
    position integer not null default 0,
    description text,
    kind text,
    quantity numeric(12, 3),
    unit_price numeric(12, 2),
    total_price numeric(12, 2),
    constraint invoice_lines_add_up check (
        legacy_id is not null or coalesce(total_price = round(quantity * unit_price, 2) and total_price <> 'NaN', false)
    ),
    foreign key (workspace_id) references public.garages (id) on delete cascade,
    foreign key (workspace_id, invoice_id) references public.invoices (workspace_id, id) on delete cascade
);
comment on table public.invoice_lines is 'Lines of an invoice, in the order the app listed them.';
comment on column public.invoice_lines.invoice_id is 'On which invoice.';
comment on column public.invoice_lines.position is 'Where it stands among the lines.';
comment on column public.invoice_lines.description is 'What is charged.';
comment on column public.invoice_lines.kind is 'What sort of thing it is: a part, work.';
comment on column public.invoice_lines.quantity is 'How many.';
comment on column public.invoice_lines.unit_price is 'What one costs.';
comment on column public.invoice_lines.total_price is 'What all of them cost.';
create index invoice_lines_invoice on public.invoice_lines (workspace_id, invoice_id, position);

create table public.appointments (
    like private.garage_row including all,
    customer_id uuid,
    vehicle_id uuid,
    mechanic_id uuid,
    title text,
    kind text,
    status text not null default 'scheduled'
    check (status in ('scheduled', 'confirmed', 'in_progress', 'done', 'cancelled', 'no_show')),
    starts_at timestamptz,
    duration_minutes integer,
    notes text,
    foreign key (workspace_id) references public.garages (id) on delete cascade,
    foreign key (workspace_id, customer_id) references public.customers (workspace_id, id)
    on delete set null (customer_id),
    foreign key (workspace_id, vehicle_id) references public.vehicles (workspace_id, id)
    on delete set null (vehicle_id),
    foreign key (workspace_id, mechanic_id) references public.mechanics (workspace_id, id)
    on delete set null (mechanic_id)
);
comment on table public.appointments is 'When a customer comes, with which vehicle, and to whom.';
comment on column public.appointments.customer_id is 'Who comes.';
comment on column public.appointments.vehicle_id is 'With which vehicle.';
comment on column public.appointments.mechanic_id is 'To whom.';
comment on column public.appointments.title is 'What for, in a few words.';
comment on column public.appointments.kind is 'What sort of appointment it is.';
comment on column public.appointments.status is 'scheduled, confirmed, in_progress, done, cancelled or no_show.';
comment on column public.appointments.starts_at is 'When.';
comment on column public.appointments.duration_minutes is 'For how long, in minutes.';
comment on column public.appointments.notes is 'Anything else.';
create index appointments_customer on public.appointments (workspace_id, customer_id);
create index appointments_vehicle on public.appointments (workspace_id, vehicle_id);
create index appointments_mechanic on public.appointments (workspace_id, mechanic_id);
create index appointments_start on public.appointments (workspace_id, starts_at);

create table public.stock_items (
    like private.garage_row including all,
    name text,
    reference text,
    brand text,
    category text,
    description text,
    supplier text,
    location text,
    unit_price numeric(12, 2),
    opening_quantity numeric(12, 3) check (opening_quantity <> 'NaN'),
    quantity numeric(12, 3) not null default 0,
    min_quantity numeric(12, 3),
    foreign key (workspace_id) references public.garages (id) on delete cascade
);
comment on table public.stock_items is 'Parts and supplies, with how many there are.';
comment on column public.stock_items.name is 'What it is.';
comment on column public.stock_items.reference is 'What it is called in a catalogue.';
comment on column public.stock_items.brand is 'Who makes it.';
comment on column public.stock_items.category is 'What sort of thing it is.';
comment on column public.stock_items.description is 'What one should know about it.';
comment on column public.stock_items.supplier is 'Where it is bought.';
comment on column public.stock_items.location is 'Where it lies.';
comment on column public.stock_items.unit_price is 'What one costs.';
comment on column public.stock_items.opening_quantity is
'How many there were when the movements began, as the old app counted; it may be negative there.';
comment on column public.stock_items.quantity is
'How many there are: the opening and every movement since. Only the database writes it.';
comment on column public.stock_items.min_quantity is 'How many there should be at least.';

create table public.stock_movements (
    like private.garage_row including all,
    stock_item_id uuid,
    repair_id uuid,
    kind text not null check (kind in ('in', 'out', 'adjustment')),
    quantity numeric(12, 3) not null,
    reason text,
    moved_at timestamptz not null default now(),
    moves_stock boolean not null default true,
    constraint stock_movements_sign check ((quantity > 0 or kind = 'adjustment') and quantity <> 'NaN'),
    foreign key (workspace_id) references public.garages (id) on delete cascade,
    foreign key (workspace_id, stock_item_id) references public.stock_items (workspace_id, id) on delete cascade,
    foreign key (workspace_id, repair_id) references public.repairs (workspace_id, id) on delete set null (repair_id)
);
comment on table public.stock_movements is 'What came into stock and what left it.';
comment on column public.stock_movements.stock_item_id is 'Of what; null if the old app no longer knew.';
comment on column public.stock_movements.repair_id is 'For which repair.';
comment on column public.stock_movements.kind is 'in, out, or adjustment after a count.';
comment on column public.stock_movements.quantity is 'How many; below zero only for an adjustment.';
comment on column public.stock_movements.reason is 'Why.';
comment on column public.stock_movements.moved_at is 'When.';
comment on column public.stock_movements.moves_stock is
'False for one brought along from an old app, which had counted it already.';
create index stock_movements_item on public.stock_movements (workspace_id, stock_item_id, moved_at);
create index stock_movements_repair on public.stock_movements (workspace_id, repair_id);

create table public.settings (
    like private.garage_row including all,
    name text not null,
    value jsonb not null,
    foreign key (workspace_id) references public.garages (id) on delete cascade
);
comment on table public.settings is 'The app''s own settings, one document a name and device.';
comment on column public.settings.name is 'What is set.';
comment on column public.settings.value is 'To what.';

alter table public.garages enable row level security;
alter table public.customers enable row level security;
alter table public.vehicles enable row level security;
alter table public.vehicle_photos enable row level security;
alter table public.mechanics enable row level security;
alter table public.repairs enable row level security;
alter table public.repair_lines enable row level security;
alter table public.invoices enable row level security;
alter table public.invoice_lines enable row level security;
alter table public.appointments enable row level security;
alter table public.stock_items enable row level security;
alter table public.stock_movements enable row level security;
alter table public.settings enable row level security;
revoke all on
public.garages, public.customers, public.vehicles, public.vehicle_photos, public.mechanics, public.repairs,
public.repair_lines, public.invoices, public.invoice_lines, public.appointments,
public.stock_items, public.stock_movements, public.settings
from anon, authenticated;
grant all on
public.garages, public.customers, public.vehicles, public.vehicle_photos, public.mechanics, public.repairs,
public.repair_lines, public.invoices, public.invoice_lines, public.appointments,
public.stock_items, public.stock_movements, public.settings
to service_role;
grant select, update (legal_name, address, phone, email, tax_number, currency, time_zone, invoice_prefix)
on public.garages to authenticated; -- made with its workspace
grant select, insert, update, delete
on public.customers, public.vehicles, public.vehicle_photos, public.mechanics, public.repairs, public.repair_lines,
public.invoices, public.invoice_lines, public.appointments, public.stock_movements, public.settings to authenticated;
-- Everything but quantity.
grant select, delete,
insert (
    id, workspace_id, owner_id, created_at, updated_at, extra, legacy_scope, legacy_id, legacy_updated_at,
    name, reference, brand, category, description, supplier, location, unit_price, opening_quantity, min_quantity
),
update (
    id, workspace_id, owner_id, created_at, updated_at, extra, legacy_scope, legacy_id, legacy_updated_at,
    name, reference, brand, category, description, supplier, location, unit_price, opening_quantity, min_quantity
) on public.stock_items to authenticated;

create policy garages_read on public.garages for select to authenticated
using (id = any (array(select private.readable())));
create policy garages_change on public.garages for update to authenticated
using (id = any (array(select private.owned()))) with check (id = any (array(select private.owned())));

create policy customers_read on public.customers for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy customers_add on public.customers for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy customers_change on public.customers for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy customers_remove on public.customers for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy vehicles_read on public.vehicles for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy vehicles_add on public.vehicles for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy vehicles_change on public.vehicles for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy vehicles_remove on public.vehicles for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy vehicle_photos_read on public.vehicle_photos for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy vehicle_photos_add on public.vehicle_photos for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy vehicle_photos_change on public.vehicle_photos for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy vehicle_photos_remove on public.vehicle_photos for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy mechanics_read on public.mechanics for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy mechanics_add on public.mechanics for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy mechanics_change on public.mechanics for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy mechanics_remove on public.mechanics for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy repairs_read on public.repairs for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy repairs_add on public.repairs for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy repairs_change on public.repairs for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy repairs_remove on public.repairs for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy repair_lines_read on public.repair_lines for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy repair_lines_add on public.repair_lines for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy repair_lines_change on public.repair_lines for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy repair_lines_remove on public.repair_lines for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy invoices_read on public.invoices for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy invoices_add on public.invoices for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy invoices_change on public.invoices for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy invoices_remove on public.invoices for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy invoice_lines_read on public.invoice_lines for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy invoice_lines_add on public.invoice_lines for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy invoice_lines_change on public.invoice_lines for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy invoice_lines_remove on public.invoice_lines for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy appointments_read on public.appointments for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy appointments_add on public.appointments for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy appointments_change on public.appointments for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy appointments_remove on public.appointments for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy stock_items_read on public.stock_items for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy stock_items_add on public.stock_items for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy stock_items_change on public.stock_items for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy stock_items_remove on public.stock_items for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy stock_movements_read on public.stock_movements for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy stock_movements_add on public.stock_movements for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy stock_movements_change on public.stock_movements for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy stock_movements_remove on public.stock_movements for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy settings_read on public.settings for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy settings_add on public.settings for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy settings_change on public.settings for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy settings_remove on public.settings for delete to authenticated
using (workspace_id = any (array(select private.editable())));

call private.track('public.garages', 'workspace_id', 'id');
call private.track_in('garage', 'public.customers');
call private.track_in('garage', 'public.vehicles');
call private.track_in('garage', 'public.vehicle_photos');
call private.track_in('garage', 'public.mechanics');
call private.track_in('garage', 'public.repairs');
call private.track_in('garage', 'public.repair_lines');
call private.track_in('garage', 'public.invoices');
call private.track_in('garage', 'public.invoice_lines');
call private.track_in('garage', 'public.appointments');
call private.track_in('garage', 'public.stock_items');
call private.track_in('garage', 'public.stock_movements');
call private.track_in('garage', 'public.settings');

create function private.open_garage() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.garages (id) values (new.id);
    return new;
end
$$;
comment on function private.open_garage() is 'Gives a new workspace its garage.';
create trigger open_garage after insert on public.workspaces for each row
when (new.kind = 'garage') execute function private.open_garage();
insert into public.garages (id) select id from public.workspaces where kind = 'garage';

-- Invoices. What guards them sees all, or who is sent away while they write would have a moment
-- without a guard. It looks at rows of the workspace alone, and before it says anything of an
-- invoice it asks who may write there, so that it tells nobody of one they cannot see.

create table private.invoice_counters (
    garage_id uuid primary key references public.garages (id) on delete cascade,
    last bigint not null
);
comment on table private.invoice_counters is 'The last serial each garage has given.';
comment on column private.invoice_counters.garage_id is 'Whose.';
comment on column private.invoice_counters.last is
'The last one. Its row is locked until the invoice is there or is not: no gap, no double.';

-- What the old app sent stands outside the numbering, with amounts that nobody checks: so it is an
-- owner's, or the project's own, to bring, to correct and to take away.
create function private.may_import(garage uuid) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
    return auth.uid() is null or garage in (select private.owned());
end
$$;
comment on function private.may_import(uuid) is 'True for who may write what the old app of a garage sent.';

create function private.guard_invoice() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    -- What may still happen to an invoice that was sent.
    later constant text[] := array['status', 'paid_amount', 'payment_method', 'paid_at', 'notes', 'extra', 'updated_at'];
    imported boolean;
begin
    if tg_op = 'INSERT' then
        new.serial := null;
        if new.legacy_id is null then
            if new.status <> 'draft' then
                raise exception 'an invoice begins as a draft' using errcode = 'check_violation';
            end if;
            new.number := null;
            new.issued_at := null;
        elsif new.status <> 'draft' and not private.may_import(new.workspace_id) then
            raise exception 'what the old app sent is an owner''s to bring' using errcode = 'insufficient_privilege';
        end if;
    elsif not exists (select from public.garages where id = old.workspace_id) then
        return coalesce(new, old); -- the garage is being removed, and everything with it
    elsif tg_op = 'DELETE' then
        if old.serial is not null then
            raise exception 'an invoice that was sent stays; cancel it' using errcode = 'check_violation';
        elsif old.status <> 'draft' and not private.may_import(old.workspace_id) then
            raise exception 'what the old app sent is an owner''s to remove' using errcode = 'insufficient_privilege';
        end if;
        return old;
    else
        -- One that was written here never becomes the old app's.
        imported := old.serial is null and old.legacy_id is not null
            and new.legacy_id is not distinct from old.legacy_id
            and new.legacy_updated_at is distinct from old.legacy_updated_at;
        if new.serial is distinct from old.serial then
            raise exception 'the serial of an invoice is given when it is sent' using errcode = 'check_violation';
        elsif old.legacy_id is null and new.legacy_id is not null then
            raise exception 'an invoice that was written here stays so' using errcode = 'check_violation';
        elsif imported then
            if (old.status <> 'draft' or new.status <> 'draft') and not private.may_import(old.workspace_id) then
                raise exception 'what the old app sent is an owner''s to correct'
                using errcode = 'insufficient_privilege';
            end if;
            return new;
        elsif old.status <> 'draft' then
            if new.status = 'draft' or to_jsonb(new) - later <> to_jsonb(old) - later then
                raise exception 'an invoice that was sent does not change; cancel it and write another'
                using errcode = 'check_violation';
            end if;
            return new;
        elsif new.legacy_id is null then
            new.number := null;
            new.issued_at := null;
        end if;
        if new.status = 'draft' and new.legacy_id is not null then
            return new;
        end if;
        if new.status = 'cancelled' then
            raise exception 'a draft is not cancelled; remove it' using errcode = 'check_violation';
        end if;
        if new.status <> 'draft' and exists (
            select from public.invoice_lines
            where workspace_id = new.workspace_id and invoice_id = new.id and total_price is distinct from round(quantity * unit_price, 2)
        ) then
            raise exception 'a line of this invoice does not add up' using errcode = 'check_violation';
        end if;
    end if;
    if new.legacy_id is null or new.status <> 'draft' and tg_op = 'UPDATE' then
        select coalesce(sum(total_price), 0) into new.subtotal from public.invoice_lines
        where workspace_id = new.workspace_id and invoice_id = new.id;
        new.tax_amount := round(new.subtotal * coalesce(new.tax_rate, 0) / 100, 2);
        new.total_amount := new.subtotal + new.tax_amount;
    end if;
    return new;
end
$$;
comment on function private.guard_invoice() is 'Computes a draft, and keeps what was sent.';
create trigger guard before insert or update or delete on public.invoices for each row
execute function private.guard_invoice();

-- After the guard, by its name. Whoever may change the draft may send it.
create function private.number_invoice() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if not exists (
        select from public.invoice_lines where workspace_id = new.workspace_id and invoice_id = new.id
    ) then
        raise exception 'an invoice without lines is not sent' using errcode = 'check_violation';
    end if;
    insert into private.invoice_counters as counter (garage_id, last) values (new.workspace_id, 1)
    on conflict (garage_id) do update set last = counter.last + 1
    returning last into new.serial;
    select garages.invoice_prefix || lpad(new.serial::text, greatest(6, length(new.serial::text)), '0') into new.number
    from public.garages where garages.id = new.workspace_id;
    new.issued_at := now();
    return new;
end
$$;
comment on function private.number_invoice() is 'Gives an invoice that is sent the garage''s next number.';
create trigger number before update on public.invoices for each row
when (
    old.status = 'draft' and new.status <> 'draft'
    and not (
        old.legacy_id is not null and new.legacy_id is not distinct from old.legacy_id
        and new.legacy_updated_at is distinct from old.legacy_updated_at
    ) -- as the guard says
) execute function private.number_invoice();

create function private.guard_invoice_line() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    line public.invoice_lines := coalesce(new, old);
    invoice public.invoices;
begin
    if not exists (select from public.garages where id = line.workspace_id) then
        return coalesce(new, old); -- the garage is being removed, and everything with it
    end if;
    if auth.uid() is not null and line.workspace_id not in (select private.editable()) then
        raise exception 'only an editor of the garage writes its invoices' using errcode = 'insufficient_privilege';
    end if;
    -- Locked, so that it is not sent meanwhile.
    select * into invoice from public.invoices
    where workspace_id = line.workspace_id and id = line.invoice_id for no key update;
    if invoice.status <> 'draft' and (invoice.serial is not null or line.legacy_id is null)
        and not (tg_op = 'UPDATE' and to_jsonb(new) - 'updated_at' = to_jsonb(old) - 'updated_at') then
        raise exception 'an invoice that was sent does not change; cancel it and write another'
        using errcode = 'check_violation';
    end if;
    if invoice.status <> 'draft' and invoice.serial is null and not private.may_import(line.workspace_id) then
        raise exception 'what the old app sent is an owner''s to correct' using errcode = 'insufficient_privilege';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    if tg_op = 'UPDATE' and new.invoice_id <> old.invoice_id then
        raise exception 'a line stays on its invoice' using errcode = 'check_violation';
    end if;
    if new.legacy_id is null
        or tg_op = 'UPDATE' and (new.quantity, new.unit_price) is distinct from (old.quantity, old.unit_price)
        and new.total_price is not distinct from old.total_price then
        new.quantity := coalesce(new.quantity, 1);
        new.unit_price := coalesce(new.unit_price, 0);
        new.total_price := round(new.quantity * new.unit_price, 2);
    end if;
    return new;
end
$$;
comment on function private.guard_invoice_line() is 'Computes a line of a draft, and keeps those of what was sent.';
create trigger guard before insert or update or delete on public.invoice_lines for each row
execute function private.guard_invoice_line();

create function private.total_invoice() returns trigger
language plpgsql set search_path = '' as $$
begin
    update public.invoices set tax_rate = tax_rate -- the guard computes the rest
    where id = coalesce(new.invoice_id, old.invoice_id) and status = 'draft' and legacy_id is null;
    return null;
end
$$;
comment on function private.total_invoice() is 'Computes a draft again when its lines change.';
create trigger total after insert or update or delete on public.invoice_lines for each row
execute function private.total_invoice();

create function public.issue_invoice(invoice uuid, due_on date default null) returns public.invoices
language plpgsql set search_path = '' as $$
declare
    issued public.invoices;
begin
    update public.invoices set status = 'sent', due_on = coalesce(issue_invoice.due_on, invoices.due_on)
    where id = invoice and status = 'draft' returning * into issued;
    if not found then
        raise exception 'there is no such draft' using errcode = 'no_data_found';
    end if;
    return issued;
end
$$;
comment on function public.issue_invoice(uuid, date) is
'Sends a draft: it gets its number and does not change any more.';
grant execute on function public.issue_invoice(uuid, date) to authenticated;

-- Stock.

create function private.open_stock() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.quantity := case tg_op when 'UPDATE' then old.quantity - coalesce(old.opening_quantity, 0) else 0 end
        + coalesce(new.opening_quantity, 0);
    return new;
end
$$;
comment on function private.open_stock() is 'Lets the level of an item follow its opening.';
create trigger open_stock before insert or update of opening_quantity on public.stock_items for each row
execute function private.open_stock();

create function private.move_stock() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    change record;
    level numeric;
begin
    -- What was is taken back, what is, is done: for the same item in one step.
    for change in
        select item, workspace_id, sum(effect) as effect from (
            select old.stock_item_id as item, old.workspace_id,
                case old.kind when 'out' then old.quantity else -old.quantity end as effect
            where tg_op <> 'INSERT' and old.moves_stock
            union all
            select new.stock_item_id, new.workspace_id,
                case new.kind when 'out' then -new.quantity else new.quantity end
            where tg_op <> 'DELETE' and new.moves_stock
        ) as effects
        where item is not null group by item, workspace_id order by item
    loop
        continue when change.effect = 0;
        update public.stock_items set quantity = quantity + change.effect
        where id = change.item and workspace_id = change.workspace_id returning quantity into level;
        if change.effect < 0 and level < 0 then
            raise exception 'there is less in stock than that' using errcode = 'check_violation';
        end if;
    end loop;
    return null;
end
$$;
comment on function private.move_stock() is 'Lets the level of an item follow its movements.';
create trigger move_stock after insert or update or delete on public.stock_movements for each row
execute function private.move_stock();
