-- Health stock: what a site has of each product and lot, what it received, what it handed out,
-- and what it counted.
--
-- Members of a site read it and its editors write. Nobody writes a level or a movement: a line
-- of a reception, of a withdrawal or of an inventory does, in the transaction that writes the
-- line, whichever way it is written. A line that is corrected or removed moves the difference
-- back. A level never goes below zero: the row of the level is locked by whoever changes it,
-- and a check on it refuses the rest.
--
-- receive_stock(), withdraw_stock() and count_stock() each do a whole operation with the rights
-- of who calls: all of it happens, or none. Called again with the same id for the same site they
-- do nothing more.

create table public.sites (
    id uuid primary key references public.workspaces (id) on delete cascade,
    address text,
    time_zone text not null default 'UTC' check (private.is_time_zone(time_zone)),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.sites is 'Sites that keep stock, one for each workspace of that kind.';
comment on column public.sites.id is 'The workspace.';
comment on column public.sites.address is 'Where it is.';
comment on column public.sites.time_zone is 'Where it is, as Africa/Dakar: a lot expires by this clock.';
comment on column public.sites.created_at is 'When it was made.';
comment on column public.sites.updated_at is 'When the row last changed here.';

create table private.site_row (like private.workspace_row including all);
comment on table private.site_row is 'What rows of a site have in common: a pattern, always empty.';
alter table private.site_row alter workspace_id set default private.home('site');

create table public.products (
    like private.site_row including all,
    name text not null check (char_length(name) between 1 and 500),
    reference text,
    category text,
    unit text not null default 'unit',
    threshold numeric(14, 3) check (threshold >= 0 and threshold <> 'NaN'),
    unit_price numeric(12, 2),
    is_active boolean not null default true,
    notes text,
    foreign key (workspace_id) references public.sites (id) on delete cascade
);
comment on table public.products is 'What is kept in stock.';
comment on column public.products.name is 'What it is.';
comment on column public.products.reference is 'What it is called in a catalogue.';
comment on column public.products.category is 'What sort of thing it is.';
comment on column public.products.unit is 'What is counted: box, bottle, tablet.';
comment on column public.products.threshold is 'Below this much, more should be ordered.';
comment on column public.products.unit_price is 'What one costs.';
comment on column public.products.is_active is 'False for one that is kept no more.';
comment on column public.products.notes is 'Anything else.';
create index products_name on public.products (workspace_id, name);

create table public.lots (
    like private.site_row including all,
    product_id uuid not null,
    number text,
    expires_on date,
    unique (workspace_id, product_id, id),
    foreign key (workspace_id) references public.sites (id) on delete cascade,
    foreign key (workspace_id, product_id) references public.products (workspace_id, id)
);
comment on table public.lots is 'Lots of a product: what was made together and expires together.';
comment on column public.lots.product_id is 'Of which product.';
comment on column public.lots.number is 'What the maker calls it.';
comment on column public.lots.expires_on is 'The last day it may be used.';
-- The old app may have had a lot twice; here it is one.
create unique index lots_once on public.lots (workspace_id, product_id, number, expires_on)
nulls not distinct where (legacy_id is null);
create index lots_expiry on public.lots (workspace_id, expires_on);

create table public.receptions (
    like private.site_row including all,
    supplier text,
    order_number text,
    delivery_note text,
    received_at timestamptz not null default now(),
    notes text,
    foreign key (workspace_id) references public.sites (id) on delete cascade
);
comment on table public.receptions is 'Deliveries that came in.';
comment on column public.receptions.supplier is 'From whom.';
comment on column public.receptions.order_number is 'The number of the order.';
comment on column public.receptions.delivery_note is 'The number on the delivery note; suppliers repeat them.';
comment on column public.receptions.received_at is 'When.';
comment on column public.receptions.notes is 'Anything else.';
create index receptions_recent on public.receptions (workspace_id, received_at);

create table public.reception_lines (
    like private.site_row including all,
    reception_id uuid not null,
    product_id uuid,
    lot_id uuid,
    position integer not null default 0,
    ordered numeric(14, 3) check (ordered >= 0 and ordered <> 'NaN'),
    quantity numeric(14, 3) not null check (quantity >= 0 and quantity <> 'NaN'), -- NaN is above all numbers
    unit_cost numeric(12, 2),
    moves_stock boolean not null default true,
    constraint reception_lines_of_a_product check (product_id is not null or legacy_id is not null and not moves_stock),
    foreign key (workspace_id) references public.sites (id) on delete cascade,
    foreign key (workspace_id, reception_id) references public.receptions (workspace_id, id) on delete cascade,
    foreign key (workspace_id, product_id) references public.products (workspace_id, id),
    foreign key (workspace_id, product_id, lot_id) references public.lots (workspace_id, product_id, id)
);
comment on table public.reception_lines is 'What a delivery brought.';
comment on column public.reception_lines.reception_id is 'In which delivery.';
comment on column public.reception_lines.product_id is 'Of which product; null if the old app no longer knew.';
comment on column public.reception_lines.lot_id is 'Of which lot.';
comment on column public.reception_lines.position is 'Where it stands among the lines.';
comment on column public.reception_lines.ordered is 'How much was ordered.';
comment on column public.reception_lines.quantity is 'How much came.';
comment on column public.reception_lines.unit_cost is 'What one cost.';
comment on column public.reception_lines.moves_stock is
'False for one brought along from an old app, which had counted it already.';
create index reception_lines_reception on public.reception_lines (workspace_id, reception_id, position);
create index reception_lines_lot on public.reception_lines (workspace_id, product_id, lot_id);

create table public.withdrawals (
    like private.site_row including all,
    recipient text,
    service text,
    reason text,
    withdrawn_at timestamptz not null default now(),
    notes text,
    foreign key (workspace_id) references public.sites (id) on delete cascade
);
comment on table public.withdrawals is 'What was handed out, at once.';
comment on column public.withdrawals.recipient is 'To whom.';
comment on column public.withdrawals.service is 'For which service or ward.';
comment on column public.withdrawals.reason is 'Why.';
comment on column public.withdrawals.withdrawn_at is 'When.';
comment on column public.withdrawals.notes is 'Anything else.';
create index withdrawals_recent on public.withdrawals (workspace_id, withdrawn_at);

create table public.withdrawal_lines (
    like private.site_row including all,
    withdrawal_id uuid not null,
    product_id uuid,
    lot_id uuid,
    position integer not null default 0,
    quantity numeric(14, 3) not null check (quantity >= 0 and quantity <> 'NaN'),
    moves_stock boolean not null default true,
    constraint withdrawal_lines_of_a_product check (product_id is not null or legacy_id is not null and not moves_stock),
    foreign key (workspace_id) references public.sites (id) on delete cascade,
    foreign key (workspace_id, withdrawal_id) references public.withdrawals (workspace_id, id) on delete cascade,
    foreign key (workspace_id, product_id) references public.products (workspace_id, id),
    foreign key (workspace_id, product_id, lot_id) references public.lots (workspace_id, product_id, id)
);
comment on table public.withdrawal_lines is 'What was handed out of a product and lot.';
comment on column public.withdrawal_lines.withdrawal_id is 'In which withdrawal.';
comment on column public.withdrawal_lines.product_id is 'Of which product; null if the old app no longer knew.';
comment on column public.withdrawal_lines.lot_id is 'Of which lot.';
comment on column public.withdrawal_lines.position is 'Where it stands among the lines.';
comment on column public.withdrawal_lines.quantity is 'How much.';
comment on column public.withdrawal_lines.moves_stock is
'False for one brought along from an old app, which had counted it already.';
create index withdrawal_lines_withdrawal on public.withdrawal_lines (workspace_id, withdrawal_id, position);
create index withdrawal_lines_lot on public.withdrawal_lines (workspace_id, product_id, lot_id);

create table public.inventories (
    like private.site_row including all,
    counted_at timestamptz not null default now(),
    notes text,
    foreign key (workspace_id) references public.sites (id) on delete cascade
);
comment on table public.inventories is 'Times the stock was counted.';
comment on column public.inventories.counted_at is 'When.';
comment on column public.inventories.notes is 'Anything else.';
create index inventories_recent on public.inventories (workspace_id, counted_at);

create table public.inventory_counts (
    like private.site_row including all,
    inventory_id uuid,
    product_id uuid not null,
    lot_id uuid,
    counted numeric(14, 3) not null check (counted >= 0 and counted <> 'NaN'),
    expected numeric(14, 3),
    difference numeric(14, 3) not null default 0,
    moves_stock boolean not null default true,
    foreign key (workspace_id) references public.sites (id) on delete cascade,
    foreign key (workspace_id, inventory_id) references public.inventories (workspace_id, id) on delete cascade,
    foreign key (workspace_id, product_id) references public.products (workspace_id, id),
    foreign key (workspace_id, product_id, lot_id) references public.lots (workspace_id, product_id, id)
);
comment on table public.inventory_counts is 'What was counted of a product and lot; the level becomes that.';
comment on column public.inventory_counts.inventory_id is
'In which inventory; null for the stock an old app ended with.';
comment on column public.inventory_counts.product_id is 'Of which product.';
comment on column public.inventory_counts.lot_id is 'Of which lot.';
comment on column public.inventory_counts.counted is 'How much there was.';
comment on column public.inventory_counts.expected is 'How much there should have been. Only the database writes it.';
comment on column public.inventory_counts.difference is
'What was found too much, or is missing. Only the database writes it.';
comment on column public.inventory_counts.moves_stock is 'False for one that is only remembered.';
create index inventory_counts_inventory on public.inventory_counts (workspace_id, inventory_id);
create index inventory_counts_lot on public.inventory_counts (workspace_id, product_id, lot_id);

create table public.product_levels (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.sites (id) on delete cascade,
    product_id uuid not null,
    lot_id uuid,
    quantity numeric(14, 3) not null default 0,
    updated_at timestamptz not null default now(),
    constraint product_levels_never_below_zero check (quantity >= 0 and quantity <> 'NaN'),
    unique nulls not distinct (workspace_id, product_id, lot_id),
    foreign key (workspace_id, product_id) references public.products (workspace_id, id) on delete cascade,
    foreign key (workspace_id, product_id, lot_id) references public.lots (workspace_id, product_id, id)
    on delete cascade
);
comment on table public.product_levels is 'How much there is of a product and lot: the sum of its movements.';
comment on column public.product_levels.id is 'The level.';
comment on column public.product_levels.workspace_id is 'At which site.';
comment on column public.product_levels.product_id is 'Of which product.';
comment on column public.product_levels.lot_id is 'Of which lot; null for what is of none.';
comment on column public.product_levels.quantity is 'How much.';
comment on column public.product_levels.updated_at is 'When it last changed.';

create table public.product_movements (
    id bigint generated always as identity primary key,
    workspace_id uuid not null references public.sites (id) on delete cascade,
    product_id uuid not null,
    lot_id uuid,
    quantity numeric(14, 3) not null check (quantity <> 0),
    cause text not null check (cause in ('reception', 'withdrawal', 'count')),
    line_id uuid not null,
    moved_at timestamptz not null default now(),
    moved_by uuid default auth.uid(),
    foreign key (workspace_id, product_id) references public.products (workspace_id, id) on delete cascade,
    foreign key (workspace_id, product_id, lot_id) references public.lots (workspace_id, product_id, id)
    on delete cascade
);
comment on table public.product_movements is
'Every change of a level, and the line it follows from. Only ever added to.';
comment on column public.product_movements.id is 'The movement.';
comment on column public.product_movements.workspace_id is 'At which site.';
comment on column public.product_movements.product_id is 'Of which product.';
comment on column public.product_movements.lot_id is 'Of which lot.';
comment on column public.product_movements.quantity is 'How much came; below zero, how much went.';
comment on column public.product_movements.cause is 'reception, withdrawal or count.';
comment on column public.product_movements.line_id is
'The line it follows from, or followed from before that was removed.';
comment on column public.product_movements.moved_at is 'When.';
comment on column public.product_movements.moved_by is 'By whom.';
create index product_movements_lot on public.product_movements (workspace_id, product_id, lot_id, id);
create index product_movements_line on public.product_movements (line_id);

alter table public.sites enable row level security;
alter table public.products enable row level security;
alter table public.lots enable row level security;
alter table public.receptions enable row level security;
alter table public.reception_lines enable row level security;
alter table public.withdrawals enable row level security;
alter table public.withdrawal_lines enable row level security;
alter table public.inventories enable row level security;
alter table public.inventory_counts enable row level security;
alter table public.product_levels enable row level security;
alter table public.product_movements enable row level security;
revoke all on
public.sites, public.products, public.lots, public.receptions, public.reception_lines,
public.withdrawals, public.withdrawal_lines, public.inventories, public.inventory_counts,
public.product_levels, public.product_movements
from anon, authenticated;
grant all on
public.sites, public.products, public.lots, public.receptions, public.reception_lines,
public.withdrawals, public.withdrawal_lines, public.inventories, public.inventory_counts,
public.product_levels, public.product_movements
to service_role;
revoke insert, update, delete, truncate on public.product_levels, public.product_movements from service_role;
grant select, update (address, time_zone) on public.sites to authenticated; -- made with its workspace
grant select, insert, update, delete
on public.products, public.lots, public.receptions, public.reception_lines, public.withdrawals, public.withdrawal_lines,
public.inventories, public.inventory_counts to authenticated;
grant select on public.product_levels, public.product_movements to authenticated;

create policy sites_read on public.sites for select to authenticated
using (id = any (array(select private.readable())));
create policy sites_change on public.sites for update to authenticated
using (id = any (array(select private.owned()))) with check (id = any (array(select private.owned())));

create policy product_levels_read on public.product_levels for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy product_movements_read on public.product_movements for select to authenticated
using (workspace_id = any (array(select private.readable())));

create policy products_read on public.products for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy products_add on public.products for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy products_change on public.products for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy products_remove on public.products for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy lots_read on public.lots for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy lots_add on public.lots for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy lots_change on public.lots for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy lots_remove on public.lots for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy receptions_read on public.receptions for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy receptions_add on public.receptions for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy receptions_change on public.receptions for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy receptions_remove on public.receptions for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy reception_lines_read on public.reception_lines for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy reception_lines_add on public.reception_lines for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy reception_lines_change on public.reception_lines for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy reception_lines_remove on public.reception_lines for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy withdrawals_read on public.withdrawals for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy withdrawals_add on public.withdrawals for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy withdrawals_change on public.withdrawals for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy withdrawals_remove on public.withdrawals for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy withdrawal_lines_read on public.withdrawal_lines for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy withdrawal_lines_add on public.withdrawal_lines for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy withdrawal_lines_change on public.withdrawal_lines for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy withdrawal_lines_remove on public.withdrawal_lines for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy inventories_read on public.inventories for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy inventories_add on public.inventories for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy inventories_change on public.inventories for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy inventories_remove on public.inventories for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy inventory_counts_read on public.inventory_counts for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy inventory_counts_add on public.inventory_counts for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy inventory_counts_change on public.inventory_counts for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy inventory_counts_remove on public.inventory_counts for delete to authenticated
using (workspace_id = any (array(select private.editable())));

-- Levels and movements have no history of their own: they are one.
call private.track('public.sites', 'workspace_id', 'id');
call private.track_in('site', 'public.products');
call private.track_in('site', 'public.lots');
call private.track_in('site', 'public.receptions');
call private.track_in('site', 'public.reception_lines');
call private.track_in('site', 'public.withdrawals');
call private.track_in('site', 'public.withdrawal_lines');
call private.track_in('site', 'public.inventories');
call private.track_in('site', 'public.inventory_counts');

create function private.open_site() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.sites (id) values (new.id);
    return new;
end
$$;
comment on function private.open_site() is 'Gives a new workspace its site.';
create trigger open_site after insert on public.workspaces for each row
when (new.kind = 'site') execute function private.open_site();
insert into public.sites (id) select id from public.workspaces where kind = 'site';

-- From a line to a movement to a level.

create function private.move_product(
    site uuid, product uuid, lot uuid, amount numeric, cause text, line uuid
) returns void
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.product_levels (workspace_id, product_id, lot_id) values (site, product, lot)
    on conflict do nothing;
    update public.product_levels set quantity = quantity + amount, updated_at = now()
    where workspace_id = site and product_id = product and lot_id is not distinct from lot;
    insert into public.product_movements (workspace_id, product_id, lot_id, quantity, cause, line_id)
    values (site, product, lot, amount, move_product.cause, line);
end
$$;
comment on function private.move_product(uuid, uuid, uuid, numeric, text, uuid) is 'Changes a level, and says why.';

-- Arguments: the cause, the column that says how much, and 1 or -1. After the row, so that
-- policies and foreign keys have had their say before the end of the statement.
create function private.post_line() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    change record;
begin
    if tg_op = 'DELETE' and not exists (select from public.sites where id = old.workspace_id) then
        return null; -- the site is being removed, and everything with it
    end if;
    -- What was is taken back, what is, is done: for the same product and lot in one step.
    for change in
        select workspace_id, product_id, lot_id, sum(effect * tg_argv[2]::int) as effect from (
            select old.workspace_id, old.product_id, old.lot_id, -(to_jsonb(old) ->> tg_argv[1])::numeric as effect
            where tg_op <> 'INSERT' and old.moves_stock
            union all
            select new.workspace_id, new.product_id, new.lot_id, (to_jsonb(new) ->> tg_argv[1])::numeric
            where tg_op <> 'DELETE' and new.moves_stock
        ) as effects
        group by workspace_id, product_id, lot_id order by product_id, lot_id
    loop
        continue when change.effect = 0;
        perform private.move_product(
            change.workspace_id, change.product_id, change.lot_id, change.effect, tg_argv[0], coalesce(new.id, old.id)
        );
    end loop;
    return null;
end
$$;
comment on function private.post_line() is 'Lets levels follow from a line.';
create trigger post after insert or update or delete on public.reception_lines for each row
execute function private.post_line('reception', 'quantity', '1');
create trigger post after insert or update or delete on public.withdrawal_lines for each row
execute function private.post_line('withdrawal', 'quantity', '-1');
create trigger post after insert or update or delete on public.inventory_counts for each row
execute function private.post_line('count', 'difference', '1');

-- What is removed with all its lines holds their products and levels first, as private.hold() does.
-- Arguments: the lines, and their heading.
create function private.hold_lines() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    execute format(
        'select from public.products where (workspace_id, id) in ('
        'select workspace_id, product_id from public.%I where %I = $1'
        ') order by id for no key update', tg_argv[0], tg_argv[1]
    ) using old.id;
    execute format(
        'select from public.product_levels where (workspace_id, product_id) in ('
        'select workspace_id, product_id from public.%I where %I = $1'
        ') order by product_id, lot_id for no key update', tg_argv[0], tg_argv[1]
    ) using old.id;
    return old;
end
$$;
comment on function private.hold_lines() is 'Locks the products and levels that go with what is removed.';
create trigger hold_lines before delete on public.receptions for each row
execute function private.hold_lines('reception_lines', 'reception_id');
create trigger hold_lines before delete on public.withdrawals for each row
execute function private.hold_lines('withdrawal_lines', 'withdrawal_id');
create trigger hold_lines before delete on public.inventories for each row
execute function private.hold_lines('inventory_counts', 'inventory_id');

-- Looks at the level and holds it, so that what was counted is what is there at the end. The
-- policies come after this, so it asks first who may count: anybody else would learn from the
-- error, or by waiting, whether there is such a product.
create function private.compare_count() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if tg_op = 'UPDATE' and (new.product_id, new.lot_id) is distinct from (old.product_id, old.lot_id) then
        raise exception 'a count is of what was counted: remove it and count again' using errcode = 'check_violation';
    end if;
    if auth.uid() is not null and new.workspace_id not in (select private.editable()) then
        raise exception 'only an editor of the site counts its stock' using errcode = 'insufficient_privilege';
    end if;
    new.expected := case tg_op when 'UPDATE' then old.expected end;
    if new.expected is null and new.moves_stock
        and exists (select from public.products where workspace_id = new.workspace_id and id = new.product_id) then
        insert into public.product_levels (workspace_id, product_id, lot_id)
        values (new.workspace_id, new.product_id, new.lot_id) on conflict do nothing;
        select quantity into new.expected from public.product_levels
        where workspace_id = new.workspace_id and product_id = new.product_id
            and lot_id is not distinct from new.lot_id
        for no key update;
    end if;
    new.difference := case when new.moves_stock then new.counted - coalesce(new.expected, 0) else 0 end;
    return new;
end
$$;
comment on function private.compare_count() is 'Says what should have been there, and what is missing.';
create trigger compare_count before insert or update on public.inventory_counts for each row
execute function private.compare_count();

-- The rows of one statement were all compared before the first of them was posted: a second count
-- of the same would move the same difference twice. Before post, by its name.
create function private.counted_once() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if new.moves_stock and (tg_op = 'INSERT' or old.expected is null) and new.expected is distinct from (
        select quantity from public.product_levels
        where workspace_id = new.workspace_id and product_id = new.product_id
            and lot_id is not distinct from new.lot_id
    ) then
        raise exception 'a product and lot is counted once at a time' using errcode = 'check_violation';
    end if;
    return null;
end
$$;
comment on function private.counted_once() is 'Refuses two counts of the same in one statement.';
create trigger counted_once after insert or update on public.inventory_counts for each row
execute function private.counted_once();

-- The operations.

create function private.site_of(site uuid) returns uuid
language sql stable set search_path = '' as $$
    select coalesce(site, private.home('site'))
$$;
comment on function private.site_of(uuid) is 'The site that is meant: the one named, or home.';
grant execute on function private.site_of(uuid) to authenticated;

-- Locks some products and their levels until the end of the transaction, in one order for
-- everybody, so that two operations never wait for each other in a circle. The products first:
-- levels come new, and whoever sees one that another did not would have it at another place of
-- the order.
create function private.hold(site uuid, products uuid[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
    if site is null or site not in (select private.editable()) then
        raise exception 'only an editor of the site changes its stock' using errcode = 'insufficient_privilege';
    end if;
    perform from public.products where workspace_id = site and products.id = any (hold.products)
    order by products.id for no key update;
    perform from public.product_levels
    where workspace_id = site and product_id = any (hold.products)
    order by product_id, lot_id for no key update;
end
$$;
comment on function private.hold(uuid, uuid[]) is 'Locks products and their levels, for an operation on several.';
grant execute on function private.hold(uuid, uuid[]) to authenticated;

create function public.receive_stock(
    lines jsonb, site uuid default null, supplier text default null, order_number text default null,
    delivery_note text default null, received_at timestamptz default now(), notes text default null,
    id uuid default gen_random_uuid()
) returns public.receptions
language plpgsql set search_path = '' as $$
declare
    place uuid := private.site_of(site);
    reception public.receptions;
    line record;
    lot uuid;
begin
    insert into public.receptions (id, workspace_id, supplier, order_number, delivery_note, received_at, notes)
    values (
        receive_stock.id, place, receive_stock.supplier, receive_stock.order_number, receive_stock.delivery_note,
        receive_stock.received_at, receive_stock.notes
    ) on conflict do nothing returning * into reception;
    if not found then
        select * into strict reception from public.receptions
        where receptions.id = receive_stock.id and workspace_id = place;
        return reception;
    end if;
    if coalesce(jsonb_array_length(lines), 0) = 0 then
        raise exception 'nothing was received' using errcode = 'check_violation';
    end if;
    perform private.hold(place, array(select (given ->> 'product_id')::uuid from jsonb_array_elements(lines) as given));
    for line in
        select * from rows from (
            jsonb_to_recordset(lines) as (
                product_id uuid, quantity numeric, ordered numeric, unit_cost numeric,
                lot_id uuid, lot_number text, expires_on date
            )
        ) with ordinality as given (
            product_id, quantity, ordered, unit_cost, lot_id, lot_number, expires_on, position
        )
        order by product_id, lot_id, lot_number, expires_on, position
    loop
        lot := line.lot_id;
        if lot is null and (line.lot_number is not null or line.expires_on is not null) then
            insert into public.lots (workspace_id, product_id, number, expires_on)
            values (place, line.product_id, line.lot_number, line.expires_on) on conflict do nothing;
            select lots.id into strict lot from public.lots
            where workspace_id = place and product_id = line.product_id
                and number is not distinct from line.lot_number and expires_on is not distinct from line.expires_on
            order by legacy_id nulls first, lots.id limit 1;
        end if;
        insert into public.reception_lines (
            workspace_id, reception_id, product_id, lot_id, position, ordered, quantity, unit_cost
        ) values (
            place, reception.id, line.product_id, lot, line.position - 1, line.ordered, line.quantity, line.unit_cost
        );
    end loop;
    return reception;
end
$$;
comment on function public.receive_stock(jsonb, uuid, text, text, text, timestamptz, text, uuid) is
'Takes in a delivery. A line: product_id, quantity; ordered, unit_cost; lot_id, or lot_number and expires_on of a lot that is made if it is new.';
grant execute on function public.receive_stock(jsonb, uuid, text, text, text, timestamptz, text, uuid) to authenticated;

-- What to take of a product when no lot was named: what expires first, never what has expired.
create function private.pick(site uuid, product uuid, amount numeric)
returns table (lot uuid, quantity numeric)
language plpgsql security definer set search_path = '' as $$
declare
    left_over numeric := amount;
    level record;
begin
    perform private.hold(site, array[product]);
    for level in
        select levels.lot_id, levels.quantity
        from public.product_levels as levels
        left join public.lots on lots.id = levels.lot_id
        where levels.workspace_id = site and levels.product_id = product and levels.quantity > 0
            and coalesce(lots.expires_on >= (
                select (now() at time zone sites.time_zone)::date from public.sites where sites.id = site
            ), true)
        order by lots.expires_on nulls last, lots.created_at, levels.lot_id
    loop
        exit when left_over <= 0;
        lot := level.lot_id;
        quantity := least(level.quantity, left_over);
        left_over := left_over - quantity;
        return next;
    end loop;
    if left_over > 0 then
        raise exception 'there is less in stock than that' using errcode = 'check_violation';
    end if;
end
$$;
comment on function private.pick(uuid, uuid, numeric) is 'Which lots to take of a product: those that expire first.';
grant execute on function private.pick(uuid, uuid, numeric) to authenticated;

create function public.withdraw_stock(
    lines jsonb, site uuid default null, recipient text default null, service text default null,
    reason text default null, withdrawn_at timestamptz default now(), notes text default null,
    id uuid default gen_random_uuid()
) returns public.withdrawals
language plpgsql set search_path = '' as $$
declare
    place uuid := private.site_of(site);
    withdrawal public.withdrawals;
    line record;
begin
    insert into public.withdrawals (id, workspace_id, recipient, service, reason, withdrawn_at, notes)
    values (
        withdraw_stock.id, place, withdraw_stock.recipient, withdraw_stock.service, withdraw_stock.reason,
        withdraw_stock.withdrawn_at, withdraw_stock.notes
    ) on conflict do nothing returning * into withdrawal;
    if not found then
        select * into strict withdrawal from public.withdrawals
        where withdrawals.id = withdraw_stock.id and workspace_id = place;
        return withdrawal;
    end if;
    if coalesce(jsonb_array_length(lines), 0) = 0 then
        raise exception 'nothing was withdrawn' using errcode = 'check_violation';
    end if;
    perform private.hold(place, array(select (given ->> 'product_id')::uuid from jsonb_array_elements(lines) as given));
    for line in
        select * from rows from (
            jsonb_to_recordset(lines) as (product_id uuid, quantity numeric, lot_id uuid)
        ) with ordinality as given (product_id, quantity, lot_id, position)
        order by product_id, lot_id nulls last, position
    loop
        line.quantity := round(line.quantity, 3); -- what is too little to be written is nothing
        if line.quantity is null or line.quantity <= 0 then
            raise exception 'a line needs a quantity above zero' using errcode = 'check_violation';
        end if;
        if line.lot_id is null then
            insert into public.withdrawal_lines (workspace_id, withdrawal_id, product_id, lot_id, position, quantity)
            select place, withdrawal.id, line.product_id, picked.lot, line.position - 1, picked.quantity
            from private.pick(place, line.product_id, line.quantity) as picked;
        else
            insert into public.withdrawal_lines (workspace_id, withdrawal_id, product_id, lot_id, position, quantity)
            values (place, withdrawal.id, line.product_id, line.lot_id, line.position - 1, line.quantity);
        end if;
    end loop;
    return withdrawal;
end
$$;
comment on function public.withdraw_stock(jsonb, uuid, text, text, text, timestamptz, text, uuid) is
'Hands out stock. A line: product_id, quantity; without lot_id it takes what expires first.';
grant execute on function public.withdraw_stock(jsonb, uuid, text, text, text, timestamptz, text, uuid)
to authenticated;

create function public.count_stock(
    counts jsonb, site uuid default null, counted_at timestamptz default now(), notes text default null,
    id uuid default gen_random_uuid()
) returns public.inventories
language plpgsql set search_path = '' as $$
declare
    place uuid := private.site_of(site);
    inventory public.inventories;
begin
    insert into public.inventories (id, workspace_id, counted_at, notes)
    values (count_stock.id, place, count_stock.counted_at, count_stock.notes)
    on conflict do nothing returning * into inventory;
    if not found then
        select * into strict inventory from public.inventories
        where inventories.id = count_stock.id and workspace_id = place;
        return inventory;
    end if;
    if coalesce(jsonb_array_length(counts), 0) = 0 then
        raise exception 'nothing was counted' using errcode = 'check_violation';
    end if;
    perform private.hold(place, array(select (given ->> 'product_id')::uuid from jsonb_array_elements(counts) as given));
    insert into public.inventory_counts (workspace_id, inventory_id, product_id, lot_id, counted)
    select place, inventory.id, given.product_id, given.lot_id, given.counted
    from jsonb_to_recordset(counts) as given (product_id uuid, lot_id uuid, counted numeric)
    order by given.product_id, given.lot_id;
    return inventory;
end
$$;
comment on function public.count_stock(jsonb, uuid, timestamptz, text, uuid) is
'Takes stock. A count: product_id, counted; lot_id where the product has lots. The levels become what was counted.';
grant execute on function public.count_stock(jsonb, uuid, timestamptz, text, uuid) to authenticated;
