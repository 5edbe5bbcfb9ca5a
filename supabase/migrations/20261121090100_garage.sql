-- The garage: customers, their vehicles, what was repaired, what was invoiced, who did it,
-- when they come next, what lies in stock, and the app's settings.
--
-- Every row belongs to one person. Nobody else can see that it exists, and a row can only
-- point at rows of the same owner: foreign keys are checked without row-level security, so
-- each of them carries owner_id.
--
-- Every table ends with the same columns: `extra` keeps the fields of the old app that have no
-- column, `legacy_scope` and `legacy_id` are what the row's id was computed from (uuid version
-- 5), so an import can be repeated and checked, and `legacy_updated_at` is when the old app last
-- changed the record. `updated_at` is ours, and means the row.
--
-- A date, a number or a text that the old app left out is null. Amounts are exact decimals.
-- Stock may be negative and plates, e-mails and invoice numbers may repeat: old data does.

create table public.customers (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
    first_name text,
    last_name text,
    email text,
    phone text,
    address text,
    city text,
    postal_code text,
    notes text,
    unique (owner_id, id)
);
comment on table public.customers is 'People and companies whose vehicles the garage repairs.';

create table public.vehicles (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
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
    unique (owner_id, id),
    foreign key (owner_id, customer_id) references public.customers (owner_id, id) on delete set null (customer_id)
);
comment on table public.vehicles is 'Vehicles, each usually with the customer it belongs to.';

create table public.mechanics (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
    first_name text,
    last_name text,
    email text,
    phone text,
    specialties text[] not null default '{}',
    hourly_rate numeric(12, 2),
    is_active boolean not null default true,
    hired_on date,
    unique (owner_id, id)
);
comment on table public.mechanics is 'People who work on the vehicles.';

create table public.repairs (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
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
    unique (owner_id, id),
    foreign key (owner_id, vehicle_id) references public.vehicles (owner_id, id) on delete set null (vehicle_id),
    foreign key (owner_id, customer_id) references public.customers (owner_id, id) on delete set null (customer_id),
    foreign key (owner_id, mechanic_id) references public.mechanics (owner_id, id) on delete set null (mechanic_id)
);
comment on table public.repairs is 'Work on a vehicle, from the quote to the end.';

create table public.repair_lines (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
    repair_id uuid not null,
    position integer not null default 0,
    part_reference text,
    label text,
    quantity numeric(12, 3),
    unit_price numeric(12, 2),
    total_price numeric(12, 2),
    unique (owner_id, id),
    foreign key (owner_id, repair_id) references public.repairs (owner_id, id) on delete cascade
);
comment on table public.repair_lines is 'Parts used in a repair, in the order the app listed them.';

create table public.invoices (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
    customer_id uuid,
    repair_id uuid,
    number text,
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
    unique (owner_id, id),
    foreign key (owner_id, customer_id) references public.customers (owner_id, id) on delete set null (customer_id),
    foreign key (owner_id, repair_id) references public.repairs (owner_id, id) on delete set null (repair_id)
);
comment on table public.invoices is 'What a customer owes and has paid.';

create table public.invoice_lines (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
    invoice_id uuid not null,
    position integer not null default 0,
    description text,
    kind text,
    quantity numeric(12, 3),
    unit_price numeric(12, 2),
    total_price numeric(12, 2),
    unique (owner_id, id),
    foreign key (owner_id, invoice_id) references public.invoices (owner_id, id) on delete cascade
);
comment on table public.invoice_lines is 'Lines of an invoice, in the order the app listed them.';

create table public.appointments (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
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
    unique (owner_id, id),
    foreign key (owner_id, customer_id) references public.customers (owner_id, id) on delete set null (customer_id),
    foreign key (owner_id, vehicle_id) references public.vehicles (owner_id, id) on delete set null (vehicle_id),
    foreign key (owner_id, mechanic_id) references public.mechanics (owner_id, id) on delete set null (mechanic_id)
);
comment on table public.appointments is 'When a customer comes, with which vehicle, and to whom.';

create table public.stock_items (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
    name text,
    reference text,
    brand text,
    category text,
    description text,
    supplier text,
    location text,
    unit_price numeric(12, 2),
    quantity numeric(12, 3),
    min_quantity numeric(12, 3),
    unique (owner_id, id)
);
comment on table public.stock_items is 'Parts and supplies, with how many there are.';

create table public.settings (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
    name text not null,
    value jsonb not null,
    unique (owner_id, id)
);
comment on table public.settings is 'The app''s own settings, one document a name and device.';

-- Foreign keys of the children; the owner comes first, so these serve the policy as well.
create index vehicles_customer on public.vehicles (owner_id, customer_id);
create index repairs_vehicle on public.repairs (owner_id, vehicle_id);
create index repairs_customer on public.repairs (owner_id, customer_id);
create index repairs_mechanic on public.repairs (owner_id, mechanic_id);
create index repair_lines_repair on public.repair_lines (owner_id, repair_id, position);
create index invoices_customer on public.invoices (owner_id, customer_id);
create index invoices_repair on public.invoices (owner_id, repair_id);
create index invoice_lines_invoice on public.invoice_lines (owner_id, invoice_id, position);
create index appointments_customer on public.appointments (owner_id, customer_id);
create index appointments_vehicle on public.appointments (owner_id, vehicle_id);
create index appointments_mechanic on public.appointments (owner_id, mechanic_id);

-- The columns every table ends with, and who may do what, the same for all ten: the owner
-- everything, anybody else nothing, an anonymous visitor not even ask. The sub-select makes
-- auth.uid() one call a statement.
do $$
declare
    garage_table text;
begin
    foreach garage_table in array array[
        'customers', 'vehicles', 'mechanics', 'repairs', 'repair_lines', 'invoices', 'invoice_lines',
        'appointments', 'stock_items', 'settings'
    ] loop
        execute format(
            'alter table public.%I
                add created_at timestamptz not null default now(),
                add updated_at timestamptz not null default now(),
                add extra jsonb not null default ''{}'',
                add legacy_scope text,
                add legacy_id text,
                add legacy_updated_at timestamptz',
            garage_table
        );
        execute format('alter table public.%I enable row level security', garage_table);
        execute format('revoke all on public.%I from anon, authenticated', garage_table);
        execute format('grant select, insert, update, delete on public.%I to authenticated', garage_table);
        execute format('grant all on public.%I to service_role', garage_table);
        execute format(
            'create policy owner_only on public.%I for all to authenticated '
            'using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()))',
            garage_table
        );
        execute format(
            'create trigger touch_updated_at before update on public.%I '
            'for each row execute function private.touch_updated_at()',
            garage_table
        );
    end loop;
end
$$;
