-- Files. A path begins with whose it is, and the policies ask for that part.
--
-- avatars: <person>/…; anybody may see a picture whose address they know, and nobody but the
-- person adds, changes, removes or lists theirs. vehicle-photos: <garage>/<vehicle>/…; members
-- of the garage see them, editors add and remove them. backups: <workspace or person>/…; an
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

create policy vehicle_photos_read on storage.objects for select to authenticated
using (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select id::text from private.readable() as id))
);
create policy vehicle_photos_add on storage.objects for insert to authenticated
with check (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select id::text from private.editable() as id))
);
create policy vehicle_photos_change on storage.objects for update to authenticated
using (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select id::text from private.editable() as id))
) with check (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select id::text from private.editable() as id))
);
create policy vehicle_photos_remove on storage.objects for delete to authenticated
using (
    bucket_id = 'vehicle-photos'
    and (storage.foldername(name))[1] = any (array(select id::text from private.editable() as id))
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
