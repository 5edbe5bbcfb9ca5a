-- Streaming: what a person watches, keeps for later and thinks of it.
--
-- A row belongs to one person, who reads and writes it; nobody else can see that it exists.
-- Who is banned or not active is shut out like a stranger. The films themselves are in a
-- catalogue of its own: content_id is what they are called there. What an old app had of that
-- catalogue comes along as rows of whoever brings it.

create table private.person_row (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    extra jsonb not null default '{}',
    legacy_scope text,
    legacy_id text,
    legacy_updated_at timestamptz
);
comment on table private.person_row is 'What rows of a person have in common: a pattern, always empty.';
comment on column private.person_row.id is
'The row. Whoever makes it may choose it, so sending it twice makes one row.';
comment on column private.person_row.user_id is 'Whose it is, for good.';
comment on column private.person_row.created_at is 'When it was made, here or in the old app.';
comment on column private.person_row.updated_at is 'When the row last changed here.';
comment on column private.person_row.extra is 'Fields of the old app that have no column.';
comment on column private.person_row.legacy_scope is 'With legacy_id, what the id was computed from.';
comment on column private.person_row.legacy_id is 'The id the old app gave it.';
comment on column private.person_row.legacy_updated_at is 'When the old app last changed it.';

create table public.user_profiles (
    like private.person_row including all,
    display_name text check (char_length(display_name) <= 200),
    avatar_url text,
    bio text,
    preferences jsonb not null default '{}',
    unique (user_id),
    foreign key (user_id) references public.users (id) on delete cascade
);
comment on table public.user_profiles is 'How a person wishes to be seen, and what they prefer.';
comment on column public.user_profiles.display_name is 'The name on the screen.';
comment on column public.user_profiles.avatar_url is 'Their picture: an address, or a path in bucket avatars.';
comment on column public.user_profiles.bio is 'What they say of themselves.';
comment on column public.user_profiles.preferences is 'The app''s own switches: theme, language.';

create table public.contents (
    like private.person_row including all,
    content_id text not null,
    content_type text check (content_type in ('movie', 'series')),
    title text,
    description text,
    category text,
    year integer,
    rating numeric(4, 2),
    duration_minutes integer,
    image_url text,
    video_url text,
    foreign key (user_id) references public.users (id) on delete cascade
);
comment on table public.contents is 'Films and series of the catalogue an old app had of its own.';
comment on column public.contents.content_id is 'What it is called in the other tables.';
comment on column public.contents.content_type is 'movie or series.';
comment on column public.contents.title is 'The title.';
comment on column public.contents.description is 'What it is about.';
comment on column public.contents.category is 'What sort of film it is.';
comment on column public.contents.year is 'When it was made.';
comment on column public.contents.rating is 'What the catalogue thinks of it, on whatever scale it uses.';
comment on column public.contents.duration_minutes is 'How long it is.';
comment on column public.contents.image_url is 'Where its picture is.';
comment on column public.contents.video_url is 'Where the film itself is.';
create index contents_content on public.contents (user_id, content_id);

create table public.watch_history (
    like private.person_row including all,
    content_id text not null,
    content_type text check (content_type in ('movie', 'series')),
    progress_seconds integer not null default 0 check (progress_seconds >= 0),
    duration_seconds integer check (duration_seconds >= 0),
    completed boolean not null default false,
    watched_at timestamptz not null default now(),
    constraint watch_history_has_type check (content_type is not null or legacy_id is not null),
    foreign key (user_id) references public.users (id) on delete cascade
);
comment on table public.watch_history is 'What was watched, each time anew.';
comment on column public.watch_history.content_id is 'Which film or series.';
comment on column public.watch_history.content_type is 'movie or series; null if the old app did not say.';
comment on column public.watch_history.progress_seconds is 'How far it was watched.';
comment on column public.watch_history.duration_seconds is 'How long it is.';
comment on column public.watch_history.completed is 'Whether to the end.';
comment on column public.watch_history.watched_at is 'When.';
create index watch_history_recent on public.watch_history (user_id, watched_at desc);

create table public.watchlist (
    like private.person_row including all,
    content_id text not null,
    content_type text check (content_type in ('movie', 'series')),
    added_at timestamptz not null default now(),
    unique nulls not distinct (user_id, content_type, content_id),
    constraint watchlist_has_type check (content_type is not null or legacy_id is not null),
    foreign key (user_id) references public.users (id) on delete cascade
);
comment on table public.watchlist is 'What someone means to watch.';
comment on column public.watchlist.content_id is 'Which film or series.';
comment on column public.watchlist.content_type is 'movie or series; null if the old app did not say.';
comment on column public.watchlist.added_at is 'When it was put on the list.';

create table public.ratings (
    like private.person_row including all,
    content_id text not null,
    content_type text check (content_type in ('movie', 'series')),
    rating smallint not null check (rating between 1 and 5),
    review text check (char_length(review) <= 10000),
    unique nulls not distinct (user_id, content_type, content_id),
    constraint ratings_has_type check (content_type is not null or legacy_id is not null),
    foreign key (user_id) references public.users (id) on delete cascade
);
comment on table public.ratings is 'What someone thinks of a film or series.';
comment on column public.ratings.content_id is 'Which film or series.';
comment on column public.ratings.content_type is 'movie or series; null if the old app did not say.';
comment on column public.ratings.rating is '1 to 5.';
comment on column public.ratings.review is 'Why.';

alter table public.user_profiles enable row level security;
alter table public.contents enable row level security;
alter table public.watch_history enable row level security;
alter table public.watchlist enable row level security;
alter table public.ratings enable row level security;
revoke all on
public.user_profiles, public.contents, public.watch_history, public.watchlist, public.ratings
from anon, authenticated;
grant all on
public.user_profiles, public.contents, public.watch_history, public.watchlist, public.ratings
to service_role;
grant select, insert, update, delete
on public.user_profiles, public.contents, public.watch_history, public.watchlist, public.ratings to authenticated;

create policy user_profiles_read on public.user_profiles for select to authenticated
using (user_id = (select private.me()));
create policy user_profiles_add on public.user_profiles for insert to authenticated
with check (user_id = (select private.me()));
create policy user_profiles_change on public.user_profiles for update to authenticated
using (user_id = (select private.me())) with check (user_id = (select private.me()));
create policy user_profiles_remove on public.user_profiles for delete to authenticated
using (user_id = (select private.me()));

create policy contents_read on public.contents for select to authenticated
using (user_id = (select private.me()));
create policy contents_add on public.contents for insert to authenticated
with check (user_id = (select private.me()));
create policy contents_change on public.contents for update to authenticated
using (user_id = (select private.me())) with check (user_id = (select private.me()));
create policy contents_remove on public.contents for delete to authenticated
using (user_id = (select private.me()));

create policy watch_history_read on public.watch_history for select to authenticated
using (user_id = (select private.me()));
create policy watch_history_add on public.watch_history for insert to authenticated
with check (user_id = (select private.me()));
create policy watch_history_change on public.watch_history for update to authenticated
using (user_id = (select private.me())) with check (user_id = (select private.me()));
create policy watch_history_remove on public.watch_history for delete to authenticated
using (user_id = (select private.me()));

create policy watchlist_read on public.watchlist for select to authenticated
using (user_id = (select private.me()));
create policy watchlist_add on public.watchlist for insert to authenticated
with check (user_id = (select private.me()));
create policy watchlist_change on public.watchlist for update to authenticated
using (user_id = (select private.me())) with check (user_id = (select private.me()));
create policy watchlist_remove on public.watchlist for delete to authenticated
using (user_id = (select private.me()));

create policy ratings_read on public.ratings for select to authenticated
using (user_id = (select private.me()));
create policy ratings_add on public.ratings for insert to authenticated
with check (user_id = (select private.me()));
create policy ratings_change on public.ratings for update to authenticated
using (user_id = (select private.me())) with check (user_id = (select private.me()));
create policy ratings_remove on public.ratings for delete to authenticated
using (user_id = (select private.me()));

call private.track('public.user_profiles', 'user_id');
call private.track('public.contents', 'user_id');
call private.track('public.watch_history', 'user_id');
call private.track('public.watchlist', 'user_id');
call private.track('public.ratings', 'user_id');
