-- Files. A path begins with whose it is, and the policies ask for that part.
--
-- avatars: <person>/…; anybody may see a picture whose address they know, and nobody but the
-- person adds, changes, removes or lists theirs. vehicle-photos: <garage>/…, or <person>/… for the
-- garage that is their home; members of the garage see them, editors add and remove them. backups: <workspace or person>/…; an
-- owner of the workspace, or the person, adds, reads and removes them; a backup never changes.

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values
('avatars', 'avatars', true, 2097152, array['image/png', 'image/jpeg', 'image/webp', 'image/gif']),
('vehicle-photos', 'vehicle-photos', false, 10485760, array['image/png', 'image/jpeg', 'image/webp', 'image/heic']),
('backups', 'backups', false, 104857600, array['application/json', 'application/gzip', 'application/zip'])
on conflict (id) do nothing;

create policy avatars_read on storage.objects for select to authenticated
using (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select private.me()::text));
create policy avatars_add on storage.objects for insert to authenticated
with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select private.me()::text));
create policy avatars_change on storage.objects for update to authenticated
using (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select private.me()::text))
with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select private.me()::text));
create policy avatars_remove on storage.objects for delete to authenticated
using (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select private.me()::text));

-- What a picture of a garage may lie in: its own folder, and that of whose home it is.
create function private.readable_folders() returns setof text
language sql stable security definer set search_path = '' as $$
    select folder::text from public.workspaces, unnest(array[id, home_of]) as folder
    where kind = 'garage' and id in (select private.readable()) and folder is not null
$$;
comment on function private.readable_folders() is 'The folders whoever asks may see pictures in.';

create function private.editable_folders() returns setof text
language sql stable security definer set search_path = '' as $$
    select folder::text from public.workspaces, unnest(array[id, home_of]) as folder
    where kind = 'garage' and id in (select private.editable()) and folder is not null
$$;
comment on function private.editable_folders() is 'The folders whoever asks may put pictures in.';
grant execute on function private.readable_folders(), private.editable_folders() to authenticated, service_role;

create policy vehicle_photos_read on storage.objects for select to authenticated
using (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select private.readable_folders()))
);
create policy vehicle_photos_add on storage.objects for insert to authenticated
with check (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select private.editable_folders()))
);
create policy vehicle_photos_change on storage.objects for update to authenticated
using (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select private.editable_folders()))
) with check (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select private.editable_folders()))
);
create policy vehicle_photos_remove on storage.objects for delete to authenticated
using (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select private.editable_folders()))
);

create policy backups_read on storage.objects for select to authenticated
using (
    bucket_id = 'backups'
    and (storage.foldername(name))[1]
    = any (array(select id::text from private.owned() as id union all select private.me()::text))
);
create policy backups_add on storage.objects for insert to authenticated
with check (
    bucket_id = 'backups'
    and (storage.foldername(name))[1]
    = any (array(select id::text from private.owned() as id union all select private.me()::text))
);
create policy backups_remove on storage.objects for delete to authenticated
using (
    bucket_id = 'backups'
    and (storage.foldername(name))[1]
    = any (array(select id::text from private.owned() as id union all select private.me()::text))
);
