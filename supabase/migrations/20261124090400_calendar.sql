-- The booking calendar: what can be booked, and who has booked it when.
--
-- Members of a calendar read it and its editors write; an owner decides its time zone and
-- whether it is public. Of a public calendar anybody, signed in or not, may ask which times
-- are taken, and learns nothing else: no name, no note, no price, no id of a booking.
--
-- Nothing is booked twice: the database refuses a booking that overlaps another one of the
-- same resource, unless one of them is cancelled. An end is not part of the booking, so one
-- may begin as another ends.
--
-- A time is an instant (timestamptz). Whoever thinks in the calendar's own time, as people do,
-- books with book(), which reads it in the calendar's time zone.

create table public.calendars (
    id uuid primary key references public.workspaces (id) on delete cascade,
    time_zone text not null default 'UTC' check (private.is_time_zone(time_zone)),
    is_public boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.calendars is 'Calendars, one for each workspace of that kind.';
comment on column public.calendars.id is 'The workspace.';
comment on column public.calendars.time_zone is 'Where the resources stand, as Europe/Paris.';
comment on column public.calendars.is_public is 'Whether anybody may ask which times are taken.';
comment on column public.calendars.created_at is 'When it was made.';
comment on column public.calendars.updated_at is 'When the row last changed here.';

create table private.calendar_row (like private.workspace_row including all);
comment on table private.calendar_row is 'What rows of a calendar have in common: a pattern, always empty.';
alter table private.calendar_row alter workspace_id set default private.home('calendar');

create table public.resources (
    like private.calendar_row including all,
    name text not null check (char_length(name) between 1 and 200),
    kind text,
    description text,
    position integer not null default 0,
    is_bookable boolean not null default true,
    foreign key (workspace_id) references public.calendars (id) on delete cascade
);
comment on table public.resources is 'What can be booked: desks, rooms, boats.';
comment on column public.resources.name is 'What it is called.';
comment on column public.resources.kind is 'What sort of thing it is.';
comment on column public.resources.description is 'What one should know about it.';
comment on column public.resources.position is 'Where it stands in lists.';
comment on column public.resources.is_bookable is 'False hides it from who looks for a free one.';

create table public.bookings (
    like private.calendar_row including all,
    resource_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    status text not null default 'confirmed'
    check (status in ('tentative', 'confirmed', 'blocked', 'done', 'no_show', 'cancelled')),
    guest_name text,
    guest_contact text,
    notes text,
    price numeric(12, 2),
    currency text,
    -- Infinity is a time to PostgreSQL, and would take the resource for ever.
    constraint bookings_end_after_start check (ends_at > starts_at and isfinite(starts_at) and isfinite(ends_at)),
    constraint bookings_never_overlap exclude using gist (
        workspace_id extensions.gist_uuid_ops with =, resource_id extensions.gist_uuid_ops with =,
        tstzrange(starts_at, ends_at, '[)') with &&
    ) where (status <> 'cancelled'),
    foreign key (workspace_id) references public.calendars (id) on delete cascade,
    foreign key (workspace_id, resource_id) references public.resources (workspace_id, id) on delete cascade
);
comment on table public.bookings is 'Who has a resource, from when to when.';
comment on column public.bookings.resource_id is 'What is booked.';
comment on column public.bookings.starts_at is 'The first instant of it.';
comment on column public.bookings.ends_at is 'The first instant after it.';
comment on column public.bookings.status is
'tentative, confirmed, blocked (nobody''s, but taken), done, no_show; cancelled gives the time free.';
comment on column public.bookings.guest_name is 'For whom.';
comment on column public.bookings.guest_contact is 'How to reach them.';
comment on column public.bookings.notes is 'Anything else.';
comment on column public.bookings.price is 'What it costs.';
comment on column public.bookings.currency is 'In which currency, as EUR.';
create index bookings_resource on public.bookings (workspace_id, resource_id, starts_at);
create index bookings_start on public.bookings (workspace_id, starts_at);

create table public.waiting_list (
    like private.calendar_row including all,
    guest_name text,
    guest_contact text,
    preferred_dates text,
    notes text,
    foreign key (workspace_id) references public.calendars (id) on delete cascade
);
comment on table public.waiting_list is 'Who wishes to book and found nothing free.';
comment on column public.waiting_list.guest_name is 'Who.';
comment on column public.waiting_list.guest_contact is 'How to reach them.';
comment on column public.waiting_list.preferred_dates is 'When they would like to come, in their words.';
comment on column public.waiting_list.notes is 'Anything else.';
create index waiting_list_oldest on public.waiting_list (workspace_id, created_at);

alter table public.calendars enable row level security;
alter table public.resources enable row level security;
alter table public.bookings enable row level security;
alter table public.waiting_list enable row level security;
revoke all on
public.calendars, public.resources, public.bookings, public.waiting_list
from anon, authenticated;
grant all on
public.calendars, public.resources, public.bookings, public.waiting_list
to service_role;
grant select, update (time_zone, is_public) on public.calendars to authenticated; -- made with its workspace
grant select, insert, update, delete on public.resources, public.bookings, public.waiting_list to authenticated;

create policy calendars_read on public.calendars for select to authenticated
using (id = any (array(select private.readable())));
create policy calendars_change on public.calendars for update to authenticated
using (id = any (array(select private.owned()))) with check (id = any (array(select private.owned())));

create policy resources_read on public.resources for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy resources_add on public.resources for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy resources_change on public.resources for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy resources_remove on public.resources for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy bookings_read on public.bookings for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy bookings_add on public.bookings for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy bookings_change on public.bookings for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy bookings_remove on public.bookings for delete to authenticated
using (workspace_id = any (array(select private.editable())));

create policy waiting_list_read on public.waiting_list for select to authenticated
using (workspace_id = any (array(select private.readable())));
create policy waiting_list_add on public.waiting_list for insert to authenticated
with check (workspace_id = any (array(select private.editable())) and owner_id = (select auth.uid()));
create policy waiting_list_change on public.waiting_list for update to authenticated
using (workspace_id = any (array(select private.editable())))
with check (workspace_id = any (array(select private.editable())));
create policy waiting_list_remove on public.waiting_list for delete to authenticated
using (workspace_id = any (array(select private.editable())));

call private.track('public.calendars', 'workspace_id', 'id');
call private.track_in('calendar', 'public.resources');
call private.track_in('calendar', 'public.bookings');
call private.track_in('calendar', 'public.waiting_list');

create function private.open_calendar() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.calendars (id) values (new.id);
    return new;
end
$$;
comment on function private.open_calendar() is 'Gives a new workspace its calendar.';
create trigger open_calendar after insert on public.workspaces for each row
when (new.kind = 'calendar') execute function private.open_calendar();
insert into public.calendars (id) select id from public.workspaces where kind = 'calendar';

-- Two who book the same time at once would find each other halfway, and wait in a circle until
-- one is thrown out. So they queue at the resource; one that moves, at both, in one order.
create function private.queue_booking() returns trigger
language plpgsql set search_path = '' as $$
begin
    perform from public.resources
    where workspace_id = new.workspace_id and id in (new.resource_id, old.resource_id)
    order by id for no key update;
    return new;
end
$$;
comment on function private.queue_booking() is 'Lets bookings of a resource come one after the other.';
create trigger queue before insert or update on public.bookings for each row
execute function private.queue_booking();

-- What a clock on the wall shows, as an instant. In the hour that is skipped in spring there is
-- none; of the two in autumn it is the second.
create function private.instant(local timestamp, time_zone text) returns timestamptz
language plpgsql stable set search_path = '' as $$
declare
    found timestamptz := local at time zone time_zone;
begin
    if found at time zone time_zone <> local then
        raise exception '% is skipped in %: clocks go forward', local, time_zone
        using errcode = 'datetime_field_overflow';
    end if;
    return found;
end
$$;
comment on function private.instant(timestamp, text) is 'When a clock in a time zone shows a time.';
grant execute on function private.instant(timestamp, text) to authenticated, service_role;

create function public.book(
    resource uuid, starts timestamp, ends timestamp,
    guest_name text default null, guest_contact text default null, notes text default null,
    id uuid default gen_random_uuid()
) returns public.bookings
language plpgsql set search_path = '' as $$
declare
    place public.calendars;
    booking public.bookings;
begin
    select calendars.* into place
    from public.resources join public.calendars on calendars.id = resources.workspace_id
    where resources.id = resource;
    if not found then
        raise exception 'there is no such resource' using errcode = 'no_data_found';
    end if;
    insert into public.bookings (id, workspace_id, resource_id, starts_at, ends_at, guest_name, guest_contact, notes)
    values (
        book.id, place.id, resource, private.instant(starts, place.time_zone), private.instant(ends, place.time_zone),
        book.guest_name, book.guest_contact, book.notes
    ) returning * into booking;
    return booking;
end
$$;
comment on function public.book(uuid, timestamp, timestamp, text, text, text, uuid) is
'Books a resource, from and to a time of the calendar''s own time zone.';
grant execute on function public.book(uuid, timestamp, timestamp, text, text, text, uuid) to authenticated;

create function private.availability(calendar uuid, from_time timestamptz, to_time timestamptz)
returns table (resource_id uuid, resource_name text, taken_from timestamptz, taken_to timestamptz)
language sql stable security definer set search_path = '' as $$
    select resources.id, resources.name, taken.starts_at, taken.ends_at
    from public.calendars
    join public.resources on resources.workspace_id = calendars.id
    left join public.bookings as taken on taken.workspace_id = resources.workspace_id
        and taken.resource_id = resources.id and taken.status <> 'cancelled'
        and tstzrange(taken.starts_at, taken.ends_at, '[)')
        && tstzrange(from_time, least(to_time, from_time + interval '366 days'), '[)')
    where calendars.id = calendar and calendars.is_public and resources.is_bookable and from_time < to_time
    order by resources.position, resources.name, resources.id, taken.starts_at
$$;
comment on function private.availability(uuid, timestamptz, timestamptz) is
'Which times of a public calendar are taken.';
grant execute on function private.availability(uuid, timestamptz, timestamptz) to anon, authenticated, service_role;

create function public.availability(calendar uuid, from_time timestamptz, to_time timestamptz)
returns table (resource_id uuid, resource_name text, taken_from timestamptz, taken_to timestamptz)
language sql stable set search_path = '' as $$
    select * from private.availability(calendar, from_time, to_time)
$$;
comment on function public.availability(uuid, timestamptz, timestamptz) is
'Each resource of a public calendar with the times it is taken, a year at most; one without any has a row of nulls.';
grant execute on function public.availability(uuid, timestamptz, timestamptz) to anon, authenticated, service_role;
